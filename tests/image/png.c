/* PNG of every depth and type, written here from random values, against those values; damaged ones refused.
 */
#include "support/test.h"

#include "base/memory.h"
#include "image/internal.h"
#include "support/pictures.h"
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { PALETTE = 5 };
static const png_color palette[PALETTE] = {{255, 0, 10}, {3, 200, 4}, {9, 9, 9}, {0, 0, 255}, {17, 80, 250}};

static void add_palette(png_structp p, png_infop info)
{
    const png_byte alpha[3] = {0, 128, 255};
    int most = 1 << png_get_bit_depth(p, info);
    png_set_PLTE(p, info, palette, most < PALETTE ? most : PALETTE);
    png_set_tRNS(p, info, alpha, most < 3 ? most : 3, NULL);
    png_set_gAMA(p, info, 1.8);
}

static void add_grey_key(png_structp p, png_infop info)
{
    const png_color_16 key = {.gray = 1};
    png_set_tRNS(p, info, NULL, 0, &key);
    png_set_gAMA(p, info, 0.3);
}

static void add_colour_key(png_structp p, png_infop info)
{
    const png_color_16 key = {.red = 1, .green = 2, .blue = 3};
    png_set_tRNS(p, info, NULL, 0, &key);
    png_set_sRGB_gAMA_and_cHRM(p, info, PNG_sRGB_INTENT_PERCEPTUAL);
}

static unsigned value_at(const png_byte *row, int depth, size_t i)
{
    if (depth == 16)
        return (unsigned)row[2 * i] << 8 | row[2 * i + 1];
    size_t bit = i * (size_t)depth;
    return row[bit / 8] >> (8 - (size_t)depth - bit % 8) & ((1u << depth) - 1);
}

static unsigned to_8_bits(unsigned value, int depth)
{
    return depth == 16 ? value >> 8 : value * 255 / ((1u << depth) - 1);
}

/* What RGB pixel (x, row) should be. */
static void expected(const png_byte *row, int depth, int type, size_t x, uint8_t rgb[3])
{
    size_t channels = type == PNG_COLOR_TYPE_RGB_ALPHA    ? 4
                      : type == PNG_COLOR_TYPE_RGB        ? 3
                      : type == PNG_COLOR_TYPE_GRAY_ALPHA ? 2
                                                          : 1;
    for (size_t c = 0; c < 3; c++) {
        unsigned v = value_at(row, depth, channels * x + (channels > 2 ? c : 0));
        if (type == PNG_COLOR_TYPE_PALETTE)
            rgb[c] = c == 0 ? palette[v].red : c == 1 ? palette[v].green : palette[v].blue;
        else
            rgb[c] = (uint8_t)to_8_bits(v, depth);
    }
}

static png_bytep *random_rows(int width, int height, int depth, int type, laip_rng *r)
{
    size_t bytes = ((size_t)width * 4 * (size_t)depth + 7) / 8;
    png_bytep *rows = laip_alloc((size_t)height, sizeof *rows);
    for (int y = 0; y < height; y++) {
        rows[y] = laip_alloc(bytes, 1);
        for (size_t i = 0; i < bytes; i++)
            rows[y][i] = (png_byte)laip_rng_below(r, 256);
        for (int x = 0; type == PNG_COLOR_TYPE_PALETTE && x < width; x++) {
            /* Indices inside the palette. */
            size_t bit = (size_t)(x * depth), shift = 8 - (size_t)depth - bit % 8;
            unsigned most = (1u << depth) < PALETTE ? 1u << depth : PALETTE;
            rows[y][bit / 8] = (png_byte)((rows[y][bit / 8] & ~(((1u << depth) - 1) << shift)) |
                                          laip_rng_below(r, most) << shift);
        }
    }
    return rows;
}

static void free_rows(png_bytep *rows, int height)
{
    for (int y = 0; y < height; y++)
        free(rows[y]);
    free(rows);
}

static void check(int width, int height, int depth, int type, bool interlaced, laip_rng *r)
{
    laip_image image;
    laip_error error;
    png_bytep *rows = random_rows(width, height, depth, type, r);
    bool alpha = type & PNG_COLOR_MASK_ALPHA;
    laip_str file = laip_test_write_png(width, height, depth, type, interlaced, rows,
                                        type == PNG_COLOR_TYPE_PALETTE ? add_palette
                                        : alpha                        ? NULL
                                        : type == PNG_COLOR_TYPE_RGB   ? add_colour_key
                                                                       : add_grey_key);
    assert_ok(laip_image_decode(file.text, file.length, "made here", true, &image, &error), error);
    assert_int_equal(image.width, width);
    assert_int_equal(image.height, height);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            uint8_t rgb[3];
            expected(rows[y], depth, type, (size_t)x, rgb);
            if (memcmp(rgb, image.pixels + 3 * (y * width + x), 3) != 0)
                fail_msg("depth %d, type %d, interlaced %d: pixel (%d, %d)", depth, type, interlaced, x, y);
        }
    laip_image_free(&image);
    free_rows(rows, height);
    free(file.text);
}

