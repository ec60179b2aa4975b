// compiler: clang-19 -std=gnu23
// target: x86_64-unknown-linux-gnu
// C23: new keywords, attributes, fixed enum types, digit separators, constexpr.
enum small : unsigned char { S0, S1 = 255 }; enum wide : unsigned long long { W = 0xffff'ffff'ffff'ffff }; enum forward : short; enum forward f;
static_assert(sizeof(enum small) == 1 && sizeof(enum wide) == 8 && W > 0 && sizeof(f) == 2);
static_assert(1'000'000 == 1000000 && 0b1010'0101 == 0xa5);
constexpr int LIMIT = 10 * 4; constexpr double HALF = 0.5; static const long long BIG = -1LL << 40; constexpr unsigned char WRAPPED = 255;
static_assert(LIMIT == 40 && HALF * 2 == 1 && WRAPPED == 255);
alignas(16) int aligned; struct a { alignas(8) char c; }; static_assert(alignof(struct a) == 8 && sizeof(struct a) == 8);
[[nodiscard]] int must_use(void); [[deprecated("why"), maybe_unused]] extern int old; struct [[gnu::packed]] p { char c; int i [[maybe_unused]]; };
static_assert(sizeof(struct p) == 5); int attributed([[maybe_unused]] int a, int b [[maybe_unused]]) [[gnu::pure]];
bool flag = true; static_assert(true && !false && sizeof(bool) == 1); typeof(1 + 2L) l; typeof(int *) q; typeof_unqual(const int) u; static_assert(sizeof(l) == 8);
void *null = nullptr; typeof(nullptr) n; thread_local int t; int variadic(...);
char c = u8'a'; static_assert(sizeof(u8'a') == 1); static_assert(sizeof(struct { int a; }) == 4, "with a message"); static_assert(1);
auto inferred = 1.5f; constexpr auto WIDE = 1LL << 40; const auto text = "abc"; __auto_type sum = 1 + 2L;
static_assert(sizeof(inferred) == 4 && WIDE >> 40 == 1 && sizeof(WIDE) == 8 && sizeof(text) == 8 && sizeof(sum) == 8);
