/* Pictures turned upright by what EXIF, XMP and ImageMagick's text say, in JPEG and PNG. */
#include "support/test.h"

#include "base/memory.h"
#include "image/internal.h"
#include "support/pictures.h"
#include <stdlib.h>
#include <string.h>

/* EXIF's own definition: which side of the scene the stored row 0 is, and which the stored column 0. */
static const struct {
    char row, column;
} sides[9] = {{0},        {'t', 'l'}, {'t', 'r'}, {'b', 'r'}, {'b', 'l'},
              {'l', 't'}, {'r', 't'}, {'r', 'b'}, {'l', 'b'}};

/* Where in the scene (width × height) the stored pixel (row, column) is. */
static size_t place(int orientation, int row, int column, int width, int height)
{
    const char names[2] = {sides[orientation].row, sides[orientation].column};
    const int distances[2] = {row, column};
    int x = 0, y = 0;
    for (int i = 0; i < 2; i++)
        switch (names[i]) {
        case 't':
            y = distances[i];
            break;
        case 'b':
            y = height - 1 - distances[i];
            break;
        case 'l':
            x = distances[i];
            break;
        default:
            x = width - 1 - distances[i];
        }
    return (size_t)(y * width + x);
}

static void is_turned(const laip_image *stored, const laip_image *turned, int orientation)
{
    bool swaps = orientation >= 5;
    assert_int_equal(turned->width, swaps ? stored->height : stored->width);
    assert_int_equal(turned->height, swaps ? stored->width : stored->height);
    for (int row = 0; row < stored->height; row++)
        for (int column = 0; column < stored->width; column++) {
            size_t to = place(orientation, row, column, turned->width, turned->height);
            assert_memory_equal(stored->pixels + 3 * (row * stored->width + column), turned->pixels + 3 * to,
                                3);
        }
}

static void check(const laip_str *file, int orientation)
{
    laip_image stored, turned, back;
    laip_error error;
    assert_ok(laip_image_decode(file->text, file->length, "made here", false, &stored, &error), error);
    assert_ok(laip_image_decode(file->text, file->length, "made here", true, &turned, &error), error);
    assert_int_equal(stored.width, 7);
    is_turned(&stored, &turned, orientation);
    assert_int_equal(stored.orientation, orientation);
    laip_image_as_stored(&turned, &back);
    assert_int_equal(back.width, stored.width);
    assert_memory_equal(back.pixels, stored.pixels, 3 * stored.width * stored.height);
    laip_image_free(&back);
    laip_image_free(&stored);
    laip_image_free(&turned);
}

static laip_str jpeg_with(const void *app1, size_t size)
{
    laip_image picture = laip_test_noise(7, 5);
    laip_str file =
        laip_test_write_jpeg(&picture, &(laip_test_jpeg){.app1 = app1, .app1_size = (unsigned)size});
    laip_image_free(&picture);
    return file;
}

static laip_str png_with(const char *before, const char *type, const void *data, size_t size)
{
    laip_image picture = laip_test_noise(7, 5);
    png_bytep rows[5];
    for (int y = 0; y < 5; y++)
        rows[y] = picture.pixels + 21 * y;
    laip_str file = laip_test_write_png(7, 5, 8, PNG_COLOR_TYPE_RGB, false, rows, NULL);
    laip_test_add_chunk(&file, before, type, data, size);
    laip_image_free(&picture);
    return file;
}

static void by_exif(void **state)
{
    (void)state;
    for (int orientation = 0; orientation <= 9; orientation++)
        for (int big = 0; big < 2; big++) {
            uint8_t marker[32] = "Exif";
            int expected = orientation >= 1 && orientation <= 8 ? orientation : 1;
            laip_test_exif(marker + 6, orientation, big);
            laip_str jpeg = jpeg_with(marker, sizeof marker);
            laip_str early = png_with("IDAT", "eXIf", marker + 6, 26),
                     late = png_with("IEND", "eXIf", marker + 6, 26);
            check(&jpeg, expected);
            check(&early, expected);
            check(&late, expected);
            free(jpeg.text);
            free(early.text);
            free(late.text);
        }
}

