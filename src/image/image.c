/* Loading a picture, its orientation, and the way to the encoder's planes. */
#include "laip/image.h"

#include "base/file.h"
#include "base/memory.h"
#include "image/internal.h"
#include <stdlib.h>
#include <string.h>

void laip_image_free(laip_image *image)
{
    free(image->pixels);
    *image = (laip_image){0};
}

bool laip_image_size_ok(const char *name, size_t width, size_t height, laip_error *error)
{
    if (!width || !height || width > LAIP_IMAGE_PIXELS / height)
        return laip_bad_input(error, "%s: is %zu x %zu pixels, expected 1 to %d in all", name, width, height,
                              LAIP_IMAGE_PIXELS);
    return true;
}

static unsigned number(const uint8_t *p, int bytes, bool big)
{
    unsigned x = 0;
    for (int i = 0; i < bytes; i++)
        x = x << 8 | p[big ? i : bytes - 1 - i];
    return x;
}

int laip_exif_orientation(const uint8_t *exif, size_t size)
{
    if (size < 8 || (memcmp(exif, "MM", 2) != 0 && memcmp(exif, "II", 2) != 0))
        return 1;
    bool big = exif[0] == 'M';
    size_t at = number(exif + 4, 4, big);
    if (at > size || size - at < 2)
        return 1;
    unsigned entries = number(exif + at, 2, big);
    at += 2;
    for (unsigned i = 0; i < entries && size - at >= 12; i++, at += 12)
        if (number(exif + at, 2, big) == 0x112) {
            unsigned value = number(exif + at + 8, 2, big);
            return value >= 1 && value <= 8 ? (int)value : 1;
        }
    return 1;
}

/* EXIF's eight orientations: whether columns and rows change places, and which of them run backwards then. */
static void turn_upright(laip_image *image, int orientation)
{
    bool swaps = orientation >= 5,
         mirror_x = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
    bool mirror_y = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
    if (orientation == 1)
        return;
    laip_image out = {.width = swaps ? image->height : image->width,
                      .height = swaps ? image->width : image->height};
    out.pixels = laip_alloc((size_t)out.width * (size_t)out.height, 3);
    for (int y = 0; y < out.height; y++)
        for (int x = 0; x < out.width; x++) {
            int u = mirror_x ? out.width - 1 - x : x, v = mirror_y ? out.height - 1 - y : y;
            int sx = swaps ? v : u, sy = swaps ? u : v;
            memcpy(out.pixels + 3 * ((size_t)y * (size_t)out.width + (size_t)x),
                   image->pixels + 3 * ((size_t)sy * (size_t)image->width + (size_t)sx), 3);
        }
    free(image->pixels);
    *image = out;
}

bool laip_image_decode(const void *data, size_t size, const char *name, bool upright, laip_image *image,
                       laip_error *error)
{
    static const uint8_t png[8] = {137, 'P', 'N', 'G', 13, 10, 26, 10}, jpeg[3] = {0xff, 0xd8, 0xff};
    int orientation = 1;
    bool good;
    if (size >= sizeof png && memcmp(data, png, sizeof png) == 0)
        good = laip_png_decode(data, size, name, image, &orientation, error);
    else if (size >= sizeof jpeg && memcmp(data, jpeg, sizeof jpeg) == 0)
        good = laip_jpeg_decode(data, size, name, image, &orientation, error);
    else
        return laip_bad_input(
            error, "%s: is no picture: its first bytes are neither those of JPEG nor of PNG", name);
    if (good && upright)
        turn_upright(image, orientation);
    return good;
}

bool laip_image_load(const char *path, bool upright, laip_image *image, laip_error *error)
{
    const void *data;
    size_t size;
    *image = (laip_image){0};
    if (!laip_file_map(path, &data, &size, error))
        return false;
    bool good = laip_image_decode(data, size, path, upright, image, error);
    laip_file_unmap(data, size);
    return good;
}

void laip_image_flip(laip_image *image)
{
    for (int y = 0; y < image->height; y++) {
        uint8_t *row = image->pixels + (size_t)y * (size_t)image->width * 3;
        for (int a = 0, b = image->width - 1; a < b; a++, b--)
            for (int c = 0; c < 3; c++) {
                uint8_t t = row[3 * a + c];
                row[3 * a + c] = row[3 * b + c];
                row[3 * b + c] = t;
            }
    }
}

void laip_image_normalise(const laip_image *image, float *planes)
{
    static const float mean[3] = {0.48145466f, 0.4578275f, 0.40821073f};
    static const float deviation[3] = {0.26862954f, 0.26130258f, 0.27577711f};
    size_t count = (size_t)image->width * (size_t)image->height;
    for (size_t c = 0; c < 3; c++) {
        float table[256];
        for (int v = 0; v < 256; v++)
            table[v] = ((float)v / 255 - mean[c]) / deviation[c];
        for (size_t i = 0; i < count; i++)
            planes[c * count + i] = table[image->pixels[3 * i + c]];
    }
}
