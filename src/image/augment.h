/* Random changes of training pictures, all drawn from one counter stream in a fixed order. */
#ifndef LAIP_IMAGE_AUGMENT_H
#define LAIP_IMAGE_AUGMENT_H

#include "base/rng.h"
#include "image/image.h"

/* A zeroed struct changes nothing.  In the order of application: */
typedef struct laip_augment {
    float resized_crop; /* least share of the area that a random part keeps, sides 3:4 to 4:3 of the picture's
                         * own proportions; 0 or 1: the whole picture */
    float flip;         /* probability of a mirror image */
    int randaugment;    /* how many operations of RandAugment, as ALBEF has it, one after another */
    int magnitude;      /* of them, 0 to 10 */
    float jitter;  /* brightness, contrast and saturation change by factors from 1 - jitter to 1 + jitter */
    float hue;     /* the circle of hues turns by up to so much of itself, 0 to 0.5, either way */
    int pad;       /* pixels of black around the picture, of which a part of its size is cut again */
    float erasing; /* probability that a rectangle (2 % to 40 % of the area) becomes the mean colour */
    int pillow;    /* laip_pillow, of resizing the part */
} laip_augment;

/* Bad input: a probability, share or magnitude out of its range. */
bool laip_augment_check(const laip_augment *augment, laip_error *error);
/* in, of any size, to height × width pixels in out: the random part of it that resized_crop asks for. */
void laip_augment_resize(const laip_augment *augment, laip_rng *rng, const laip_image *in, int height,
                         int width, laip_image *out);
/* Everything but resized_crop, in place. */
void laip_augment_apply(const laip_augment *augment, laip_rng *rng, laip_image *image);

#endif