static void by_xmp(void **state)
{
    (void)state;
    static const char *const packets[] = {"<x tiff:Orientation=\"6\"/>",
                                          "<tiff:Orientation>6</tiff:Orientation>",
                                          "tiff:Orientation tiff:Orientation=\"6\""};
    static const char *const none[] = {"<x tiff:Orientation='6'/>", "tiff:Orientation=\"",
                                       "tiff:Orientation>x", "tiff:Orientation=\"0\"", ""};
    static const char head[] = "http://ns.adobe.com/xap/1.0/", key[] = "XML:com.adobe.xmp\0\0\0\0";
    for (size_t i = 0; i < 8; i++) {
        const char *packet = i < 3 ? packets[i] : none[i - 3];
        laip_str marker = {0}, text = {0};
        laip_str_add(&marker, head, sizeof head);
        laip_str_adds(&marker, packet);
        laip_str_add(&text, key, sizeof key);
        laip_str_adds(&text, packet);
        laip_str jpeg = jpeg_with(marker.text, marker.length),
                 png = png_with("IDAT", "iTXt", text.text, text.length);
        check(&jpeg, i < 3 ? 6 : 1);
        check(&png, i < 3 ? 6 : 1);
        free(jpeg.text);
        free(png.text);
        free(marker.text);
        free(text.text);
    }
}

/* "exif", the size, then EXIF in hexadecimal digits over several lines; with and without its own head. */
static void by_text(void **state)
{
    (void)state;
    static const char with_head[] = "Raw profile type exif\0\nexif\n      32\n457869660000"
                                    "4d4d002a000000080001\n011200030000000100080000\n00000000\n";
    static const char without[] = "Raw profile type exif\0\nexif\n      26\n"
                                  "4D4D002A000000080001\n011200030000000100080000\n00000000\n";
    laip_str file = png_with("IDAT", "tEXt", with_head, sizeof with_head - 1);
    check(&file, 8);
    free(file.text);
    file = png_with("IEND", "tEXt", without, sizeof without - 1);
    check(&file, 8);
    /* A chunk of EXIF goes before it. */
    uint8_t exif[26];
    laip_test_exif(exif, 3, true);
    laip_test_add_chunk(&file, "IDAT", "eXIf", exif, sizeof exif);
    check(&file, 3);
    free(file.text);
}

/* Blocks that state nothing, or lie about where it is. */
static void no_orientation(void **state)
{
    (void)state;
    uint8_t exif[26];
    for (size_t n = 0; n < 20; n++) {
        laip_test_exif(exif, 6, true);
        uint8_t *cut = malloc(n + 1);
        memcpy(cut, exif, n);
        assert_int_equal(laip_exif_orientation(cut, n), 0);
        free(cut);
    }
    laip_test_exif(exif, 6, false);
    assert_int_equal(laip_exif_orientation(exif, 26), 6);
    exif[4] = 200; /* the directory beyond the end */
    assert_int_equal(laip_exif_orientation(exif, 26), 0);
    laip_test_exif(exif, 6, true);
    exif[11] = 0x13; /* another tag */
    assert_int_equal(laip_exif_orientation(exif, 26), 0);
    laip_test_exif(exif, 6, true);
    exif[13] = 4; /* a LONG: its value is four bytes */
    assert_int_equal(laip_exif_orientation(exif, 26), 1);
    memcpy(exif + 18, (const uint8_t[]){0, 0, 0, 5}, 4);
    assert_int_equal(laip_exif_orientation(exif, 26), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(by_exif), cmocka_unit_test(by_xmp),
                                       cmocka_unit_test(by_text), cmocka_unit_test(no_orientation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
