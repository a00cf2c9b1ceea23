#include "support/test.h"

#include "base/memory.h"
#include "image/augment.h"
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 24, HEIGHT = 40, BYTES = 3 * WIDTH * HEIGHT };

/* Red grows to the right, green downwards, blue is noise. */
static laip_image picture(int width, int height)
{
    laip_image image = {.width = width, .height = height};
    laip_rng r = laip_rng_stream(5, 0, 0, LAIP_SITE_TEST);
    uint8_t *p = image.pixels = laip_alloc((size_t)width * (size_t)height, 3);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++, p += 3) {
            p[0] = (uint8_t)(40 + 160 * x / width);
            p[1] = (uint8_t)(40 + 160 * y / height);
            p[2] = (uint8_t)laip_rng_below(&r, 256);
        }
    return image;
}

static laip_image changed(const laip_augment *a, uint64_t sample)
{
    laip_rng r = laip_rng_stream(1, 2, sample, LAIP_SITE_AUGMENT);
    laip_image in = picture(50, 90), out;
    laip_augment_resize(a, &r, &in, HEIGHT, WIDTH, &out);
    laip_augment_apply(a, &r, &out);
    assert_int_equal(out.width, WIDTH);
    assert_int_equal(out.height, HEIGHT);
    laip_image_free(&in);
    return out;
}

/* Nothing asked for changes nothing and draws no number. */
static void nothing(void **state)
{
    (void)state;
    laip_augment none = {0};
    laip_image in = picture(50, 90), plain, out = changed(&none, 1);
    laip_image_resize(&in, HEIGHT, WIDTH, &plain);
    assert_memory_equal(plain.pixels, out.pixels, BYTES);
    laip_rng r = laip_rng_stream(1, 2, 3, LAIP_SITE_TEST), same = r;
    laip_augment_apply(&none, &r, &out);
    assert_memory_equal(&r, &same, sizeof r);
    laip_image_free(&in);
    laip_image_free(&plain);
    laip_image_free(&out);
}

/* Each kind alone: the same stream gives the same picture, other streams give others. */
static void each_from_its_stream(void **state)
{
    (void)state;
    const laip_augment kinds[] = {{.resized_crop = 0.5f},
                                  {.randaugment = 4, .magnitude = 7},
                                  {.jitter = 0.3f},
                                  {.hue = 0.5f},
                                  {.pad = 6},
                                  {.erasing = 1}};
    laip_augment none = {0};
    laip_image plain = changed(&none, 0);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        int differ = 0, change = 0;
        laip_image first = changed(&kinds[k], 0);
        for (uint64_t sample = 0; sample < 20; sample++) {
            laip_image a = changed(&kinds[k], sample), b = changed(&kinds[k], sample);
            assert_memory_equal(a.pixels, b.pixels, BYTES);
            differ += memcmp(a.pixels, first.pixels, BYTES) != 0;
            change += memcmp(a.pixels, plain.pixels, BYTES) != 0;
            laip_image_free(&a);
            laip_image_free(&b);
        }
        assert_true(differ >= 15);
        assert_true(change >= 12);
        laip_image_free(&first);
    }
    laip_image_free(&plain);
}

static void flips_by_its_chance(void **state)
{
    (void)state;
    laip_augment none = {0}, always = {.flip = 1}, often = {.flip = 0.25f};
    laip_image plain = changed(&none, 0), mirror = changed(&always, 0);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            assert_memory_equal(plain.pixels + 3 * (y * WIDTH + x),
                                mirror.pixels + 3 * (y * WIDTH + WIDTH - 1 - x), 3);
    int flips = 0;
    for (uint64_t sample = 0; sample < 400; sample++) {
        laip_image a = changed(&often, sample);
        flips += memcmp(a.pixels, mirror.pixels, BYTES) == 0;
        laip_image_free(&a);
    }
    assert_in_range(flips, 70, 130);
    laip_image_free(&plain);
    laip_image_free(&mirror);
}

