/* Layer normalisation over each row of x [rows, D]:  y = (x − mean)/σ · weight + bias,  σ² = var + eps.
 * Activations' gradients are assigned (or accumulated on request), parameters' accumulated. */
#ifndef LAIP_OPS_LAYERNORM_H
#define LAIP_OPS_LAYERNORM_H

#include "device/buffer.h"

/* y [rows, D] and stats [rows, 2] (mean, 1/σ) are assigned. */
void laip_layernorm_forward(laip_device *device, laip_mat y, laip_mat stats, laip_mat x, laip_mat weight,
                            laip_mat bias, float eps);
size_t laip_layernorm_partials(const laip_device *device, size_t rows, size_t cols); /* floats of scratch */
/* clang-format off */
/* With h = (x − mean)/σ and g = dy · weight:
 *   dx (+)= (g − mean(g) − h · mean(g h)) / σ
 *   dweight += Σ_rows dy h,   dbias += Σ_rows dy       (both left out when dweight.mem is NULL)
 * dx may be dy's buffer when not accumulating. */
/* clang-format on */
void laip_layernorm_backward(laip_device *device, laip_mat dx, bool accumulate, laip_mat dweight,
                             laip_mat dbias, laip_mat dy, laip_mat x, laip_mat stats, laip_mat weight,
                             laip_mat scratch);

#endif
