/* The gradient of a bias: db [1, n] += Σ over the rows of dy [rows, n], in a fixed order. */
#ifndef LAIP_OPS_BIAS_H
#define LAIP_OPS_BIAS_H

#include "device/buffer.h"

size_t laip_bias_partials(const laip_device *device, size_t rows, size_t cols); /* floats of scratch */
void laip_bias_gradient(laip_device *device, laip_mat db, laip_mat dy, laip_mat scratch);
/* Of columns first … first + count − 1 only. */
void laip_bias_gradient_columns(laip_device *device, laip_mat db, laip_mat dy, size_t first, size_t count,
                                laip_mat scratch);

#endif