/* pad: the picture moved by at most so many pixels, black where it was not. */
static void shifts(void **state)
{
    (void)state;
    laip_augment none = {0}, a = {.pad = 3};
    laip_image plain = changed(&none, 0);
    bool seen[7][7] = {{false}};
    for (uint64_t sample = 0; sample < 300; sample++) {
        laip_image out = changed(&a, sample);
        int found = 0;
        for (int dy = -3; dy <= 3; dy++)
            for (int dx = -3; dx <= 3; dx++) {
                bool same = true;
                for (int y = 0; y < HEIGHT && same; y++)
                    for (int x = 0; x < WIDTH && same; x++) {
                        static const uint8_t black[3] = {0, 0, 0};
                        int fx = x + dx, fy = y + dy;
                        bool inside = fx >= 0 && fy >= 0 && fx < WIDTH && fy < HEIGHT;
                        const uint8_t *from = inside ? plain.pixels + 3 * (fy * WIDTH + fx) : black;
                        same = memcmp(out.pixels + 3 * (y * WIDTH + x), from, 3) == 0;
                    }
                found += same;
                seen[dy + 3][dx + 3] |= same;
            }
        assert_int_equal(found, 1);
        laip_image_free(&out);
    }
    int places = 0;
    for (int i = 0; i < 49; i++)
        places += seen[i / 7][i % 7];
    assert_true(places >= 45);
    laip_image_free(&plain);
}

/* erasing: one rectangle of the mean colour, of 2 % to 40 % of the area. */
static void erases(void **state)
{
    (void)state;
    laip_augment none = {0}, a = {.erasing = 1};
    laip_image plain = changed(&none, 0);
    int erased = 0;
    for (uint64_t sample = 0; sample < 50; sample++) {
        laip_image out = changed(&a, sample);
        int left = WIDTH, right = -1, top = HEIGHT, bottom = -1, count = 0;
        for (int i = 0; i < WIDTH * HEIGHT; i++)
            if (memcmp(out.pixels + 3 * i, plain.pixels + 3 * i, 3) != 0) {
                static const uint8_t mean[3] = {123, 117, 104};
                assert_memory_equal(out.pixels + 3 * i, mean, 3);
                int x = i % WIDTH, y = i / WIDTH;
                left = x < left ? x : left;
                right = x > right ? x : right;
                top = y < top ? y : top;
                bottom = y > bottom ? y : bottom;
                count++;
            }
        if (right >= left) { /* else ten tries gave no rectangle that fits */
            assert_int_equal(count, (right - left + 1) * (bottom - top + 1));
            assert_in_range(count, WIDTH * HEIGHT / 50 - 12, WIDTH * HEIGHT * 2 / 5 + 40);
            erased++;
        }
        laip_image_free(&out);
    }
    assert_true(erased > 45);
    laip_image_free(&plain);
}

/* A random part keeps the directions of the gradients, and is a part: its range is smaller. */
static void parts(void **state)
{
    (void)state;
    laip_augment a = {.resized_crop = 0.4f};
    int smaller = 0;
    for (uint64_t sample = 0; sample < 50; sample++) {
        laip_image out = changed(&a, sample);
        const uint8_t *p = out.pixels;
        int across = p[3 * (WIDTH - 1)] - p[0], down = p[3 * (HEIGHT - 1) * WIDTH + 1] - p[1];
        assert_in_range(across, 60, 165);
        assert_in_range(down, 60, 165);
        smaller += across < 150 && down < 150;
        laip_image_free(&out);
    }
    assert_true(smaller > 20);
}

static void checks(void **state)
{
    (void)state;
    laip_error error;
    laip_augment good = {
        .resized_crop = 0.5f, .flip = 1, .randaugment = 2, .magnitude = 10, .jitter = 1, .pad = 9};
    assert_ok(laip_augment_check(&good, &error), error);
    const laip_augment bad[] = {{.flip = 1.5f},      {.flip = -1}, {.magnitude = 11},
                                {.resized_crop = 2}, {.pad = -1},  {.hue = 0.6f}};
    const char *const names[] = {"flip", "flip", "magnitude", "resized_crop", "pad", "hue"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(laip_augment_check(&bad[i], &error));
        assert_int_equal(error.status, LAIP_BAD_INPUT);
        assert_memory_equal(error.text, names[i], strlen(names[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing),
                                       cmocka_unit_test(each_from_its_stream),
                                       cmocka_unit_test(flips_by_its_chance),
                                       cmocka_unit_test(shifts),
                                       cmocka_unit_test(erases),
                                       cmocka_unit_test(parts),
                                       cmocka_unit_test(checks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
