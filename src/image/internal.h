/* The decoders behind laip_image_decode, and what the augmentations share. */
#ifndef LAIP_IMAGE_INTERNAL_H
#define LAIP_IMAGE_INTERNAL_H

#include "base/rng.h"
#include "laip/image.h"

/* orientation receives EXIF's 1 to 8, 1 where there is none. */
bool laip_jpeg_decode(const void *data, size_t size, const char *name, laip_image *image, int *orientation,
                      laip_error *error);
bool laip_png_decode(const void *data, size_t size, const char *name, laip_image *image, int *orientation,
                     laip_error *error);
/* The orientation that an EXIF block (from its TIFF header on) states, or 1. */
int laip_exif_orientation(const uint8_t *exif, size_t size);
bool laip_image_size_ok(const char *name, size_t width, size_t height, laip_error *error);

static inline uint8_t laip_to_byte(double x)
{
    return (uint8_t)(x <= 0 ? 0 : x >= 255 ? 255 : x + 0.5);
}

/* ITU-R 601's luma. */
static inline double laip_grey(const uint8_t *rgb)
{
    return 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
}

void laip_image_brightness(laip_image *image, double factor); /* 1: as it is */
void laip_randaugment(laip_image *image, int operations, int magnitude, laip_rng *rng);

#endif
