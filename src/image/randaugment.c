/* RandAugment (Cubuk et al. 2020) with the ten operations that ALBEF trains with, in its geometry: each of a
 * few, drawn with replacement, is done with probability one half, at magnitude / 10 of its range. */
#include "base/memory.h"
#include "image/internal.h"
#include <math.h>
#include <stdlib.h>

/* The grey that comes in from outside. */
enum { FILL = 128 };

static double sample(const laip_image *image, int x, int y, int c)
{
    bool inside = x >= 0 && y >= 0 && x < image->width && y < image->height;
    return inside ? image->pixels[3 * ((size_t)y * (size_t)image->width + (size_t)x) + (size_t)c] : FILL;
}

/* What stands at (x, y) comes from (m0 x + m1 y + m2, m3 x + m4 y + m5), bilinearly. */
static void affine(laip_image *image, const double m[6])
{
    uint8_t *out = laip_realloc(NULL, (size_t)image->width * (size_t)image->height, 3), *to = out;
    for (int y = 0; y < image->height; y++)
        for (int x = 0; x < image->width; x++) {
            double from_x = m[0] * x + m[1] * y + m[2], from_y = m[3] * x + m[4] * y + m[5];
            int left = (int)floor(from_x), top = (int)floor(from_y);
            double u = from_x - left, v = from_y - top;
            for (int c = 0; c < 3; c++) {
                double above = (1 - u) * sample(image, left, top, c) + u * sample(image, left + 1, top, c);
                double below =
                    (1 - u) * sample(image, left, top + 1, c) + u * sample(image, left + 1, top + 1, c);
                *to++ = (uint8_t)((1 - v) * above + v * below + 0.5);
            }
        }
    free(image->pixels);
    image->pixels = out;
}

/* Counter-clockwise about (width / 2, height / 2). */
static void rotate(laip_image *image, double degrees)
{
    double angle = degrees * 3.141592653589793 / 180, c = cos(angle), s = sin(angle);
    double x = image->width / 2.0, y = image->height / 2.0;
    affine(image, (const double[]){c, -s, x - c * x + s * y, s, c, y - s * x - c * y});
}

void laip_randaugment_do(laip_image *image, laip_randaugment_op op, double strength)
{
    float factor = (float)(0.1 + 1.8 * strength);
    double shear = 0.3 * strength, move = 10 * strength;
    switch (op) {
    case LAIP_RA_AUTO_CONTRAST:
        laip_image_auto_contrast(image);
        break;
    case LAIP_RA_EQUALISE:
        laip_image_equalise(image);
        break;
    case LAIP_RA_BRIGHTNESS:
        laip_image_brightness(image, factor);
        break;
    case LAIP_RA_SHARPNESS:
        laip_image_sharpness(image, factor);
        break;
    case LAIP_RA_SHEAR_X:
        affine(image, (const double[]){1, -shear, 0, 0, 1, 0});
        break;
    case LAIP_RA_SHEAR_Y:
        affine(image, (const double[]){1, 0, 0, -shear, 1, 0});
        break;
    case LAIP_RA_TRANSLATE_X:
        affine(image, (const double[]){1, 0, move, 0, 1, 0});
        break;
    case LAIP_RA_TRANSLATE_Y:
        affine(image, (const double[]){1, 0, 0, 0, 1, move});
        break;
    case LAIP_RA_ROTATE:
        rotate(image, 30 * strength);
        break;
    case LAIP_RA_IDENTITY:
    case LAIP_RA_OPERATIONS:
        break;
    }
}

void laip_randaugment(laip_image *image, int operations, int magnitude, laip_rng *rng)
{
    for (int i = 0; i < operations; i++) {
        /* Three numbers an operation, used or not: a stream's later numbers do not depend on them. */
        laip_randaugment_op op = (laip_randaugment_op)laip_rng_below(rng, LAIP_RA_OPERATIONS);
        bool done = laip_rng_below(rng, 2), minus = laip_rng_below(rng, 2) && op >= LAIP_RA_FIRST_SIGNED;
        if (done)
            laip_randaugment_do(image, op, 0.1 * magnitude * (minus ? -1 : 1));
    }
}
