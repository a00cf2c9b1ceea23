/* Loading a picture, and the way to the encoder's planes. */
#include "image/image.h"

#include "base/file.h"
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

/* What else a file may be that carries a picture's name, for the error's line. */
static const char *kind(const uint8_t *data, size_t size)
{
    static const struct {
        const char *bytes, *what;
        size_t count;
    } kinds[] = {{"GIF8", "a GIF picture", 4},
                 {"BM", "a BMP picture", 2},
                 {"RIFF", "a WebP picture", 4},
                 {"II*\0", "a TIFF picture", 4},
                 {"MM\0*", "a TIFF picture", 4},
                 {"\0\0\0\fjP  ", "a JPEG 2000 picture", 8},
                 {"\x89PNG", "a PNG picture whose signature is damaged", 4},
                 {"<", "a text", 1},
                 {"%PDF", "a PDF document", 4}};
    if (!size)
        return "an empty file";
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (size >= kinds[i].count && memcmp(data, kinds[i].bytes, kinds[i].count) == 0)
            return kinds[i].what;
    if (size >= 12 && memcmp(data + 4, "ftyp", 4) == 0)
        return "a HEIF or AVIF picture";
    return "a file of an unknown kind";
}

bool laip_image_decode(const void *data, size_t size, const char *name, bool upright, laip_image *image,
                       laip_error *error)
{
    static const uint8_t png[8] = {137, 'P', 'N', 'G', 13, 10, 26, 10}, jpeg[3] = {0xff, 0xd8, 0xff};
    int orientation = 0;
    bool good;
    *image = (laip_image){0};
    if (size >= sizeof png && memcmp(data, png, sizeof png) == 0)
        good = laip_png_decode(data, size, name, image, &orientation, error);
    else if (size >= sizeof jpeg && memcmp(data, jpeg, sizeof jpeg) == 0)
        good = laip_jpeg_decode(data, size, name, image, &orientation, error);
    else
        return laip_bad_input(error, "%s: found %s, expected a JPEG or PNG picture", name, kind(data, size));
    if (good && upright)
        laip_image_turn(image, orientation);
    image->orientation = good && orientation >= 1 && orientation <= 8 ? orientation : 1;
    return good;
}

bool laip_image_load(const char *path, bool upright, laip_image *image, laip_error *error)
{
    char *data; /* read, not mapped: a file that is cut short meanwhile must not end the process */
    size_t size;
    *image = (laip_image){0};
    if (!laip_file_read(path, &data, &size, error))
        return false;
    bool good = laip_image_decode(data, size, path, upright, image, error);
    free(data);
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
