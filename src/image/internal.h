/* The decoders behind laip_image_decode, and what the augmentations share. */
#ifndef LAIP_IMAGE_INTERNAL_H
#define LAIP_IMAGE_INTERNAL_H

#include "base/rng.h"
#include "image/image.h"

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

/* Changes of colour, in place.  A factor of 1 leaves the picture as it is, 0 gives black, the mean grey, or
 * each pixel's grey, above 1 is more of it. */
void laip_image_brightness(laip_image *image, float factor);
void laip_image_contrast(laip_image *image, float factor);
void laip_image_saturation(laip_image *image, float factor);
void laip_image_hue(laip_image *image, double turns); /* round the circle of hues, −1 to 1 */
void laip_image_auto_contrast(laip_image *image);     /* each channel's least value to 0, greatest to 255 */
void laip_image_equalise(laip_image *image);          /* each channel's values about equally frequent */
/* Away from (below 1: towards) the picture smoothed by [1 1 1; 1 5 1; 1 1 1] / 13; its rim stays. */
void laip_image_sharpness(laip_image *image, float factor);

/* Those from LAIP_RA_FIRST_SIGNED on take a strength of either sign. */
typedef enum laip_randaugment_op {
    LAIP_RA_IDENTITY,
    LAIP_RA_AUTO_CONTRAST,
    LAIP_RA_EQUALISE,
    LAIP_RA_BRIGHTNESS, /* by 0.1 + 1.8 strength, as sharpness */
    LAIP_RA_SHARPNESS,
    LAIP_RA_SHEAR_X, /* by 0.3 strength, the first row staying */
    LAIP_RA_SHEAR_Y,
    LAIP_RA_TRANSLATE_X, /* by 10 strength pixels, whatever the size */
    LAIP_RA_TRANSLATE_Y,
    LAIP_RA_ROTATE, /* by 30 strength degrees */
    LAIP_RA_OPERATIONS,
    LAIP_RA_FIRST_SIGNED = LAIP_RA_SHEAR_X
} laip_randaugment_op;

void laip_randaugment_do(laip_image *image, laip_randaugment_op op, double strength);
void laip_randaugment(laip_image *image, int operations, int magnitude, laip_rng *rng);

#endif
