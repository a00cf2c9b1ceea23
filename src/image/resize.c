/* Antialiased bicubic resizing in fixed point: coefficients of 22 fractional bits, two passes, the first
 * one's result rounded to 8 bits; as Pillow does it, so that networks see the pixels that they learned on.
 *
 * Both passes are one kernel, which adds up weighted runs of LANES bytes: a run is a piece of a row for the
 * vertical pass; for the horizontal pass, the same column of LANES / 3 rows, laid side by side first. */
#include "base/memory.h"
#include "image/image.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BITS = 22, LANES = 48, ROWS = LANES / 3 };

/* Compiled once more for a processor with wider vectors, where the system can choose at start: before
 * ThreadSanitizer, which sees the choice, has begun. */
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__SANITIZE_THREAD__)
#define LAIP_WIDE __attribute__((target_clones("avx2", "default")))
#else
#define LAIP_WIDE
#endif

typedef struct taps {
    int *first, *count;
    int32_t *weight; /* [outputs, most] */
    int outputs, most;
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
    taps t = {.outputs = out, .most = (int)ceil(support) * 2 + 1};
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
            t.weight[(size_t)x * (size_t)t.most + (size_t)i] =
                (int32_t)(value < 0 ? value - 0.5 : value + 0.5);
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

/* out[k] = Σ_i w[i] in[i stride + k] for LANES bytes k, rounded and clamped. */
static inline void add_run(const uint8_t *in, size_t stride, const int32_t *w, int count, uint8_t *out)
{
    int32_t sum[LANES];
    for (int k = 0; k < LANES; k++)
        sum[k] = 1 << (BITS - 1);
    for (int i = 0; i < count; i++, in += stride)
        for (int k = 0; k < LANES; k++)
            sum[k] += w[i] * in[k];
    for (int k = 0; k < LANES; k++) {
        int32_t v = sum[k] >> BITS;
        out[k] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
    }
}

/* One row of `bytes` bytes (LANES at least) from `count` rows; the last run may overlap the one before. */
LAIP_WIDE static void add_rows(const uint8_t *in, size_t bytes, const int32_t *w, int count, uint8_t *out)
{
    for (size_t k = 0; k + LANES <= bytes; k += LANES)
        add_run(in + k, bytes, w, count, out + k);
    if (bytes % LANES)
        add_run(in + bytes - LANES, bytes, w, count, out + bytes - LANES);
}

/* columns [outputs, LANES] from columns of the same width. */
LAIP_WIDE static void add_columns(const uint8_t *in, const taps *t, uint8_t *out)
{
    for (int x = 0; x < t->outputs; x++)
        add_run(in + (size_t)t->first[x] * LANES, LANES, t->weight + (size_t)x * (size_t)t->most, t->count[x],
                out + (size_t)x * LANES);
}

/* Fewer bytes in a row than a run has. */
static void add_narrow(const uint8_t *in, size_t bytes, const int32_t *w, int count, uint8_t *out)
{
    for (size_t k = 0; k < bytes; k++) {
        int32_t sum = 1 << (BITS - 1);
        for (int i = 0; i < count; i++)
            sum += w[i] * in[(size_t)i * bytes + k];
        sum >>= BITS;
        out[k] = (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
    }
}

/* Rows first[0] to the end of the last tap, numbered from `from`, to t->outputs rows. */
static uint8_t *vertical(const uint8_t *in, int from, int width, const taps *t)
{
    size_t bytes = 3 * (size_t)width;
    uint8_t *out = laip_realloc(NULL, (size_t)t->outputs, bytes);
    for (int y = 0; y < t->outputs; y++) {
        const uint8_t *rows = in + (size_t)(t->first[y] - from) * bytes;
        const int32_t *w = t->weight + (size_t)y * (size_t)t->most;
        (bytes < LANES ? add_narrow : add_rows)(rows, bytes, w, t->count[y], out + (size_t)y * bytes);
    }
    return out;
}

static void to_columns(const uint8_t *in, size_t stride, int width, int rows, uint8_t *columns)
{
    for (int y = 0; y < rows; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < 3; c++)
                columns[(size_t)x * LANES + (size_t)(3 * y + c)] =
                    in[(size_t)y * stride + (size_t)(3 * x + c)];
}

static void from_columns(const uint8_t *columns, size_t stride, int width, int rows, uint8_t *out)
{
    for (int y = 0; y < rows; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < 3; c++)
                out[(size_t)y * stride + (size_t)(3 * x + c)] =
                    columns[(size_t)x * LANES + (size_t)(3 * y + c)];
}

/* `height` rows of `width` pixels to as many of t->outputs. */
static uint8_t *horizontal(const uint8_t *in, int width, int height, const taps *t)
{
    size_t stride_in = 3 * (size_t)width, stride_out = 3 * (size_t)t->outputs;
    uint8_t *out = laip_realloc(NULL, (size_t)height, stride_out);
    uint8_t *columns = laip_alloc((size_t)width + (size_t)t->outputs, LANES);
    uint8_t *results = columns + (size_t)width * LANES;
    for (int y = 0; y < height; y += ROWS) {
        int rows = height - y < ROWS ? height - y : ROWS;
        to_columns(in + (size_t)y * stride_in, stride_in, width, rows, columns);
        add_columns(columns, t, results);
        from_columns(results, stride_out, t->outputs, rows, out + (size_t)y * stride_out);
    }
    free(columns);
    return out;
}

/* The order of the passes changes the rounding, so it is Pillow's. */
static bool rows_first(laip_pillow pillow, const laip_image *in, int height, int width)
{
    return pillow == LAIP_PILLOW_13 && height < in->height &&
           (int64_t)in->height - height > 2 * ((int64_t)in->width - width);
}

void laip_image_resize_as(laip_pillow pillow, const laip_image *in, double left, double top, double width_in,
                          double height_in, int height, int width, laip_image *out)
{
    taps h = make_taps(in->width, left, width_in, width), v = make_taps(in->height, top, height_in, height);
    bool across = !(width == in->width && left == 0 && width_in == in->width);
    bool down = !(height == in->height && top == 0 && height_in == in->height);
    int from = v.first[0], to = v.first[height - 1] + v.count[height - 1];
    const uint8_t *pixels = in->pixels;
    uint8_t *middle = NULL, *result = NULL;
    if (across && down && rows_first(pillow, in, height, width)) {
        middle = vertical(pixels + 3 * (size_t)from * (size_t)in->width, from, in->width, &v);
        result = horizontal(middle, in->width, height, &h);
    } else if (across && down) {
        middle = horizontal(pixels + 3 * (size_t)from * (size_t)in->width, in->width, to - from, &h);
        result = vertical(middle, from, width, &v);
    } else if (across)
        result = horizontal(pixels, in->width, height, &h);
    else if (down)
        result = vertical(pixels, 0, width, &v);
    else
        result = memcpy(laip_realloc(NULL, (size_t)height, 3 * (size_t)width), pixels,
                        3 * (size_t)height * (size_t)width);
    *out = (laip_image){.width = width, .height = height, .pixels = result};
    free(middle);
    free_taps(&h);
    free_taps(&v);
}

void laip_image_resize_box(const laip_image *in, double left, double top, double width_in, double height_in,
                           int height, int width, laip_image *out)
{
    laip_image_resize_as(LAIP_PILLOW_13, in, left, top, width_in, height_in, height, width, out);
}

void laip_image_resize(const laip_image *in, int height, int width, laip_image *out)
{
    laip_image_resize_box(in, 0, 0, in->width, in->height, height, width, out);
}
