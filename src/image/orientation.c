/* Which side of a picture is up: EXIF's orientation (tag 0x112, 1 to 8), XMP's copy of it, and the turn. */
#include "base/memory.h"
#include "image/internal.h"

#include <stdlib.h>
#include <string.h>

static unsigned number(const uint8_t *p, int bytes, bool big)
{
    unsigned x = 0;
    for (int i = 0; i < bytes; i++)
        x = x << 8 | p[big ? i : bytes - 1 - i];
    return x;
}

int laip_exif_orientation(const uint8_t *exif, size_t size)
{
    enum { ORIENTATION = 0x112, BYTE = 1, SHORT = 3, LONG = 4 };
    if (size < 8 || (memcmp(exif, "MM", 2) != 0 && memcmp(exif, "II", 2) != 0))
        return 0;
    bool big = exif[0] == 'M';
    size_t at = number(exif + 4, 4, big);
    if (at > size || size - at < 2)
        return 0;
    unsigned entries = number(exif + at, 2, big);
    at += 2;
    for (unsigned i = 0; i < entries && size - at >= 12; i++, at += 12)
        if (number(exif + at, 2, big) == ORIENTATION) {
            unsigned type = number(exif + at + 2, 2, big);
            int bytes = type == BYTE ? 1 : type == SHORT ? 2 : type == LONG ? 4 : 0;
            unsigned value = number(exif + at + 8, bytes, big);
            return value >= 1 && value <= 8 ? (int)value : bytes ? 1 : 0;
        }
    return 0;
}

int laip_xmp_orientation(const void *xmp, size_t size)
{
    static const char key[] = "tiff:Orientation";
    const char *p = xmp, *end = p + size;
    for (; end - p >= (ptrdiff_t)sizeof key + 2; p++) {
        if (memcmp(p, key, sizeof key - 1) != 0)
            continue;
        const char *value = p + sizeof key - 1;
        value += *value == '>' ? 1 : memcmp(value, "=\"", 2) == 0 ? 2 : 0;
        if (value > p + sizeof key - 1 && *value >= '0' && *value <= '9')
            return *value >= '1' && *value <= '8' ? *value - '0' : 1;
    }
    return 0;
}

/* EXIF's eight orientations: whether columns and rows change places, and which of them run backwards then. */
void laip_orientation_source(int orientation, int width, int height, int x, int y, int *column, int *row)
{
    bool mirror_x = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
    bool mirror_y = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
    int u = mirror_x ? width - 1 - x : x, v = mirror_y ? height - 1 - y : y;
    *column = laip_orientation_swaps(orientation) ? v : u;
    *row = laip_orientation_swaps(orientation) ? u : v;
}

bool laip_orientation_swaps(int orientation)
{
    return orientation >= 5 && orientation <= 8;
}

static laip_image turned(const laip_image *in, int orientation)
{
    bool swaps = laip_orientation_swaps(orientation);
    laip_image out = {.width = swaps ? in->height : in->width,
                      .height = swaps ? in->width : in->height,
                      .damaged = in->damaged,
                      .orientation = in->orientation};
    out.pixels = laip_alloc((size_t)out.width * (size_t)out.height, 3);
    for (int y = 0; y < out.height; y++)
        for (int x = 0; x < out.width; x++) {
            int column, row;
            laip_orientation_source(orientation, out.width, out.height, x, y, &column, &row);
            memcpy(out.pixels + 3 * ((size_t)y * (size_t)out.width + (size_t)x),
                   in->pixels + 3 * ((size_t)row * (size_t)in->width + (size_t)column), 3);
        }
    return out;
}

void laip_image_turn(laip_image *image, int orientation)
{
    if (orientation < 2 || orientation > 8)
        return;
    laip_image out = turned(image, orientation);
    free(image->pixels);
    *image = out;
}

void laip_image_as_stored(const laip_image *upright, laip_image *stored)
{
    static const int back[9] = {1, 1, 2, 3, 4, 5, 8, 7, 6}; /* a quarter turn is undone by the other one */
    *stored = turned(upright, back[upright->orientation]);
}