static void every_kind(void **state)
{
    (void)state;
    const struct {
        int type, depths[6];
    } kinds[] = {{PNG_COLOR_TYPE_GRAY, {1, 2, 4, 8, 16}},
                 {PNG_COLOR_TYPE_PALETTE, {1, 2, 4, 8}},
                 {PNG_COLOR_TYPE_GRAY_ALPHA, {8, 16}},
                 {PNG_COLOR_TYPE_RGB, {8, 16}},
                 {PNG_COLOR_TYPE_RGB_ALPHA, {8, 16}}};
    laip_rng r = laip_rng_stream(4, 0, 0, LAIP_SITE_TEST);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (const int *depth = kinds[k].depths; *depth; depth++)
            for (int interlaced = 0; interlaced < 2; interlaced++) {
                check(13, 11, *depth, kinds[k].type, interlaced, &r);
                check(1, 1, *depth, kinds[k].type, interlaced, &r);
                check(2, 9, *depth, kinds[k].type, interlaced, &r);
            }
}

static laip_str small_png(laip_image *picture)
{
    png_bytep rows[4];
    *picture = laip_test_noise(6, 4);
    for (int y = 0; y < 4; y++)
        rows[y] = picture->pixels + 18 * y;
    return laip_test_write_png(6, 4, 8, PNG_COLOR_TYPE_RGB, false, rows, NULL);
}

static bool decode(const laip_str *file, size_t size, laip_image *image, laip_error *error)
{
    /* A copy of just these bytes: a sanitizer sees a read past them. */
    char *copy = malloc(size + 1);
    memcpy(copy, file->text, size);
    bool good = laip_image_decode(copy, size, "the name", false, image, error);
    free(copy);
    return good;
}

static void refused(const laip_str *file, size_t size, const char *why)
{
    laip_image image = {.width = 1};
    laip_error error = {0};
    if (decode(file, size, &image, &error))
        fail_msg("decoded, though %s", why);
    assert_int_equal(error.status, LAIP_BAD_INPUT);
    assert_memory_equal(error.text, "the name: ", 10);
    if (!strstr(error.text, why) || strchr(error.text, '\n'))
        fail_msg("no '%s' in '%s'", why, error.text);
    assert_null(image.pixels);
}

static void accepted(const laip_str *file, size_t size, const laip_image *picture)
{
    laip_image image;
    laip_error error;
    assert_ok(decode(file, size, &image, &error), error);
    assert_memory_equal(image.pixels, picture->pixels, 3 * 6 * 4);
    laip_image_free(&image);
}

/* Refused wherever it is cut, but that the end marker alone, 12 bytes, may be missing. */
static void truncated(void **state)
{
    (void)state;
    laip_image picture;
    laip_str file = small_png(&picture);
    for (size_t n = 0; n < file.length - 12; n++)
        refused(&file, n, n ? "" : "empty");
    for (size_t n = file.length - 12; n <= file.length; n++)
        accepted(&file, n, &picture);
    free(file.text);
    laip_image_free(&picture);
}

static void check_sums(void **state)
{
    (void)state;
    laip_image picture;
    laip_str file = small_png(&picture);
    file.text[8 + 8 + 13] ^= 1; /* IHDR's */
    refused(&file, file.length, "check sum of the IHDR");
    file.text[8 + 8 + 13] ^= 1;
    laip_test_add_chunk(&file, "IDAT", "tEXt", "a\0b", 3);
    accepted(&file, file.length, &picture);
    char *text = file.text + 8 + 25;
    text[8] ^= 1;
    refused(&file, file.length, "check sum of the tEXt chunk at byte 33");
    text[8] ^= 1;
    file.text[file.length - 12 - 1] ^= 1; /* IDAT's: the compressed data has its own */
    accepted(&file, file.length, &picture);
    file.text[file.length - 12 - 9] ^= 1; /* that one */
    laip_image image;
    laip_error error;
    if (decode(&file, file.length, &image, &error))
        laip_image_free(&image); /* the pixels were whole before it */
    free(file.text);
    laip_image_free(&picture);
}

