/* Pictures: JPEG and PNG files to 8-bit RGB, resized as Pillow's bicubic does, normalised for the image
 * encoder. */
#ifndef LAIP_IMAGE_IMAGE_H
#define LAIP_IMAGE_IMAGE_H

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

typedef struct laip_image {
    uint8_t *pixels; /* [height, width, 3] */
    int width, height;
    bool damaged;    /* some of its coded data are not as they were written, and it is a guess there */
    int orientation; /* EXIF's of the file that it comes from, 1 to 8; 0: from none */
} laip_image;

/* The most pixels that a picture may have; a header that claims more is refused before anything is decoded.
 */
enum { LAIP_IMAGE_PIXELS = 178956970 };

/* Decodes by content, whatever the name says: all of JPEG that libjpeg-turbo reads (CMYK and YCCK with
 * Adobe's inversion), all of PNG (16 bits by their high byte, transparency dropped, gamma ignored).  With
 * `upright`, EXIF's orientation is applied.  Damaged and truncated files are bad input.  image->pixels is
 * freed by laip_image_free. */
bool laip_image_load(const char *path, bool upright, laip_image *image, laip_error *error);
bool laip_image_decode(const void *data, size_t size, const char *name, bool upright, laip_image *image,
                       laip_error *error);
void laip_image_free(laip_image *image);

/* EXIF's orientations.  Where pixel (x, y) of the upright picture, of width × height, stands in the stored
 * one; whether columns and rows change places; an upright picture as its file holds it, freed by
 * laip_image_free. */
void laip_orientation_source(int orientation, int width, int height, int x, int y, int *column, int *row);
bool laip_orientation_swaps(int orientation);
void laip_image_as_stored(const laip_image *upright, laip_image *stored);

/* Which version of Pillow resizing follows: the passes round to 8 bits, so that their order shows.  13
 * reduces rows first where that takes away more than twice as many rows as columns; those before it always
 * begin with columns, and with one of them every public checkpoint was trained. */
typedef enum laip_pillow { LAIP_PILLOW_13, LAIP_PILLOW_12 } laip_pillow;

/* Antialiased bicubic (a = −0.5, support scaled with the reduction), in fixed point as Pillow's, two passes
 * of 8 bits. The part of `in` from (left, top) of size width_in × height_in is resized to width × height. */
void laip_image_resize_as(laip_pillow pillow, const laip_image *in, double left, double top, double width_in,
                          double height_in, int height, int width, laip_image *out);
/* The same as Pillow 13 does it; of the whole picture. */
void laip_image_resize_box(const laip_image *in, double left, double top, double width_in, double height_in,
                           int height, int width, laip_image *out);
void laip_image_resize(const laip_image *in, int height, int width, laip_image *out);
void laip_image_flip(laip_image *image); /* left to right, in place */

/* A baseline JPEG of the picture, quality from 1 to 100; free() releases *data. */
bool laip_image_encode_jpeg(const laip_image *image, int quality, unsigned char **data, size_t *size,
                            laip_error *error);

/* planes [3, height, width] = (value / 255 − mean) / deviation, with CLIP's mean and deviation. */
void laip_image_normalise(const laip_image *image, float *planes);

#endif
