/* Changes of colour, on 8-bit RGB as Pillow's ImageEnhance and ImageOps and as ALBEF's RandAugment make them:
 * results are cut to whole levels, not rounded. */
#include "base/memory.h"
#include "image/internal.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t pixel_count(const laip_image *image)
{
    return (size_t)image->width * (size_t)image->height;
}

static uint8_t cut(float x)
{
    return (uint8_t)(x <= 0 ? 0 : x >= 255 ? 255 : x);
}

/* from + factor · (to − from): `to` at 1, beyond it above. */
static uint8_t blend(int from, int to, float factor)
{
    return cut((float)from + factor * (float)(to - from));
}

/* ITU-R 601's luma in 16-bit fixed point. */
static int luma(const uint8_t *rgb)
{
    return (rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16;
}

/* Replaces the values of channel c by those of the table. */
static void map_channel(laip_image *image, int c, const uint8_t table[256])
{
    size_t bytes = 3 * pixel_count(image);
    for (size_t i = (size_t)c; i < bytes; i += 3)
        image->pixels[i] = table[image->pixels[i]];
}

static void blend_all(laip_image *image, int from, float factor)
{
    uint8_t table[256];
    for (int v = 0; v < 256; v++)
        table[v] = blend(from, v, factor);
    for (int c = 0; c < 3; c++)
        map_channel(image, c, table);
}

void laip_image_brightness(laip_image *image, float factor)
{
    blend_all(image, 0, factor);
}

void laip_image_contrast(laip_image *image, float factor)
{
    size_t pixels = pixel_count(image);
    uint64_t sum = 0;
    for (size_t i = 0; i < pixels; i++)
        sum += (uint64_t)luma(image->pixels + 3 * i);
    blend_all(image, (int)((double)sum / (double)pixels + 0.5), factor);
}

void laip_image_saturation(laip_image *image, float factor)
{
    size_t pixels = pixel_count(image);
    for (uint8_t *p = image->pixels, *end = p + 3 * pixels; p < end; p += 3) {
        int grey = luma(p);
        for (int c = 0; c < 3; c++)
            p[c] = blend(grey, p[c], factor);
    }
}

/* Hue, saturation and value, 8 bits each; 255 of hue is once round the circle. */
static void to_hsv(const uint8_t *rgb, uint8_t *hsv)
{
    int high = rgb[0] > rgb[1] ? rgb[0] : rgb[1], low = rgb[0] < rgb[1] ? rgb[0] : rgb[1];
    high = rgb[2] > high ? rgb[2] : high;
    low = rgb[2] < low ? rgb[2] : low;
    hsv[0] = hsv[1] = 0;
    hsv[2] = (uint8_t)high;
    if (high == low)
        return;
    float range = (float)(high - low), away[3];
    for (int c = 0; c < 3; c++)
        away[c] = (float)(high - rgb[c]) / range;
    int top = rgb[0] == high ? 0 : rgb[1] == high ? 1 : 2;
    float sixths = (float)(2.0 * top + (double)away[(top + 2) % 3] - (double)away[(top + 1) % 3]);
    float hue = (float)fmod((double)sixths / 6.0 + 1.0, 1.0);
    hsv[0] = (uint8_t)((double)hue * 255.0);
    hsv[1] = (uint8_t)((double)(range / (float)high) * 255.0);
}

static void from_hsv(const uint8_t *hsv, uint8_t *rgb)
{
    /* For each sixth of the circle, which of value, falling, low and rising level each channel has. */
    static const uint8_t which[6][3] = {{0, 3, 2}, {1, 0, 2}, {2, 0, 3}, {2, 1, 0}, {3, 2, 0}, {0, 2, 1}};
    double place = hsv[0] * 6.0 / 255.0, value = hsv[2];
    int sixth = (int)place;
    float part = (float)(place - sixth), strength = (float)hsv[1] / 255.0f;
    double falling = value * (1.0 - (double)(strength * part));
    double low = value * (1.0 - (double)strength),
           rising = value * (1.0 - (double)strength * (1.0 - (double)part));
    const uint8_t levels[4] = {hsv[2], (uint8_t)round(falling), (uint8_t)round(low), (uint8_t)round(rising)};
    for (int c = 0; c < 3; c++)
        rgb[c] = levels[which[sixth % 6][c]];
}

void laip_image_hue(laip_image *image, double turns)
{
    uint8_t shift = (uint8_t)(int)(turns * 255);
    size_t pixels = pixel_count(image);
    for (uint8_t *p = image->pixels, *end = p + 3 * pixels; p < end; p += 3) {
        uint8_t hsv[3];
        to_hsv(p, hsv);
        hsv[0] = (uint8_t)(hsv[0] + shift);
        from_hsv(hsv, p);
    }
}

static void count_values(const laip_image *image, int c, size_t counts[256])
{
    size_t bytes = 3 * pixel_count(image);
    memset(counts, 0, 256 * sizeof *counts);
    for (size_t i = (size_t)c; i < bytes; i += 3)
        counts[image->pixels[i]]++;
}

void laip_image_auto_contrast(laip_image *image)
{
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
        double scale = 255.0 / (high - low), offset = -low * scale;
        for (int v = 0; v < 256; v++) {
            double x = v * scale + offset;
            table[v] = (uint8_t)(x <= 0 ? 0 : x >= 255 ? 255 : x);
        }
        map_channel(image, c, table);
    }
}

void laip_image_equalise(laip_image *image)
{
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

void laip_image_sharpness(laip_image *image, float factor)
{
    size_t stride = 3 * (size_t)image->width, bytes = stride * (size_t)image->height;
    uint8_t *out = memcpy(laip_realloc(NULL, bytes, 1), image->pixels, bytes);
    for (int y = 1; y < image->height - 1; y++)
        for (size_t x = 3; x + 3 < stride; x++) {
            const uint8_t *p = image->pixels + (size_t)y * stride + x, *above = p - stride,
                          *below = p + stride;
            int sum = above[-3] + above[0] + above[3] + p[-3] + 5 * p[0] + p[3];
            sum += below[-3] + below[0] + below[3];
            int smooth = (2 * sum + 13) / 26; /* of thirteenths, the nearest whole level */
            out[(size_t)y * stride + x] = blend(smooth, p[0], factor);
        }
    free(image->pixels);
    image->pixels = out;
}
