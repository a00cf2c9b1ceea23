/* Every picture file of the shared data against what Pillow made of it: the same pixels, or refused by both.
 */
#include "support/test.h"

#include "base/memory.h"
#include "image/image.h"
#include "support/sha256.h"
#include <jansson.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *files;

static char *path_of(const char *name)
{
    static char path[4300];
    snprintf(path, sizeof path, "%s/data/images/%s", laip_test_shared(), name);
    return path;
}

/* The values of a 16-bit grey PNG, as they are stored; free() releases them. */
static uint16_t *deep_grey(const char *path, size_t count)
{
    FILE *f = fopen(path, "rb");
    png_structp p = png_create_read_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(p);
    assert_non_null(f);
    if (setjmp(png_jmpbuf(p)))
        fail_msg("%s cannot be read", path);
    png_init_io(p, f);
    png_read_png(p, info, PNG_TRANSFORM_IDENTITY, NULL);
    size_t width = png_get_image_width(p, info), height = png_get_image_height(p, info);
    assert_int_equal(width * height, count);
    uint16_t *values = laip_alloc(count, sizeof *values);
    for (size_t i = 0; i < count; i++) {
        const png_byte *at = png_get_rows(p, info)[i / width] + 2 * (i % width);
        values[i] = (uint16_t)(at[0] << 8 | at[1]);
    }
    png_destroy_read_struct(&p, &info, NULL);
    fclose(f);
    return values;
}

/* Pillow clips 16-bit grey to 255; ours must be the high byte of what, clipped, gives Pillow's pixels. */
static bool high_bytes(const laip_image *image, const char *path, const char *sha256)
{
    size_t count = (size_t)image->width * (size_t)image->height;
    uint16_t *values = deep_grey(path, count);
    uint8_t *clipped = laip_alloc(count, 3);
    bool good = true;
    char text[65];
    for (size_t i = 0; i < 3 * count; i++) {
        uint16_t v = values[i / 3];
        clipped[i] = (uint8_t)(v > 255 ? 255 : v);
        good = good && image->pixels[i] == v >> 8;
    }
    laip_test_sha256(clipped, 3 * count, text);
    free(values);
    free(clipped);
    return good && strcmp(text, sha256) == 0;
}

static const char *text_of(const json_t *about, const char *key)
{
    const char *s = json_string_value(json_object_get(about, key));
    return s ? s : "";
}

static int side(const json_t *about, const char *key, size_t i)
{
    return (int)json_integer_value(json_array_get(json_object_get(about, key), i));
}

static bool same_pixels(const char *name, const json_t *about)
{
    laip_image image;
    laip_error error;
    char text[65];
    if (!laip_image_load(path_of(name), false, &image, &error)) {
        print_error("refused: %s\n", error.text);
        return false;
    }
    assert_int_equal(image.width, side(about, "size", 0));
    assert_int_equal(image.height, side(about, "size", 1));
    laip_test_sha256(image.pixels, 3 * (size_t)image.width * (size_t)image.height, text);
    const char *expected = text_of(about, "rgb_sha256");
    bool deep = strncmp(text_of(about, "mode"), "I;16", 4) == 0;
    bool good = deep ? high_bytes(&image, path_of(name), expected) : strcmp(text, expected) == 0;
    if (!good)
        print_error("other pixels: %s\n", name);
    laip_image_free(&image);
    return good;
}

static void pixels(void **state)
{
    (void)state;
    const char *name;
    json_t *about;
    int jpeg = 0, png = 0, wrong = 0;
    json_object_foreach(files, name, about)
    {
        bool is_jpeg = strcmp(text_of(about, "format"), "JPEG") == 0;
        bool is_png = strcmp(text_of(about, "format"), "PNG") == 0;
        if (json_object_get(about, "pil_error") || (!is_jpeg && !is_png))
            continue;
        wrong += !same_pixels(name, about);
        jpeg += is_jpeg;
        png += is_png;
    }
    print_message("%d JPEG and %d PNG files, %d of them otherwise than in Pillow\n", jpeg, png, wrong);
    assert_int_equal(wrong, 0);
    assert_true(jpeg > 100 && png > 100);
}

/* What Pillow refuses, and other formats: one line that begins with the file's name. */
static void refusals(void **state)
{
    (void)state;
    const char *name;
    json_t *about;
    int count = 0;
    json_object_foreach(files, name, about)
    {
        const char *format = text_of(about, "format");
        bool other = strcmp(format, "JPEG") != 0 && strcmp(format, "PNG") != 0;
        if (!json_object_get(about, "pil_error") && !other)
            continue;
        laip_image image;
        laip_error error;
        if (laip_image_load(path_of(name), true, &image, &error))
            fail_msg("%s was decoded, Pillow refuses it: %s", name, text_of(about, "pil_error"));
        assert_int_equal(error.status, LAIP_BAD_INPUT);
        assert_memory_equal(error.text, path_of(name), strlen(path_of(name)));
        assert_null(strchr(error.text, '\n'));
        assert_null(image.pixels);
        count++;
    }
    print_message("%d files refused\n", count);
    assert_true(count > 30);
}

/* Turned upright, pictures have the sides that Pillow gives them, and are turned at all. */
static void upright(void **state)
{
    (void)state;
    const char *name;
    json_t *about;
    int count = 0;
    json_object_foreach(files, name, about)
    {
        if (!json_object_get(about, "size_after_exif") || json_object_get(about, "pil_error"))
            continue;
        laip_image stored, turned;
        laip_error error;
        assert_ok(laip_image_load(path_of(name), false, &stored, &error), error);
        assert_ok(laip_image_load(path_of(name), true, &turned, &error), error);
        assert_int_equal(turned.width, side(about, "size_after_exif", 0));
        assert_int_equal(turned.height, side(about, "size_after_exif", 1));
        int orientation = (int)json_integer_value(json_object_get(about, "orientation"));
        size_t bytes = 3 * (size_t)stored.width * (size_t)stored.height;
        bool same = stored.width == turned.width && memcmp(stored.pixels, turned.pixels, bytes) == 0;
        if (same != (orientation < 2))
            fail_msg("%s: orientation %d", name, orientation);
        laip_image_free(&stored);
        laip_image_free(&turned);
        count++;
    }
    assert_true(count >= 27);
}

int main(void)
{
    if (!laip_test_shared()) {
        print_message("skipped: ../shared/data is not there\n");
        return 77;
    }
    json_t *info = json_load_file(path_of("info.json"), 0, NULL);
    files = json_object_get(info, "files");
    if (!files)
        return 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test(pixels), cmocka_unit_test(refusals),
                                       cmocka_unit_test(upright)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    json_decref(info);
    return failed;
}
