/* Resizing against the same filter in double precision, and the planes that the encoder takes. */
#include "support/test.h"

#include "base/memory.h"
#include "image/image.h"
#include "support/pictures.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Keys' cubic with a = −1/2, stretched to `scale` input pixels when reducing; weights of the n inputs. */
static void weights(int n, double start, double length, int out, int x, double *w)
{
    double scale = length / out, stretch = fmax(scale, 1), sum = 0, centre = start + (x + 0.5) * scale;
    for (int i = 0; i < n; i++) {
        double t = fabs((i + 0.5 - centre) / stretch), cube = t * t * t;
        /* The window ends at whole pixels. */
        bool inside = i >= (int)fmax(centre - 2 * stretch + 0.5, 0) && i < (int)(centre + 2 * stretch + 0.5);
        w[i] = !inside ? 0
               : t < 1 ? 1.5 * cube - 2.5 * t * t + 1
               : t < 2 ? -0.5 * cube + 2.5 * t * t - 4 * t + 2
                       : 0;
        sum += w[i];
    }
    for (int i = 0; i < n; i++)
        w[i] /= sum;
}

static double level(double x)
{
    return floor(fmin(fmax(x, 0), 255) + 0.5);
}

/* One pass: `lines` lines of n values, `step` apart, `next` from line to line. */
static double *pass(const double *in, int n, double start, double length, int out, int lines, bool across)
{
    double *result = laip_alloc((size_t)(out * lines) * 3, sizeof *result),
           *w = laip_alloc((size_t)n, sizeof *w);
    for (int x = 0; x < out; x++) {
        weights(n, start, length, out, x, w);
        for (int line = 0; line < lines; line++)
            for (int c = 0; c < 3; c++) {
                double sum = 0;
                for (int i = 0; i < n; i++)
                    sum += w[i] * in[3 * (across ? line * n + i : i * lines + line) + c];
                result[3 * (across ? line * out + x : x * lines + line) + c] = level(sum);
            }
    }
    free(w);
    return result;
}

typedef struct box {
    double left, top, width, height;
} box;

static double *reference(const laip_image *in, box b, int height, int width)
{
    size_t count = (size_t)(in->width * in->height) * 3;
    double *values = laip_alloc(count, sizeof *values), *middle, *result;
    for (size_t i = 0; i < count; i++)
        values[i] = in->pixels[i];
    bool rows_first = height < in->height && in->height - height > 2 * (in->width - width);
    if (rows_first) {
        middle = pass(values, in->height, b.top, b.height, height, in->width, false);
        result = pass(middle, in->width, b.left, b.width, width, height, true);
    } else {
        middle = pass(values, in->width, b.left, b.width, width, in->height, true);
        result = pass(middle, in->height, b.top, b.height, height, width, false);
    }
    free(values);
    free(middle);
    return result;
}

static void compare(const laip_image *in, box b, int height, int width)
{
    laip_image out;
    int equal = 0, count = 3 * height * width;
    double *expected = reference(in, b, height, width);
    laip_image_resize_box(in, b.left, b.top, b.width, b.height, height, width, &out);
    assert_int_equal(out.height, height);
    assert_int_equal(out.width, width);
    for (int i = 0; i < count; i++) {
        double d = fabs(out.pixels[i] - expected[i]);
        if (d > 1)
            fail_msg("%d x %d to %d x %d: value %d is %d, expected %g", in->width, in->height, width, height,
                     i, out.pixels[i], expected[i]);
        equal += d == 0;
    }
    if (equal < count * 0.99 - 1)
        fail_msg("%d x %d to %d x %d: %d of %d equal", in->width, in->height, width, height, equal, count);
    laip_image_free(&out);
    free(expected);
}

static void every_direction(void **state)
{
    (void)state;
    const int sizes[][4] = {{40, 60, 20, 30}, {40, 60, 64, 24}, {40, 60, 17, 90}, {40, 60, 90, 100},
                            {40, 60, 40, 20}, {40, 60, 13, 60}, {3, 50, 5, 7},    {1, 1, 4, 4},
                            {50, 3, 7, 5},    {16, 16, 15, 15}, {17, 33, 1, 1},   {5, 100, 3, 2},
                            {100, 5, 2, 3},   {34, 51, 31, 33}, {54, 19, 43, 9}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        laip_image in = laip_test_noise(sizes[i][0], sizes[i][1]);
        compare(&in, (box){0, 0, in.width, in.height}, sizes[i][3], sizes[i][2]);
        laip_image_free(&in);
    }
}

