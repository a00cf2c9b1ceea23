/* RandAugment's geometry against a mapping of our own, and how it draws. */
#include "support/test.h"

#include "base/memory.h"
#include "image/internal.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static laip_image noise(int width, int height)
{
    laip_image image = {.width = width, .height = height, .pixels = laip_alloc((size_t)(width * height), 3)};
    laip_rng r = laip_rng_stream(9, 0, 0, LAIP_SITE_TEST);
    for (int i = 0; i < 3 * width * height; i++)
        image.pixels[i] = (uint8_t)(20 + laip_rng_below(&r, 200));
    return image;
}

static double at(const laip_image *image, double x, double y, int c)
{
    bool inside = x >= 0 && y >= 0 && x < image->width && y < image->height;
    return inside ? image->pixels[3 * ((int)y * image->width + (int)x) + c] : 128;
}

/* Bilinear value at (x, y). */
static double between(const laip_image *image, double x, double y, int c)
{
    double sum = 0;
    for (int dy = 0; dy < 2; dy++)
        for (int dx = 0; dx < 2; dx++) {
            double px = floor(x) + dx, py = floor(y) + dy;
            sum += (1 - fabs(x - px)) * (1 - fabs(y - py)) * at(image, px, py, c);
        }
    return sum;
}

/* forward takes where a pixel is to where it goes: [a b c; d e f].  The result must be its inverse, looked
 * up. */
static void check(laip_randaugment_op op, double strength, const double forward[6])
{
    laip_image in = noise(23, 31), out = noise(23, 31);
    double determinant = forward[0] * forward[4] - forward[1] * forward[3];
    laip_randaugment_do(&out, op, strength);
    for (int y = 0; y < in.height; y++)
        for (int x = 0; x < in.width; x++) {
            double u = x - forward[2], v = y - forward[5];
            double from_x = (forward[4] * u - forward[1] * v) / determinant;
            double from_y = (forward[0] * v - forward[3] * u) / determinant;
            for (int c = 0; c < 3; c++) {
                double expected = between(&in, from_x, from_y, c);
                double got = out.pixels[3 * (y * in.width + x) + c];
                if (fabs(got - expected) > 0.5 + 1e-6)
                    fail_msg("operation %d, (%d, %d): %g, expected %g", (int)op, x, y, got, expected);
            }
        }
    laip_image_free(&in);
    laip_image_free(&out);
}

static void geometry(void **state)
{
    (void)state;
    const double strengths[] = {0.7, -0.7, 0.3, 1, 0};
    for (int i = 0; i < 5; i++) {
        double s = strengths[i], angle = s * acos(-1) / 6, c = cos(angle), d = sin(angle), x = 11.5, y = 15.5;
        check(LAIP_RA_SHEAR_X, s, (const double[]){1, 0.3 * s, 0, 0, 1, 0});
        check(LAIP_RA_SHEAR_Y, s, (const double[]){1, 0, 0, 0.3 * s, 1, 0});
        check(LAIP_RA_TRANSLATE_X, s, (const double[]){1, 0, -10 * s, 0, 1, 0});
        check(LAIP_RA_TRANSLATE_Y, s, (const double[]){1, 0, 0, 0, 1, -10 * s});
        /* Counter-clockwise with y downwards, the middle staying where it is. */
        check(LAIP_RA_ROTATE, s, (const double[]){c, d, (1 - c) * x - d * y, -d, c, d * x + (1 - c) * y});
    }
}

/* Whole pixels: three to the left; a quarter turn to the left. */
static void by_hand(void **state)
{
    (void)state;
    laip_image in = noise(4, 4), moved = noise(4, 4), turned = noise(4, 4);
    laip_randaugment_do(&moved, LAIP_RA_TRANSLATE_X, 0.3);
    laip_randaugment_do(&turned, LAIP_RA_ROTATE, 3);
    for (int y = 0; y < 4; y++)
        for (int x = 0; x < 4; x++) {
            assert_int_equal(moved.pixels[3 * (4 * y + x)], x < 1 ? in.pixels[3 * (4 * y + x + 3)] : 128);
            assert_int_equal(turned.pixels[3 * (4 * y + x)], y > 0 ? in.pixels[3 * (4 * x + 4 - y)] : 128);
        }
    laip_image_free(&in);
    laip_image_free(&moved);
    laip_image_free(&turned);
}

/* One operation a call: half of the calls do nothing, nor does identity; each of the other nine, of either
 * sign where it has one, happens about as often as it should. */
static void draws(void **state)
{
    (void)state;
    enum { CALLS = 6000, KINDS = 14 };
    laip_image in = noise(20, 30), kinds[KINDS];
    int counts[KINDS] = {0}, same = 0, other = 0;
    for (int k = 0; k < KINDS; k++) {
        bool minus = k >= 9;
        kinds[k] = noise(20, 30);
        laip_randaugment_do(&kinds[k], (laip_randaugment_op)(minus ? k - 9 + LAIP_RA_FIRST_SIGNED : k + 1),
                            0.1 * (minus ? -7 : 7));
    }
    for (uint64_t call = 0; call < CALLS; call++) {
        laip_image image = noise(20, 30);
        laip_rng r = laip_rng_stream(1, 2, call, LAIP_SITE_AUGMENT);
        int k = 0;
        laip_randaugment(&image, 1, 7, &r);
        while (k < KINDS && memcmp(image.pixels, kinds[k].pixels, 3 * 600) != 0)
            k++;
        if (k < KINDS)
            counts[k]++;
        else if (memcmp(image.pixels, in.pixels, 3 * 600) == 0)
            same++;
        else
            other++;
        laip_image_free(&image);
    }
    assert_int_equal(other, 0);
    assert_in_range(same, CALLS * 53 / 100, CALLS * 57 / 100); /* 1/2 + 1/2 · 1/10 */
    for (int k = 0; k < KINDS; k++) {
        int expected = k < 4 ? CALLS / 20 : CALLS / 40;
        assert_in_range(counts[k], expected * 3 / 4, expected * 5 / 4);
        laip_image_free(&kinds[k]);
    }
    laip_image_free(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(geometry), cmocka_unit_test(by_hand),
                                       cmocka_unit_test(draws)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
