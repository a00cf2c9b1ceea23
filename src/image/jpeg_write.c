/* Encoding: baseline JPEG by libjpeg-turbo. */
#include "image/image.h"

#include <stdio.h>

#include <jpeglib.h>
#include <setjmp.h>
#include <stdlib.h>

/* libjpeg reports an error by a call that must not return; its own version ends the process. */
typedef struct trouble {
    struct jpeg_error_mgr manager;
    jmp_buf back;
    char text[JMSG_LENGTH_MAX];
} trouble;

static void leave(j_common_ptr c)
{
    trouble *t = (trouble *)c->err;
    c->err->format_message(c, t->text);
    longjmp(t->back, 1);
}

bool laip_image_encode_jpeg(const laip_image *image, int quality, unsigned char **data, size_t *size,
                            laip_error *error)
{
    struct jpeg_compress_struct c;
    trouble t;
    unsigned char *volatile bytes = NULL; /* libjpeg's own malloc; survives the jump */
    unsigned char *buffer = NULL;
    unsigned long length = 0;
    c.err = jpeg_std_error(&t.manager);
    t.manager.error_exit = leave;
    if (setjmp(t.back)) {
        jpeg_destroy_compress(&c);
        free(bytes);
        return laip_failure(error, "JPEG cannot be written: %s", t.text);
    }
    jpeg_create_compress(&c);
    jpeg_mem_dest(&c, &buffer, &length);
    bytes = buffer;
    c.image_width = (JDIMENSION)image->width;
    c.image_height = (JDIMENSION)image->height;
    c.input_components = 3;
    c.in_color_space = JCS_RGB;
    jpeg_set_defaults(&c);
    jpeg_set_quality(&c, quality, TRUE);
    jpeg_start_compress(&c, TRUE);
    while (c.next_scanline < c.image_height) {
        JSAMPROW row = image->pixels + 3 * (size_t)c.next_scanline * (size_t)image->width;
        jpeg_write_scanlines(&c, &row, 1);
    }
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    *data = buffer;
    *size = length;
    return true;
}