static void boxes(void **state)
{
    (void)state;
    laip_image in = laip_test_noise(48, 37);
    const box all[] = {{3, 5, 20, 30}, {0.25, 0.5, 31.7, 22.3}, {40, 30, 8, 7},
                       {10, 10, 1, 1}, {0, 7, 48, 20},          {9, 0, 30, 37}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        compare(&in, all[i], 20, 25);
        compare(&in, all[i], 50, 64);
        compare(&in, all[i], 20, 30);
    }
    laip_image_free(&in);
}

/* Pillow 12 always takes columns first, 13 rows where that takes away more than twice as many of them. */
static void order_of_passes(void **state)
{
    (void)state;
    const int sizes[][4] = {{60, 180, 30, 20}, {40, 60, 20, 50}, {30, 90, 60, 12}};
    const bool rows_first[] = {true, false, true};
    for (size_t i = 0; i < 3; i++) {
        int w = sizes[i][2], h = sizes[i][3];
        laip_image in = laip_test_noise(sizes[i][0], sizes[i][1]), middle, columns, rows, as12, as13;
        size_t bytes = 3 * (size_t)w * (size_t)h;
        laip_image_resize(&in, in.height, w, &middle);
        laip_image_resize(&middle, h, w, &columns);
        laip_image_free(&middle);
        laip_image_resize(&in, h, in.width, &middle);
        laip_image_resize(&middle, h, w, &rows);
        laip_image_free(&middle);
        laip_image_resize_as(LAIP_PILLOW_12, &in, 0, 0, in.width, in.height, h, w, &as12);
        laip_image_resize_as(LAIP_PILLOW_13, &in, 0, 0, in.width, in.height, h, w, &as13);
        assert_int_not_equal(memcmp(columns.pixels, rows.pixels, bytes), 0);
        assert_memory_equal(as12.pixels, columns.pixels, bytes);
        assert_memory_equal(as13.pixels, rows_first[i] ? rows.pixels : columns.pixels, bytes);
        laip_image *all[] = {&in, &columns, &rows, &as12, &as13};
        for (int k = 0; k < 5; k++)
            laip_image_free(all[k]);
    }
}

/* The whole picture at its own size, and a part of whole pixels at its own size, are copies. */
static void copies(void **state)
{
    (void)state;
    laip_image in = laip_test_noise(30, 20), whole, part;
    laip_image_resize(&in, 20, 30, &whole);
    assert_memory_equal(whole.pixels, in.pixels, 3 * 600);
    laip_image_resize_box(&in, 4, 3, 20, 10, 10, 20, &part);
    for (int y = 0; y < 10; y++)
        assert_memory_equal(part.pixels + 60 * y, in.pixels + 3 * (30 * (y + 3) + 4), 60);
    laip_image_free(&in);
    laip_image_free(&whole);
    laip_image_free(&part);
}

/* One colour stays that colour, the two ends of the range among them. */
static void flat(void **state)
{
    (void)state;
    for (int v = 0; v < 256; v += 51) {
        laip_image in = {.width = 41, .height = 29, .pixels = laip_alloc(41 * 29, 3)}, out;
        memset(in.pixels, v, 3 * 41 * 29);
        laip_image_resize(&in, 60, 17, &out);
        for (int i = 0; i < 3 * 60 * 17; i++)
            assert_int_equal(out.pixels[i], v);
        laip_image_free(&in);
        laip_image_free(&out);
    }
}

static void planes(void **state)
{
    (void)state;
    static const double mean[3] = {0.48145466, 0.4578275, 0.40821073};
    static const double deviation[3] = {0.26862954, 0.26130258, 0.27577711};
    laip_image in = laip_test_noise(20, 30);
    float *out = laip_alloc(3 * 600, sizeof *out);
    laip_image_normalise(&in, out);
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < 600; i++)
            assert_near((double)out[600 * c + i], (in.pixels[3 * i + c] / 255.0 - mean[c]) / deviation[c],
                        1e-6);
    free(out);
    laip_image_free(&in);
}

static void flip(void **state)
{
    (void)state;
    for (int width = 1; width < 5; width++) {
        laip_image in = laip_test_noise(width, 3), out = laip_test_noise(width, 3);
        laip_image_flip(&out);
        for (int i = 0; i < 3 * width; i++)
            assert_memory_equal(out.pixels + 3 * i,
                                in.pixels + 3 * (i / width * width + width - 1 - i % width), 3);
        laip_image_free(&in);
        laip_image_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_direction), cmocka_unit_test(boxes),
                                       cmocka_unit_test(copies),          cmocka_unit_test(flat),
                                       cmocka_unit_test(planes),          cmocka_unit_test(flip),
                                       cmocka_unit_test(order_of_passes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
