#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

void brighten(uint8_t *pixels, size_t count, int by)
{
    for (size_t i = 0; i < count; i++) {
        int pixel = pixels[i] + by;
        pixels[i] = pixel < 0 ? 0 : pixel > 255 ? 255 : pixel;
    }
}

uint8_t brightest(const uint8_t *pixels, size_t count)
{
    uint8_t most = 0;
    for (size_t i = 0; i < count; i++)
        most = pixels[i] > most ? pixels[i] : most;
    return most;
}

void map_pixels(uint8_t *pixels, size_t count, uint8_t (*change)(uint8_t))
{
    for (size_t i = 0; i < count; i++)
        pixels[i] = change(pixels[i]);
}

struct canvas *make_canvas(void)
{
    return malloc(64);
}

void free_canvas(struct canvas *canvas)
{
    free(canvas);
}

void uncontracted(uint8_t *pixels)
{
    pixels[1000000] = 1;
}

int print_format(const char *format, ...)
{
    abort();
}
