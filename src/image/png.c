/* PNG by libpng. */
#include "base/memory.h"
#include "image/internal.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

typedef struct source {
    const uint8_t *data;
    size_t size, at;
    char text[200];
} source;

static void fail(png_structp p, png_const_charp text)
{
    source *s = png_get_error_ptr(p);
    strncpy(s->text, text, sizeof s->text - 1);
    longjmp(png_jmpbuf(p), 1);
}

static void warn(png_structp p, png_const_charp text)
{
    (void)p;
    (void)text;
}

static void take(png_structp p, png_bytep to, size_t count)
{
    source *s = png_get_io_ptr(p);
    if (count > s->size - s->at)
        png_error(p, "the file ends too soon");
    memcpy(to, s->data + s->at, count);
    s->at += count;
}

static bool decode(png_structp p, png_infop info, const char *name, laip_image *image, png_bytep **rows,
                   laip_error *error)
{
    png_read_info(p, info);
    size_t width = png_get_image_width(p, info), height = png_get_image_height(p, info);
    if (!laip_image_size_ok(name, width, height, error))
        return false;
    int depth = png_get_bit_depth(p, info), type = png_get_color_type(p, info);
    if (type == PNG_COLOR_TYPE_PALETTE)
        png_set_palette_to_rgb(p);
    if (type == PNG_COLOR_TYPE_GRAY && depth < 8)
        png_set_expand_gray_1_2_4_to_8(p);
    if (depth == 16)
        png_set_strip_16(p);
    if (!(type & PNG_COLOR_MASK_COLOR))
        png_set_gray_to_rgb(p);
    png_set_strip_alpha(p);
    png_set_interlace_handling(p);
    png_read_update_info(p, info);
    if (png_get_rowbytes(p, info) != 3 * width)
        png_error(p, "its rows are not of three bytes a pixel");
    image->width = (int)width;
    image->height = (int)height;
    image->pixels = laip_alloc(width * height, 3);
    *rows = laip_alloc(height, sizeof **rows);
    for (size_t y = 0; y < height; y++)
        (*rows)[y] = image->pixels + y * width * 3;
    png_read_image(p, *rows);
    png_read_end(p, info);
    return true;
}

bool laip_png_decode(const void *data, size_t size, const char *name, laip_image *image, int *orientation,
                     laip_error *error)
{
    source s = {.data = data, .size = size};
    png_bytep *volatile rows = NULL;
    volatile bool good = false;
    png_structp p = png_create_read_struct(PNG_LIBPNG_VER_STRING, &s, fail, warn);
    png_infop info = p ? png_create_info_struct(p) : NULL;
    *image = (laip_image){0};
    *orientation = 1;
    if (!info) {
        png_destroy_read_struct(&p, &info, NULL);
        return laip_failure(error, "%s: libpng gave no memory", name);
    }
    if (setjmp(png_jmpbuf(p)) == 0) {
        png_bytep *lines = NULL, exif = NULL;
        png_uint_32 length = 0;
        png_set_read_fn(p, &s, take);
        png_set_user_limits(p, 0x7fffffff, 0x7fffffff);
        good = decode(p, info, name, image, &lines, error);
        rows = lines;
        if (good && png_get_eXIf_1(p, info, &length, &exif))
            *orientation = laip_exif_orientation(exif, length);
    } else
        laip_bad_input(error, "%s: the PNG cannot be decoded: %s", name, s.text);
    free(rows);
    png_destroy_read_struct(&p, &info, NULL);
    if (!good)
        laip_image_free(image);
    return good;
}