/* keyword, what stands between it and the data, then `size` zeros, compressed. */
static laip_str packed(const char *keyword, const char *between, size_t between_size, size_t size)
{
    laip_str s = {0};
    uLongf bound = compressBound(size);
    Bytef *zeros = laip_alloc(size, 1), *data = laip_alloc(bound, 1);
    assert_int_equal(compress2(data, &bound, zeros, size, 9), Z_OK);
    laip_str_add(&s, keyword, strlen(keyword) + 1);
    laip_str_add(&s, between, between_size);
    laip_str_add(&s, (const char *)data, bound);
    free(zeros);
    free(data);
    return s;
}

static void packed_text(void **state)
{
    (void)state;
    const struct {
        const char *type, *between;
        size_t between_size;
    } kinds[] = {{"zTXt", "", 1}, {"iCCP", "", 1}, {"iTXt", "\1\0\0", 4}};
    for (size_t k = 0; k < 3; k++)
        for (int late = 0; late < 2; late++) {
            laip_image picture;
            laip_str file = small_png(&picture);
            laip_str good = packed("key", kinds[k].between, kinds[k].between_size, 1 << 20);
            laip_str bomb = packed("key", kinds[k].between, kinds[k].between_size, (1 << 20) + 1000000);
            const char *before = late ? "IEND" : "IDAT";
            laip_test_add_chunk(&file, before, kinds[k].type, good.text, good.length);
            accepted(&file, file.length, &picture);
            laip_test_add_chunk(&file, before, kinds[k].type, bomb.text, bomb.length);
            refused(&file, file.length, "unpacks to more than 1048576");
            free(file.text);
            free(good.text);
            free(bomb.text);
            laip_image_free(&picture);
        }
}

/* 65 texts of 1 MiB are more than all of them may be. */
static void all_text(void **state)
{
    (void)state;
    laip_image picture;
    laip_str file = small_png(&picture), text = packed("key", "", 1, 1 << 20);
    for (int i = 0; i < 64; i++)
        laip_test_add_chunk(&file, "IEND", "zTXt", text.text, text.length);
    accepted(&file, file.length, &picture);
    laip_test_add_chunk(&file, "IDAT", "zTXt", text.text, text.length);
    refused(&file, file.length, "more than 67108864 bytes of text");
    free(file.text);
    free(text.text);
    laip_image_free(&picture);
}

static void odd_chunks(void **state)
{
    (void)state;
    const struct {
        const char *type, *data, *why; /* why not, NULL: no matter */
        size_t size;
    } cases[] = {{"zTXt", "key\0\1xx", "unknown compression 1", 7},
                 {"iCCP", "key\0\7xx", "unknown compression 7", 7},
                 {"zTXt", "key\0\0no zlib data", NULL, 17},
                 {"zTXt", "no zero", NULL, 7},
                 {"zTXt", "key", NULL, 4},
                 {"tEXt", "no zero", NULL, 7},
                 {"tEXt", "", NULL, 0},
                 {"iTXt", "key\0\1", NULL, 5},
                 {"iTXt", "key\0\0\0lang\0no second zero", NULL, 25},
                 {"iTXt", "key\0\1\0\0\0no zlib data", NULL, 20},
                 {"eXIf", "MM", NULL, 2},
                 {"eXIf", "", NULL, 0},
                 {"prVt", "anything", NULL, 8}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        laip_image picture;
        laip_str file = small_png(&picture);
        laip_test_add_chunk(&file, "IDAT", cases[i].type, cases[i].data, cases[i].size);
        if (cases[i].why)
            refused(&file, file.length, cases[i].why);
        else
            accepted(&file, file.length, &picture);
        free(file.text);
        laip_image_free(&picture);
    }
}

static void broken(void **state)
{
    (void)state;
    laip_image picture;
    laip_str file = small_png(&picture), headless = {0};
    file.text[8 + 25 + 4] = 5; /* IDAT's name */
    refused(&file, file.length, "damaged at byte 33");
    file.text[8 + 25 + 4] = 'J';
    refused(&file, file.length, "check sum");
    file.text[8 + 25 + 4] = 'I';
    laip_str_add(&headless, file.text, 8);
    laip_str_add(&headless, file.text + 8 + 25, file.length - 8 - 25);
    refused(&headless, headless.length, "cannot be decoded");
    laip_str_add(&headless, "more", 4);
    memcpy(headless.text + 8, file.text + file.length - 12, 12);
    refused(&headless, headless.length, "no pixels");
    file.text[8 + 25 + 8 + 4] ^= 0x55; /* inside the compressed data */
    refused(&file, file.length, "");
    file.text[3] = 'g';
    refused(&file, file.length, "unknown kind");
    free(file.text);
    free(headless.text);
    laip_image_free(&picture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_kind), cmocka_unit_test(truncated),
                                       cmocka_unit_test(check_sums), cmocka_unit_test(packed_text),
                                       cmocka_unit_test(all_text),   cmocka_unit_test(odd_chunks),
                                       cmocka_unit_test(broken)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
