/* clang-format off */
/* Cross-entropy of rows of logits [rows, V] against one target each, in one buffer: the gradient replaces the
 * logits.
 *
 *   loss_i   = −log softmax(logits_i)[target_i]
 *   logits_i ← weight_i (softmax(logits_i) − onehot(target_i)) */
/* clang-format on */
#ifndef LAIP_OPS_XENT_H
#define LAIP_OPS_XENT_H

#include "device/buffer.h"

/* loss and truth (the target's logit; mem NULL: not wanted), [rows, 1], are assigned; weight [rows, 1].
 * report (mem NULL: none) holds the loss's scale, which multiplies the weights: cl/shared.h. */
void laip_xent(laip_device *device, laip_mat logits, laip_mat loss, laip_mat truth, laip_ints target,
               laip_mat weight, laip_mat report);

#endif
