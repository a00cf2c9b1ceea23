/* JPEG of every kind, written here, against the picture it was written from; damaged ones refused. */
#include "support/test.h"

#include "image/internal.h"
#include "support/pictures.h"
#include <stdlib.h>
#include <string.h>

static void decodes(const laip_str *file, laip_image *image)
{
    laip_error error;
    assert_ok(laip_image_decode(file->text, file->length, "made here", true, image, &error), error);
}

/* The largest difference from the picture, or from its green as grey. */
static int farthest(const laip_image *a, const laip_image *b, bool grey)
{
    int most = 0;
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    for (int i = 0; i < 3 * a->width * a->height; i++) {
        int d = abs(a->pixels[i] - b->pixels[grey ? i / 3 * 3 + 1 : i]);
        most = d > most ? d : most;
    }
    return most;
}

static void every_kind(void **state)
{
    (void)state;
    const laip_test_jpeg kinds[] = {
        {.across = 1},
        {.across = 2, .down = 2},
        {.across = 2, .down = 1},
        {.across = 1, .down = 2},
        {.across = 4, .down = 1},
        {.across = 4, .down = 2},
        {.across = 1, .down = 4},
        {.progressive = true},
        {.progressive = true, .across = 2, .down = 2},
        {.arithmetic = true},
        {.arithmetic = true, .progressive = true},
        {.restart = 1},
        {.restart = 7, .across = 2, .down = 2},
        {.space = JCS_RGB},
        {.space = JCS_GRAYSCALE},
        {.space = JCS_GRAYSCALE, .progressive = true},
        {.space = JCS_CMYK},
        {.space = JCS_CMYK, .no_adobe = true}, /* Adobe's polarity all the same */
        {.space = JCS_YCCK},
        {.space = JCS_YCCK, .across = 2, .down = 2},
    };
    const int sizes[][2] = {{64, 48}, {37, 53}, {1, 1}, {3, 90}, {90, 2}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        laip_image picture = laip_test_smooth(sizes[s][0], sizes[s][1]), image;
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            laip_str file = laip_test_write_jpeg(&picture, &kinds[k]);
            decodes(&file, &image);
            int most = farthest(&image, &picture, kinds[k].space == JCS_GRAYSCALE);
            int most_allowed = kinds[k].across * kinds[k].down > 1 || kinds[k].across > 1 ? 8 : 3;
            if (most > most_allowed)
                fail_msg("kind %zu at %d x %d is %d levels off", k, sizes[s][0], sizes[s][1], most);
            laip_image_free(&image);
            free(file.text);
        }
        laip_image_free(&picture);
    }
}

/* Half of the light through black ink: 128/255 of each colour. */
static void black_ink(void **state)
{
    (void)state;
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL;
    unsigned long size = 0;
    uint8_t line[4 * 8];
    laip_image image;
    laip_error error;
    c.err = jpeg_std_error(&errors);
    jpeg_create_compress(&c);
    jpeg_mem_dest(&c, &bytes, &size);
    c.image_width = c.image_height = 8;
    c.input_components = 4;
    c.in_color_space = JCS_CMYK;
    jpeg_set_defaults(&c);
    jpeg_set_quality(&c, 100, TRUE);
    jpeg_start_compress(&c, TRUE);
    for (int x = 0; x < 8; x++)
        memcpy(line + 4 * x, (const uint8_t[]){200, 100, 0, 128}, 4);
    for (int y = 0; y < 8; y++)
        jpeg_write_scanlines(&c, (JSAMPROW[]){line}, 1);
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    assert_ok(laip_image_decode(bytes, size, "ink", true, &image, &error), error);
    for (int i = 0; i < 64; i++) {
        assert_near(image.pixels[3 * i], 200 * 128 / 255.0, 1.0 / 50);
        assert_near(image.pixels[3 * i + 1], 100 * 128 / 255.0, 1.0 / 25);
        assert_in_range(image.pixels[3 * i + 2], 0, 1);
    }
    laip_image_free(&image);
    free(bytes);
}

static void refused(const void *data, size_t size, const char *what)
{
    laip_image image = {.width = 1};
    laip_error error = {0};
    if (laip_image_decode(data, size, "the name", true, &image, &error))
        fail_msg("%s was decoded", what);
    assert_int_equal(error.status, LAIP_BAD_INPUT);
    assert_memory_equal(error.text, "the name: ", 10);
    assert_null(strchr(error.text, '\n'));
    assert_null(image.pixels);
}

