/* Antialiased bicubic resizing in fixed point: coefficients of 22 fractional bits, horizontal pass first, its
 * result rounded to 8 bits, then the vertical pass; as Pillow does it, so that networks see the pixels that
 * they learned on. */
#include "base/memory.h"
#include "laip/image.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BITS = 22 };

typedef struct taps {
    int *first, *count;
    int32_t *weight; /* [outputs, most] */
    int most;
} taps;

static double bicubic(double x)
{
    const double a = -0.5;
    x = fabs(x);
    if (x < 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    if (x < 2)
        return (((x - 5) * x + 8) * x - 4) * a;
    return 0;
}

static taps make_taps(int in, double start, double length, int out)
{
    double scale = length / out, filter = scale < 1 ? 1 : scale, support = 2 * filter;
    taps t = {.most = (int)ceil(support) * 2 + 1};
    t.first = laip_alloc((size_t)out, sizeof *t.first);
    t.count = laip_alloc((size_t)out, sizeof *t.count);
    t.weight = laip_alloc((size_t)out * (size_t)t.most, sizeof *t.weight);
    double *w = laip_alloc((size_t)t.most, sizeof *w);
    for (int x = 0; x < out; x++) {
        double centre = start + (x + 0.5) * scale, sum = 0;
        int first = (int)(centre - support + 0.5), last = (int)(centre + support + 0.5);
        first = first < 0 ? 0 : first;
        last = last > in ? in : last;
        for (int i = first; i < last; i++)
            sum += w[i - first] = bicubic((i - centre + 0.5) / filter);
        t.first[x] = first;
        t.count[x] = last - first;
        for (int i = 0; i < last - first; i++) {
            double value = (sum != 0 ? w[i] / sum : w[i]) * (1 << BITS);
            t.weight[x * t.most + i] = (int32_t)(value < 0 ? value - 0.5 : value + 0.5);
        }
    }
    free(w);
    return t;
}

static void free_taps(taps *t)
{
    free(t->first);
    free(t->count);
    free(t->weight);
}

static uint8_t to_byte(int32_t x)
{
    x >>= BITS;
    return (uint8_t)(x < 0 ? 0 : x > 255 ? 255 : x);
}

static void across(const uint8_t *in, const taps *t, int width, uint8_t *out)
{
    for (int x = 0; x < width; x++) {
        const int32_t *w = t->weight + x * t->most;
        const uint8_t *p = in + 3 * t->first[x];
        int32_t r = 1 << (BITS - 1), g = r, b = r;
        for (int i = 0; i < t->count[x]; i++, p += 3) {
            r += w[i] * p[0];
            g += w[i] * p[1];
            b += w[i] * p[2];
        }
        out[3 * x] = to_byte(r);
        out[3 * x + 1] = to_byte(g);
        out[3 * x + 2] = to_byte(b);
    }
}

static void down(const uint8_t *in, size_t stride, const int32_t *w, int count, int32_t *sum, uint8_t *out)
{
    for (size_t x = 0; x < stride; x++)
        sum[x] = 1 << (BITS - 1);
    for (int i = 0; i < count; i++, in += stride)
        for (size_t x = 0; x < stride; x++)
            sum[x] += w[i] * in[x];
    for (size_t x = 0; x < stride; x++)
        out[x] = to_byte(sum[x]);
}

void laip_image_resize_box(const laip_image *in, double left, double top, double width_in, double height_in,
                           int height, int width, laip_image *out)
{
    taps h = make_taps(in->width, left, width_in, width), v = make_taps(in->height, top, height_in, height);
    bool whole_x = width == in->width && left == 0 && width_in == in->width;
    bool whole_y = height == in->height && top == 0 && height_in == in->height;
    int first = v.first[0], last = v.first[height - 1] + v.count[height - 1];
    size_t stride = 3 * (size_t)width;
    uint8_t *middle = laip_alloc((size_t)(last - first), stride);
    for (int y = first; y < last; y++) {
        const uint8_t *row = in->pixels + 3 * (size_t)y * (size_t)in->width;
        if (whole_x)
            memcpy(middle + (size_t)(y - first) * stride, row, stride);
        else
            across(row, &h, width, middle + (size_t)(y - first) * stride);
    }
    *out = (laip_image){.width = width, .height = height, .pixels = laip_alloc((size_t)height, stride)};
    int32_t *sum = laip_alloc(stride, sizeof *sum);
    for (int y = 0; y < height; y++) {
        const uint8_t *from = middle + (size_t)(v.first[y] - first) * stride;
        if (whole_y)
            memcpy(out->pixels + (size_t)y * stride, middle + (size_t)(y - first) * stride, stride);
        else
            down(from, stride, v.weight + y * v.most, v.count[y], sum, out->pixels + (size_t)y * stride);
    }
    free(sum);
    free(middle);
    free_taps(&h);
    free_taps(&v);
}

void laip_image_resize(const laip_image *in, int height, int width, laip_image *out)
{
    laip_image_resize_box(in, 0, 0, in->width, in->height, height, width, out);
}
