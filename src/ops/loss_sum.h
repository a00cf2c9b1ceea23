/* The value of a loss from those of its rows, added to a step's report (cl/shared.h):
 *   report[loss] += factor · Σ_{first ≤ i < first + count} weight_i · x_i + offset
 * x and weight [rows, 1]; weight.mem NULL: 1. */
#ifndef LAIP_OPS_LOSS_SUM_H
#define LAIP_OPS_LOSS_SUM_H

#include "device/buffer.h"

typedef struct laip_loss_sum {
    int loss;
    laip_mat x, weight;
    size_t first, count;
    float factor, offset;
} laip_loss_sum;
void laip_loss_sum_add(laip_device *device, laip_mat report, const laip_loss_sum *s);

#endif
