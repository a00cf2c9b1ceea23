/* Changes of colour, each on a few pixels worked out by hand. */
#include "support/test.h"

#include "base/memory.h"
#include "image/internal.h"
#include <stdlib.h>
#include <string.h>

static laip_image row(int width, const uint8_t *pixels)
{
    laip_image image = {.width = width, .height = 1, .pixels = laip_alloc((size_t)width, 3)};
    memcpy(image.pixels, pixels, 3 * (size_t)width);
    return image;
}

static void expect(laip_image *image, const uint8_t *pixels)
{
    for (int i = 0; i < 3 * image->width * image->height; i++)
        if (image->pixels[i] != pixels[i])
            fail_msg("value %d is %d, expected %d", i, image->pixels[i], pixels[i]);
    laip_image_free(image);
}

static const uint8_t two[] = {10, 100, 255, 30, 60, 7};

static void brightness(void **state)
{
    (void)state;
    laip_image dark = row(2, two), light = row(2, two), same = row(2, two);
    laip_image_brightness(&dark, 0.25f);
    expect(&dark, (const uint8_t[]){2, 25, 63, 7, 15, 1}); /* cut, not rounded */
    laip_image_brightness(&light, 2.5f);
    expect(&light, (const uint8_t[]){25, 250, 255, 75, 150, 17});
    laip_image_brightness(&same, 1);
    expect(&same, two);
}

/* Greys by ITU-R 601: 0.299 · 10 + 0.587 · 100 + 0.114 · 255 = 90.76 and 44.99, so 91 and 45; their mean
 * is 68. */
static void contrast(void **state)
{
    (void)state;
    laip_image none = row(2, two), less = row(2, two), more = row(2, two);
    laip_image_contrast(&none, 0);
    expect(&none, (const uint8_t[]){68, 68, 68, 68, 68, 68});
    laip_image_contrast(&less, 0.5f);
    expect(&less, (const uint8_t[]){39, 84, 161, 49, 64, 37});
    laip_image_contrast(&more, 1.5f);
    expect(&more, (const uint8_t[]){0, 116, 255, 11, 56, 0});
}

static void saturation(void **state)
{
    (void)state;
    laip_image none = row(2, two), less = row(2, two), more = row(2, two);
    laip_image_saturation(&none, 0);
    expect(&none, (const uint8_t[]){91, 91, 91, 45, 45, 45});
    laip_image_saturation(&less, 0.5f);
    expect(&less, (const uint8_t[]){50, 95, 173, 37, 52, 26});
    laip_image_saturation(&more, 1.5f);
    expect(&more, (const uint8_t[]){0, 104, 255, 22, 67, 0});
}

/* A third of the circle is 85 of its 255 steps: red to green, green to blue; greys have no hue. */
static void hue(void **state)
{
    (void)state;
    static const uint8_t in[] = {255, 0, 0, 0, 255, 0, 200, 100, 100, 70, 70, 70, 0, 0, 0};
    laip_image third = row(5, in), none = row(5, in), back = row(5, in);
    laip_image_hue(&third, 1.0 / 3);
    expect(&third, (const uint8_t[]){0, 255, 0, 0, 0, 255, 100, 200, 100, 70, 70, 70, 0, 0, 0});
    laip_image_hue(&none, 0);
    expect(&none, in);
    /* −85 wraps round 256 steps, not 255: 171 instead of 170, a little beyond blue. */
    laip_image_hue(&back, -1.0 / 3);
    expect(&back, (const uint8_t[]){6, 0, 255, 255, 0, 0, 103, 100, 200, 70, 70, 70, 0, 0, 0});
}

static void auto_contrast(void **state)
{
    (void)state;
    static const uint8_t in[] = {50, 9, 0, 100, 9, 255, 150, 9, 77};
    laip_image image = row(3, in);
    laip_image_auto_contrast(&image);
    expect(&image, (const uint8_t[]){0, 9, 0, 127, 9, 255, 255, 9, 77});
}

/* 510 pixels of 10, 255 of 20, 255 of 30: steps of (1020 − 255) / 255 = 3, beginning at half a step. */
static void equalise(void **state)
{
    (void)state;
    enum { COUNT = 1020 };
    laip_image image = {.width = COUNT, .height = 1, .pixels = laip_alloc(COUNT, 3)};
    for (int i = 0; i < COUNT; i++) {
        image.pixels[3 * i] = i < 510 ? 10 : i < 765 ? 20 : 30;
        image.pixels[3 * i + 1] = 5;
        image.pixels[3 * i + 2] = i < 510 ? 30 : i < 765 ? 20 : 10;
    }
    laip_image_equalise(&image);
    assert_int_equal(image.pixels[0], 0);
    assert_int_equal(image.pixels[3 * 600], 170);
    assert_int_equal(image.pixels[3 * 1000], 255);
    assert_int_equal(image.pixels[1], 5); /* one value only: as it was */
    assert_int_equal(image.pixels[3 * 1000 + 2], 0);
    assert_int_equal(image.pixels[3 * 600 + 2], 128); /* the most frequent last: steps of 510 / 255 = 2 */
    assert_int_equal(image.pixels[2], 255);
    laip_image_free(&image);
}

/* In the middle of 3 × 3: a sum of 8 · 26 + 5 · 130 = 858 is 66 thirteenths. */
static void sharpness(void **state)
{
    (void)state;
    const float factors[] = {0, 0.5f, 1, 1.5f};
    const int middles[] = {66, 98, 130, 162};
    for (int i = 0; i < 4; i++) {
        laip_image image = {.width = 3, .height = 3, .pixels = laip_alloc(9, 3)};
        memset(image.pixels, 26, 27);
        memset(image.pixels + 12, 130, 3);
        laip_image_sharpness(&image, factors[i]);
        for (int k = 0; k < 27; k++)
            assert_int_equal(image.pixels[k], k / 3 == 4 ? middles[i] : 26);
        laip_image_free(&image);
    }
    laip_image thin = row(2, two);
    laip_image_sharpness(&thin, 0);
    expect(&thin, two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(brightness),    cmocka_unit_test(contrast),
                                       cmocka_unit_test(saturation),    cmocka_unit_test(hue),
                                       cmocka_unit_test(auto_contrast), cmocka_unit_test(equalise),
                                       cmocka_unit_test(sharpness)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
