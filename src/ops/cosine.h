/* similarity_i = ⟨x_i, y_i⟩ of unit vectors [rows, E], with the gradients of Σ_i weight_i · similarity_i:
 * dx_i = weight_i y_i, dy_i = weight_i x_i.  similarity [rows, 1], dx and dy are assigned.  report (mem
 * NULL: none) holds the loss's scale, which multiplies the weights: cl/shared.h. */
#ifndef LAIP_OPS_COSINE_H
#define LAIP_OPS_COSINE_H

#include "device/buffer.h"

void laip_cosine(laip_device *device, laip_mat similarity, laip_mat dx, laip_mat dy, laip_mat x, laip_mat y,
                 laip_mat weight /* [rows, 1] */, laip_mat report);

#endif
