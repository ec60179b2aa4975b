/* A small codec: run-length coding with literal runs, and a 32-bit hash (MurmurHash3's mixing). It is freestanding: it calls
 * nothing, so the same file builds for 32-bit code behind the gate and for the host. */
#ifdef _WIN32
#define API __attribute__((stdcall))
#elif defined(__i386__)
#define API __attribute__((fastcall))
#else
#define API
#endif

typedef unsigned char byte;

struct statistics {
    unsigned runs, literals;
    unsigned long long bytes;
    double ratio;
};

static unsigned rotate(unsigned x, int r) { return x << r | x >> (32 - r); }

unsigned API codec_hash(const byte *data, unsigned size, unsigned seed) {
    unsigned h = seed;
    for (unsigned i = 0; i < size; i++) {
        unsigned k = data[i] * 0xcc9e2d51u;
        h ^= rotate(k, 15) * 0x1b873593u;
        h = rotate(h, 13) * 5 + 0xe6546b64u;
    }
    h ^= size;
    h = (h ^ h >> 16) * 0x85ebca6bu;
    h = (h ^ h >> 13) * 0xc2b2ae35u;
    return h ^ h >> 16;
}

/* Writes pairs of a count and bytes: 0x80 + n: the next byte n + 2 times; n: the next n + 1 bytes as they are. Returns the bytes
 * written, or 0 if `room` is too small. Calls `progress`, if there is one, with each run. */
unsigned API codec_pack(const byte *from, unsigned size, byte *to, unsigned room, struct statistics *s,
                        void (API *progress)(unsigned at, double part)) {
    unsigned in = 0, out = 0;
    s->runs = s->literals = 0;
    while (in < size) {
        unsigned run = 1, start = in;
        while (in + run < size && run < 129 && from[in + run] == from[in]) run++;
        if (run >= 2) {
            if (out + 2 > room) return 0;
            to[out++] = 0x80 + (run - 2);
            to[out++] = from[in];
            in += run;
            s->runs++;
            if (progress) progress(in, (double)in / size);
            continue;
        }
        while (in < size && in - start < 128 && !(in + 1 < size && from[in] == from[in + 1])) in++;
        if (out + 1 + in - start > room) return 0;
        to[out++] = in - start - 1;
        while (start < in) to[out++] = from[start++];
        s->literals++;
    }
    s->bytes = out;
    s->ratio = size ? (double)out / size : 1;
    return out;
}

struct statistics API codec_unpack(const byte *from, unsigned size, byte *to, unsigned room) {
    struct statistics s = {0, 0, 0, 0};
    unsigned in = 0;
    while (in < size) {
        unsigned code = from[in++], count = code & 0x80 ? (code & 0x7f) + 2 : code + 1;
        if (s.bytes + count > room) break;
        if (code & 0x80) {
            for (; count; count--) to[s.bytes++] = from[in];
            in++;
            s.runs++;
        } else {
            for (; count; count--) to[s.bytes++] = from[in++];
            s.literals++;
        }
    }
    s.ratio = size ? (double)s.bytes / size : 1;
    return s;
}
