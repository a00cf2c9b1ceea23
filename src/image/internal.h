/* The decoders behind laip_image_decode, and what the augmentations share. */
#ifndef LAIP_IMAGE_INTERNAL_H
#define LAIP_IMAGE_INTERNAL_H

#include "base/rng.h"
#include "laip/image.h"

/* The decoders fill *image, or leave it empty and fill *error; *orientation is that of EXIF or XMP, or 0. */
bool laip_jpeg_decode(const void *data, size_t size, const char *name, laip_image *image, int *orientation,
                      laip_error *error);
bool laip_png_decode(const void *data, size_t size, const char *name, laip_image *image, int *orientation,
                     laip_error *error);
/* Goes through a PNG file's chunks before anything is decoded: refuses what is damaged or would unpack to far
 * more than it should, and finds the orientation. */
bool laip_png_inspect(const uint8_t *data, size_t size, const char *name, int *orientation,
                      laip_error *error);
bool laip_image_size_ok(const char *name, size_t width, size_t height, laip_error *error);

/* The orientation that an EXIF block (from its TIFF header on) states, or 0 where it states none. */
int laip_exif_orientation(const uint8_t *exif, size_t size);
/* The same of a packet of XMP: tiff:Orientation as attribute or element. */
int laip_xmp_orientation(const void *xmp, size_t size);
/* Turns the picture upright; an orientation that is not 2 to 8 leaves it as it is. */
void laip_image_turn(laip_image *image, int orientation);

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
