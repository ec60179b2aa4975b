/* The functions of pixels.c that plugins may call, with contracts for their pointers. */
typedef struct { uint16_t width, height; } size;
typedef union { void *pointer; intptr_t number; } word;
struct canvas;

/* Adds `by` to every pixel, from 0 to 255 at most. */
void brighten(uint8_t *pixels, size_t count, int by) __attribute__((access(read_write, 1, 2)));
/* The largest pixel. */
uint8_t brightest(const uint8_t *pixels, size_t count) __attribute__((access(read_only, 1, 2)));
/* Replaces each pixel by the result of `change`. */
void map_pixels(uint8_t *pixels, size_t count, uint8_t (*change)(uint8_t)) __attribute__((access(read_write, 1, 2)));
/* A handle, which the caller must free. */
struct canvas *make_canvas(void);
void free_canvas(struct canvas *canvas) __attribute__((trusted(1)));

/* No script can call these: the policy refuses each for another reason. */
void uncontracted(uint8_t *pixels);
int print_format(const char *format, ...);
