/* RandAugment (Cubuk et al. 2020) with the ten operations that ALBEF trains with: each of a few, drawn with
 * replacement, is done with probability one half, at a strength of magnitude / 10 of its range. */
#include "base/memory.h"
#include "image/internal.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void identity(laip_image *image, double strength)
{
    (void)image;
    (void)strength;
}

/* Replaces the values of channel c by those of the table. */
static void map_channel(laip_image *image, int c, const uint8_t table[256])
{
    size_t pixels = (size_t)image->width * (size_t)image->height;
    for (size_t i = 0; i < pixels; i++)
        image->pixels[3 * i + (size_t)c] = table[image->pixels[3 * i + (size_t)c]];
}

static void count_values(const laip_image *image, int c, size_t counts[256])
{
    size_t pixels = (size_t)image->width * (size_t)image->height;
    memset(counts, 0, 256 * sizeof *counts);
    for (size_t i = 0; i < pixels; i++)
        counts[image->pixels[3 * i + (size_t)c]]++;
}

/* Each channel's least value becomes 0, its greatest 255. */
static void auto_contrast(laip_image *image, double strength)
{
    (void)strength;
    for (int c = 0; c < 3; c++) {
        size_t counts[256];
        uint8_t table[256];
        int low = 0, high = 255;
        count_values(image, c, counts);
        while (low < 255 && !counts[low])
            low++;
        while (high > 0 && !counts[high])
            high--;
        if (high <= low)
            continue;
        for (int v = 0; v < 256; v++)
            table[v] = laip_to_byte(255.0 * (v - low) / (high - low));
        map_channel(image, c, table);
    }
}

/* Each channel's values are spread so that they are about equally frequent. */
static void equalise(laip_image *image, double strength)
{
    (void)strength;
    for (int c = 0; c < 3; c++) {
        size_t counts[256], sum = 0, last = 0;
        uint8_t table[256];
        count_values(image, c, counts);
        for (int v = 0; v < 256; v++) {
            sum += counts[v];
            last = counts[v] ? counts[v] : last;
        }
        size_t step = (sum - last) / 255, before = step / 2;
        if (!step)
            continue;
        for (int v = 0; v < 256; v++) {
            size_t to = before / step;
            table[v] = (uint8_t)(to < 255 ? to : 255);
            before += counts[v];
        }
        map_channel(image, c, table);
    }
}

void laip_image_brightness(laip_image *image, double factor)
{
    uint8_t table[256];
    for (int v = 0; v < 256; v++)
        table[v] = laip_to_byte(v * factor);
    for (int c = 0; c < 3; c++)
        map_channel(image, c, table);
}

static void brightness(laip_image *image, double strength)
{
    laip_image_brightness(image, 0.1 + 1.8 * strength);
}

/* Away from (or, below 1, towards) the picture smoothed by [1 1 1; 1 5 1; 1 1 1] / 13; its rim stays. */
static void sharpness(laip_image *image, double strength)
{
    double factor = 0.1 + 1.8 * strength;
    size_t stride = 3 * (size_t)image->width, bytes = stride * (size_t)image->height;
    uint8_t *out = laip_alloc(bytes, 1);
    memcpy(out, image->pixels, bytes);
    for (int y = 1; y < image->height - 1; y++)
        for (size_t x = 3; x < stride - 3; x++) {
            const uint8_t *p = image->pixels + (size_t)y * stride + x, *above = p - stride,
                          *below = p + stride;
            int sum =
                above[-3] + above[0] + above[3] + p[-3] + 5 * p[0] + p[3] + below[-3] + below[0] + below[3];
            double smooth = floor(sum / 13.0 + 0.5);
            out[(size_t)y * stride + x] = laip_to_byte(smooth + factor * (p[0] - smooth));
        }
    free(image->pixels);
    image->pixels = out;
}

/* The grey that comes in from outside. */
enum { FILL = 128 };

static double sample(const laip_image *image, int x, int y, int c)
{
    bool inside = x >= 0 && y >= 0 && x < image->width && y < image->height;
    return inside ? image->pixels[3 * ((size_t)y * (size_t)image->width + (size_t)x) + (size_t)c] : FILL;
}

/* The pixel at (x, y), from the middle, comes from (m0 x + m1 y + m2, m3 x + m4 y + m5), bilinearly. */
static void affine(laip_image *image, const double m[6])
{
    double middle_x = 0.5 * (image->width - 1), middle_y = 0.5 * (image->height - 1);
    uint8_t *out = laip_alloc((size_t)image->width * (size_t)image->height, 3), *to = out;
    for (int y = 0; y < image->height; y++)
        for (int x = 0; x < image->width; x++) {
            double from_x = m[0] * (x - middle_x) + m[1] * (y - middle_y) + m[2] + middle_x;
            double from_y = m[3] * (x - middle_x) + m[4] * (y - middle_y) + m[5] + middle_y;
            double left = floor(from_x), top = floor(from_y), u = from_x - left, v = from_y - top;
            for (int c = 0; c < 3; c++) {
                double a = sample(image, (int)left, (int)top, c),
                       b = sample(image, (int)left + 1, (int)top, c);
                double d = sample(image, (int)left, (int)top + 1, c);
                double e = sample(image, (int)left + 1, (int)top + 1, c);
                *to++ = laip_to_byte((1 - v) * ((1 - u) * a + u * b) + v * ((1 - u) * d + u * e));
            }
        }
    free(image->pixels);
    image->pixels = out;
}

static void shear_x(laip_image *image, double strength)
{
    affine(image, (const double[]){1, 0.3 * strength, 0, 0, 1, 0});
}

static void shear_y(laip_image *image, double strength)
{
    affine(image, (const double[]){1, 0, 0, 0.3 * strength, 1, 0});
}

static void translate_x(laip_image *image, double strength)
{
    affine(image, (const double[]){1, 0, 10 * strength, 0, 1, 0});
}

static void translate_y(laip_image *image, double strength)
{
    affine(image, (const double[]){1, 0, 0, 0, 1, 10 * strength});
}

static void rotate(laip_image *image, double strength)
{
    double angle = 30 * strength * 3.141592653589793 / 180, c = cos(angle), s = sin(angle);
    affine(image, (const double[]){c, s, 0, -s, c, 0});
}

void laip_randaugment(laip_image *image, int operations, int magnitude, laip_rng *rng)
{
    static const struct {
        void (*apply)(laip_image *image, double strength);
        bool signs; /* the strength may be negative */
    } all[] = {{identity, false},   {auto_contrast, false}, {equalise, false}, {brightness, false},
               {sharpness, false},  {shear_x, true},        {shear_y, true},   {translate_x, true},
               {translate_y, true}, {rotate, true}};
    for (int i = 0; i < operations; i++) {
        /* Three numbers an operation, used or not: a stream's later numbers do not depend on them. */
        uint32_t which = laip_rng_below(rng, sizeof all / sizeof *all), done = laip_rng_below(rng, 2),
                 minus = laip_rng_below(rng, 2);
        if (done)
            all[which].apply(image, 0.1 * magnitude * (minus && all[which].signs ? -1 : 1));
    }
}
