/* JPEG by libjpeg-turbo, as Pillow uses it: the accurate integer transform, smooth upsampling of colour, CMYK
 * and YCCK always in Adobe's polarity (0 is full ink).  A file that ends before its picture does is refused;
 * damage inside the coded data that the library can bridge is not, since real data sets hold such files: the
 * picture says so. */
#include "base/memory.h"
#include "image/internal.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

/* More scans than any encoder writes: thousands of empty ones in a small file would take hours. */
enum { MOST_SCANS = 500 };

typedef struct reader {
    struct jpeg_decompress_struct c;
    struct jpeg_error_mgr manager;
    struct jpeg_progress_mgr progress;
    jmp_buf back;
    char text[JMSG_LENGTH_MAX];
    laip_image image;
    uint8_t *row; /* of CMYK */
    int orientation;
} reader;

static void stop(j_common_ptr c)
{
    reader *r = c->client_data;
    c->err->format_message(c, r->text);
    longjmp(r->back, 1);
}

static void on_message(j_common_ptr c, int level)
{
    reader *r = c->client_data;
    int code = c->err->msg_code;
    if (level < 0 && code == JWRN_JPEG_EOF)
        stop(c);
    if (level < 0 && (code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE || code == JWRN_MUST_RESYNC ||
                      code == JWRN_EXTRANEOUS_DATA))
        r->image.damaged = true;
}

static void no_output(j_common_ptr c)
{
    (void)c;
}

static void on_progress(j_common_ptr c)
{
    reader *r = c->client_data;
    if (r->c.input_scan_number <= MOST_SCANS)
        return;
    snprintf(r->text, sizeof r->text, "it has more than %d scans", MOST_SCANS);
    longjmp(r->back, 1);
}

/* a · b / 255, rounded. */
static int times(int a, int b)
{
    int t = a * b + 128;
    return ((t >> 8) + t) >> 8;
}

/* Adobe's polarity: what a channel holds is the paper that its ink leaves. */
static void cmyk_to_rgb(const uint8_t *row, int width, uint8_t *out)
{
    for (int x = 0; x < width; x++, row += 4, out += 3)
        for (int c = 0; c < 3; c++)
            out[c] = (uint8_t)(row[3] - times(255 - row[c], row[3]));
}

static int find_orientation(const struct jpeg_decompress_struct *c)
{
    static const char exif[] = "Exif\0", xmp[] = "http://ns.adobe.com/xap/1.0/";
    int by_exif = 0, by_xmp = 0;
    for (jpeg_saved_marker_ptr m = c->marker_list; m; m = m->next) {
        if (!by_exif && m->data_length > sizeof exif && memcmp(m->data, exif, sizeof exif) == 0)
            by_exif = laip_exif_orientation(m->data + sizeof exif, m->data_length - sizeof exif);
        if (!by_xmp && m->data_length > sizeof xmp && memcmp(m->data, xmp, sizeof xmp) == 0)
            by_xmp = laip_xmp_orientation(m->data + sizeof xmp, m->data_length - sizeof xmp);
    }
    return by_exif ? by_exif : by_xmp;
}

static bool decode(reader *r, const char *name, laip_error *error)
{
    struct jpeg_decompress_struct *c = &r->c;
    jpeg_read_header(c, TRUE);
    r->orientation = find_orientation(c);
    if (!laip_image_size_ok(name, c->image_width, c->image_height, error))
        return false;
    bool four = c->num_components == 4;
    c->out_color_space = four ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(c);
    r->image.width = (int)c->output_width;
    r->image.height = (int)c->output_height;
    size_t stride = 3 * (size_t)c->output_width;
    r->image.pixels = laip_realloc(NULL, c->output_height, stride);
    r->row = laip_alloc(c->output_width, 4);
    while (c->output_scanline < c->output_height) {
        uint8_t *line = r->image.pixels + (size_t)c->output_scanline * stride;
        JSAMPROW target = four ? r->row : line;
        jpeg_read_scanlines(c, &target, 1);
        if (four)
            cmyk_to_rgb(r->row, r->image.width, line);
    }
    jpeg_finish_decompress(c);
    return true;
}

/* The library's errors jump back here; whatever was made by then is in *r. */
static bool attempt(reader *r, const void *data, size_t size, const char *name, laip_error *error)
{
    if (setjmp(r->back))
        return laip_bad_input(error, "%s: the JPEG cannot be decoded: %s", name, r->text);
    r->c.client_data = r;
    jpeg_create_decompress(&r->c);
    r->c.progress = &r->progress;
    jpeg_mem_src(&r->c, data, (unsigned long)size);
    jpeg_save_markers(&r->c, JPEG_APP0 + 1, 0xffff);
    return decode(r, name, error);
}

bool laip_jpeg_decode(const void *data, size_t size, const char *name, laip_image *image, int *orientation,
                      laip_error *error)
{
    reader *r = laip_alloc(1, sizeof *r);
    r->c.err = jpeg_std_error(&r->manager);
    r->manager.error_exit = stop;
    r->manager.emit_message = on_message;
    r->manager.output_message = no_output;
    r->progress.progress_monitor = on_progress;
    bool good = attempt(r, data, size, name, error);
    if (!good)
        laip_image_free(&r->image);
    *image = r->image;
    *orientation = r->orientation;
    jpeg_destroy_decompress(&r->c);
    free(r->row);
    free(r);
    return good;
}
