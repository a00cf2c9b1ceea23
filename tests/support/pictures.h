/* Pictures made for tests, and JPEG and PNG files of every kind written from them into memory. */
#ifndef LAIP_TESTS_SUPPORT_PICTURES_H
#define LAIP_TESTS_SUPPORT_PICTURES_H

#include "base/str.h"
#include "image/image.h"

#include <stdio.h>

#include <jpeglib.h>
#include <png.h>

laip_image laip_test_smooth(int width, int height); /* slow changes: what JPEG keeps well */
laip_image laip_test_noise(int width, int height);

/* A zeroed struct: baseline, 4:4:4, quality 100, no marker of ours. */
typedef struct laip_test_jpeg {
    J_COLOR_SPACE space; /* of the file: JCS_YCbCr (also for 0), JCS_RGB, JCS_GRAYSCALE, JCS_CMYK, JCS_YCCK */
    int across, down;    /* sampling of the first component; 0: 1 */
    bool progressive, arithmetic, no_adobe;
    unsigned restart; /* in blocks */
    const void *app1; /* a marker's content */
    unsigned app1_size;
} laip_test_jpeg;

/* CMYK is written in Adobe's polarity with black of `black`.  free(s.text) releases it. */
laip_str laip_test_write_jpeg(const laip_image *image, const laip_test_jpeg *kind);

/* A PNG from the rows as the file holds them. chunks is called before the pixels, and may be NULL. */
laip_str laip_test_write_png(int width, int height, int depth, int type, bool interlaced, png_bytep *rows,
                             void (*chunks)(png_structp png, png_infop info));
/* Puts a chunk of any content into a PNG before its first one of type `before`. */
void laip_test_add_chunk(laip_str *png, const char *before, const char *type, const void *data, size_t size);
/* EXIF from its TIFF header on, 26 bytes, that states an orientation. */
void laip_test_exif(uint8_t exif[26], int orientation, bool big_endian);

#endif
