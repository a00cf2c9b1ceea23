/* PNG by libpng: every depth and type to 8-bit RGB, 16 bits by their high byte, transparency dropped, gamma
 * ignored. */
#include "base/memory.h"
#include "image/internal.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct reader {
    png_structp png;
    png_infop info;
    const uint8_t *data;
    size_t size, at;
    char text[200];
    laip_image image;
    png_bytep *rows;
} reader;

static void stop(png_structp p, png_const_charp text)
{
    reader *r = png_get_error_ptr(p);
    snprintf(r->text, sizeof r->text, "%s", text);
    longjmp(png_jmpbuf(p), 1);
}

static void no_warning(png_structp p, png_const_charp text)
{
    (void)p;
    (void)text;
}

static void take(png_structp p, png_bytep to, size_t count)
{
    reader *r = png_get_io_ptr(p);
    if (count > r->size - r->at)
        png_error(p, "the file ends too soon");
    memcpy(to, r->data + r->at, count);
    r->at += count;
}

/* Pixels only: what the other chunks say was seen to already. */
static void set_up(reader *r)
{
    png_structp p = r->png;
    png_set_read_fn(p, r, take);
    png_set_user_limits(p, 0x7fffffff, 0x7fffffff);
    png_set_keep_unknown_chunks(p, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_crc_action(p, PNG_CRC_QUIET_USE, PNG_CRC_QUIET_USE);
}

static void set_rgb(reader *r)
{
    png_structp p = r->png;
    int depth = png_get_bit_depth(p, r->info), type = png_get_color_type(p, r->info);
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
    png_read_update_info(p, r->info);
}

/* The library's errors jump back here; whatever was made by then is in *r. */
static bool attempt(reader *r, const char *name, laip_error *error)
{
    if (setjmp(png_jmpbuf(r->png)))
        return laip_bad_input(error, "%s: the PNG cannot be decoded: %s", name, r->text);
    set_up(r);
    png_read_info(r->png, r->info);
    size_t width = png_get_image_width(r->png, r->info), height = png_get_image_height(r->png, r->info);
    if (!laip_image_size_ok(name, width, height, error))
        return false;
    set_rgb(r);
    if (png_get_rowbytes(r->png, r->info) != 3 * width)
        png_error(r->png, "its rows are not of three bytes a pixel");
    r->image = (laip_image){.width = (int)width, .height = (int)height};
    r->image.pixels = laip_alloc(width * height, 3);
    r->rows = laip_alloc(height, sizeof *r->rows);
    for (size_t y = 0; y < height; y++)
        r->rows[y] = r->image.pixels + y * width * 3;
    png_read_image(r->png, r->rows);
    return true;
}

bool laip_png_decode(const void *data, size_t size, const char *name, laip_image *image, int *orientation,
                     laip_error *error)
{
    if (!laip_png_inspect(data, size, name, orientation, error))
        return false;
    reader *r = laip_alloc(1, sizeof *r);
    r->data = data;
    r->size = size;
    r->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, r, stop, no_warning);
    r->info = r->png ? png_create_info_struct(r->png) : NULL;
    bool good = r->info ? attempt(r, name, error) : laip_failure(error, "%s: libpng gave no memory", name);
    if (!good)
        laip_image_free(&r->image);
    *image = r->image;
    png_destroy_read_struct(&r->png, &r->info, NULL);
    free(r->rows);
    free(r);
    return good;
}