/* Any file that ends before its end marker is refused, wherever it ends. */
static void truncated(void **state)
{
    (void)state;
    const laip_test_jpeg kinds[] = {
        {.across = 2, .down = 2}, {.progressive = true}, {.arithmetic = true}, {.restart = 2}};
    laip_image picture = laip_test_noise(40, 40);
    for (size_t k = 0; k < 4; k++) {
        laip_str file = laip_test_write_jpeg(&picture, &kinds[k]);
        for (size_t n = 0; n < file.length; n += n + 3 < file.length - 40 ? 3 : 1) {
            /* A copy of just these bytes: a sanitizer sees a read past them. */
            char *cut = malloc(n + 1);
            memcpy(cut, file.text, n);
            refused(cut, n, "a truncated file");
            free(cut);
        }
        laip_str_add(&file, "rubbish after the end", 21);
        laip_image image;
        decodes(&file, &image);
        laip_image_free(&image);
        free(file.text);
    }
    laip_image_free(&picture);
}

/* Bytes changed inside: decoded somehow or refused, never worse. */
static void damaged(void **state)
{
    (void)state;
    laip_image picture = laip_test_noise(40, 40);
    laip_rng r = laip_rng_stream(3, 0, 0, LAIP_SITE_TEST);
    for (int k = 0; k < 2; k++) {
        laip_str file = laip_test_write_jpeg(&picture, &(laip_test_jpeg){.progressive = k});
        for (int i = 0; i < 300; i++) {
            laip_image image;
            laip_error error = {0};
            uint32_t at = 3 + laip_rng_below(&r, (uint32_t)file.length - 3);
            char old = file.text[at];
            file.text[at] = (char)laip_rng_below(&r, 256);
            if (laip_image_decode(file.text, file.length, "damaged", true, &image, &error))
                assert_true(image.pixels && image.width > 0 && image.height > 0);
            else
                assert_true(error.status == LAIP_BAD_INPUT && !image.pixels);
            laip_image_free(&image);
            file.text[at] = old;
        }
        free(file.text);
    }
    laip_image_free(&picture);
}

/* Forty bytes changed in the middle of the coded data: the picture is there, and says that it is damaged. */
static void damaged_within(void **state)
{
    (void)state;
    laip_image picture = laip_test_noise(200, 200), image;
    laip_str file = laip_test_write_jpeg(&picture, &(laip_test_jpeg){.across = 2, .down = 2});
    decodes(&file, &image);
    assert_false(image.damaged);
    laip_image_free(&image);
    for (size_t i = 0; i < 40; i++) /* all ones, which no code has */
        file.text[file.length / 2 + i] = (char)(i % 2 ? 0 : 0xff);
    laip_error error;
    assert_ok(laip_image_decode(file.text, file.length, "damaged", true, &image, &error), error);
    assert_true(image.damaged);
    laip_image_free(&image);
    laip_image_free(&picture);
    free(file.text);
}

/* A header of 65000 × 65000 pixels is refused by its size, before anything is allocated for them. */
static void huge(void **state)
{
    (void)state;
    laip_image picture = laip_test_smooth(16, 16), image;
    laip_str file = laip_test_write_jpeg(&picture, &(laip_test_jpeg){.progressive = true});
    char *frame = NULL;
    laip_error error;
    for (size_t i = 0; i + 9 < file.length && !frame; i++)
        if (memcmp(file.text + i, "\xff\xc2", 2) == 0)
            frame = file.text + i;
    assert_non_null(frame);
    memcpy(frame + 5, "\xfd\xe8\xfd\xe8", 4);
    assert_false(laip_image_decode(file.text, file.length, "huge", true, &image, &error));
    assert_string_equal(error.text, "huge: is 65000 x 65000 pixels, expected 1 to 178956970 in all");
    laip_image_free(&picture);
    free(file.text);
}

/* Thousands of scans that bring nothing are not gone through. */
static void scans(void **state)
{
    (void)state;
    laip_image picture = laip_test_smooth(16, 16);
    laip_str file = laip_test_write_jpeg(&picture, &(laip_test_jpeg){.progressive = true}), many = {0};
    size_t begin = 0;
    for (size_t i = file.length - 12; i > 0 && !begin; i--)
        if (memcmp(file.text + i, "\xff\xda", 2) == 0)
            begin = i; /* the last scan refines: it may not come twice, but the library only warns */
    laip_str_add(&many, file.text, begin);
    for (int i = 0; i < 600; i++)
        laip_str_add(&many, file.text + begin, file.length - 2 - begin);
    laip_str_add(&many, "\xff\xd9", 2);
    refused(many.text, many.length, "a file of 600 scans");
    free(file.text);
    free(many.text);
    laip_image_free(&picture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_kind),     cmocka_unit_test(black_ink),
                                       cmocka_unit_test(truncated),      cmocka_unit_test(damaged),
                                       cmocka_unit_test(damaged_within), cmocka_unit_test(huge),
                                       cmocka_unit_test(scans)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
