/* The image region that a phrase looks at, as BidirAtt makes it (src/model/README.md, 3.2).
 *
 *   raw_i = fore_i · max(back_i, 0)   (or fore_i, or max(back_i, 0), by `attention`)
 *   weight_i = raw_i / Σ raw; where that sum is 0, fore_i / Σ fore
 *   region = Σ_i weight_i · image_i over the patches i of the phrase's image (its class token left out)
 *
 * p phrases, P patches, T images of P + 1 tokens, width D.  back is a constant for the gradient; fore is not.
 */
#ifndef LAIP_OPS_REGION_H
#define LAIP_OPS_REGION_H

#include "device/buffer.h"

/* weight [p, P] and total [p, 2] (the factor, and whether the sum was 0) are assigned; attention is an
 * enum laip_bidiratt_attention. */
void laip_region_weights(laip_device *device, laip_mat weight, laip_mat total, laip_mat fore, laip_mat back,
                         int attention);
/* region [p, D] is assigned; owner [p]: each phrase's image. */
void laip_region_pool(laip_device *device, laip_mat region, laip_mat weight, laip_mat image, laip_ints owner);
/* What the backward reads beside dregion: as the forward had and made it. */
typedef struct laip_region {
    laip_mat weight, total, back; /* [p, P], [p, 2], [p, P] */
    laip_mat image;               /* [T (P + 1), D] */
    laip_ints owner, first;       /* [p], [T + 1]: where each image's phrases begin */
    size_t images;                /* T */
    int attention;
} laip_region;
/* dfore [p, P] is assigned, dimage [T (P + 1), D] accumulated. */
void laip_region_backward(laip_device *device, laip_mat dfore, laip_mat dimage, laip_mat dregion,
                          const laip_region *r);

#endif
