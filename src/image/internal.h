/* The decoders behind laip_image_decode. */
#ifndef LAIP_IMAGE_INTERNAL_H
#define LAIP_IMAGE_INTERNAL_H

#include "laip/image.h"

/* orientation receives EXIF's 1 to 8, 1 where there is none. */
bool laip_jpeg_decode(const void *data, size_t size, const char *name, laip_image *image, int *orientation,
                      laip_error *error);
bool laip_png_decode(const void *data, size_t size, const char *name, laip_image *image, int *orientation,
                     laip_error *error);
/* The orientation that an EXIF block (from its TIFF header on) states, or 1. */
int laip_exif_orientation(const uint8_t *exif, size_t size);
bool laip_image_size_ok(const char *name, size_t width, size_t height, laip_error *error);

#endif
