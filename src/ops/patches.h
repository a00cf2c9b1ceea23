/* The image encoder's input: pixels to rows of patches, and patch embeddings to tokens with class token and
 * positions. B images of H × W pixels, P = (H/p)(W/p) patches of side p, in rows of the grid from the top
 * left; N = P + 1. */
#ifndef LAIP_OPS_PATCHES_H
#define LAIP_OPS_PATCHES_H

#include "device/buffer.h"

/* y [B·P, 3·p·p], columns in the order (channel, y, x), assigned; images [B, 3·H·W]. */
void laip_patches(laip_device *device, laip_mat y, laip_mat images, int height, int width, int patch);
/* x [B·N, D] assigned; patches [B·P, D], cls [1, D], positions [N, D]. */
void laip_image_tokens_forward(laip_device *device, laip_mat x, laip_mat patches, laip_mat cls,
                               laip_mat positions);
/* dpatches assigned; dcls and dpositions accumulated. */
void laip_image_tokens_backward(laip_device *device, laip_mat dpatches, laip_mat dcls, laip_mat dpositions,
                                laip_mat dx);

#endif
