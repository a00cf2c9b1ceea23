/* Elementwise sums, and the sum of squares behind a gradient's norm. */
#ifndef LAIP_OPS_ELEMENTWISE_H
#define LAIP_OPS_ELEMENTWISE_H

#include "device/buffer.h"

void laip_add(laip_device *device, laip_mat y, laip_mat x); /* y += x */
/* y = 0, with all of the device: a driver's own fill may use one core. */
void laip_clear(laip_device *device, laip_mat y);
void laip_scale(laip_device *device, laip_mat y, float factor); /* y *= factor */
size_t laip_sum_partials(const laip_device *device,
                         size_t count); /* floats of scratch for `count` elements */
/* out [1, 1] (+)= Σ x² */
void laip_sum_squares(laip_device *device, laip_mat out, bool accumulate, laip_mat x, laip_mat scratch);

/* y = x, where one of them is stored as halves; of equal sizes. */
void laip_convert(laip_device *device, laip_mat y, laip_mat x);

#endif
