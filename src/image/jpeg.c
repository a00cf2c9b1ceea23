/* JPEG by libjpeg-turbo. */
#include "base/memory.h"
#include "image/internal.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

typedef struct failure {
    struct jpeg_error_mgr manager;
    jmp_buf back;
    char text[JMSG_LENGTH_MAX];
} failure;

static void fail(j_common_ptr c)
{
    failure *f = (failure *)c->err;
    c->err->format_message(c, f->text);
    longjmp(f->back, 1);
}

/* Warnings are about damaged data: a picture that is not all there is refused, as Pillow does for truncated
 * files. */
static void warn(j_common_ptr c, int level)
{
    failure *f = (failure *)c->err;
    if (level >= 0)
        return;
    if (!c->err->num_warnings++)
        c->err->format_message(c, f->text);
}

static void no_output(j_common_ptr c)
{
    (void)c;
}

static uint8_t times(int a, int b)
{
    int t = a * b + 128;
    return (uint8_t)(((t >> 8) + t) >> 8);
}

static void cmyk_to_rgb(const uint8_t *row, int width, bool inverted, uint8_t *out)
{
    for (int x = 0; x < width; x++)
        for (int c = 0; c < 3; c++) {
            int ink = inverted ? 255 - row[4 * x + c] : row[4 * x + c];
            int light = inverted ? row[4 * x + 3] : 255 - row[4 * x + 3];
            out[3 * x + c] = (uint8_t)(light - times(ink, light));
        }
}

static int find_orientation(const struct jpeg_decompress_struct *c)
{
    for (jpeg_saved_marker_ptr m = c->marker_list; m; m = m->next)
        if (m->marker == JPEG_APP0 + 1 && m->data_length > 6 && memcmp(m->data, "Exif\0\0", 6) == 0)
            return laip_exif_orientation(m->data + 6, m->data_length - 6);
    return 1;
}

static bool decode(struct jpeg_decompress_struct *c, const char *name, laip_image *image, uint8_t **row,
                   laip_error *error)
{
    jpeg_read_header(c, TRUE);
    if (!laip_image_size_ok(name, c->image_width, c->image_height, error))
        return false;
    bool four = c->jpeg_color_space == JCS_CMYK || c->jpeg_color_space == JCS_YCCK;
    c->out_color_space = four ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(c);
    image->width = (int)c->output_width;
    image->height = (int)c->output_height;
    image->pixels = laip_alloc((size_t)image->width * (size_t)image->height, 3);
    *row = laip_alloc((size_t)image->width, 4);
    while (c->output_scanline < c->output_height) {
        uint8_t *line = image->pixels + (size_t)c->output_scanline * (size_t)image->width * 3;
        JSAMPROW target = four ? *row : line;
        jpeg_read_scanlines(c, &target, 1);
        if (four)
            cmyk_to_rgb(*row, image->width, c->saw_Adobe_marker, line);
    }
    jpeg_finish_decompress(c);
    return true;
}

bool laip_jpeg_decode(const void *data, size_t size, const char *name, laip_image *image, int *orientation,
                      laip_error *error)
{
    struct jpeg_decompress_struct c;
    failure f;
    uint8_t *volatile row = NULL;
    volatile bool good = false;
    memset(&f, 0, sizeof f);
    c.err = jpeg_std_error(&f.manager);
    f.manager.error_exit = fail;
    f.manager.emit_message = warn;
    f.manager.output_message = no_output;
    *image = (laip_image){0};
    if (setjmp(f.back) == 0) {
        uint8_t *line = NULL;
        jpeg_create_decompress(&c);
        jpeg_mem_src(&c, data, (unsigned long)size);
        jpeg_save_markers(&c, JPEG_APP0 + 1, 0xffff);
        good = decode(&c, name, image, &line, error);
        row = line;
        *orientation = find_orientation(&c);
        if (good && f.manager.num_warnings && strstr(f.text, "remature"))
            good = laip_bad_input(error, "%s: the JPEG is truncated: %s", name, f.text);
    } else
        laip_bad_input(error, "%s: the JPEG cannot be decoded: %s", name, f.text);
    free(row);
    jpeg_destroy_decompress(&c);
    if (!good)
        laip_image_free(image);
    return good;
}
