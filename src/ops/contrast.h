/* Contrastive cross-entropy of one row of dot products against all keys.
 *
 *   s_j = dot_j / τ,   loss = −Σ_j target_j · log softmax(s)_j
 *   target_j = α · softmax(momentum dots / τ)_j + (1 − α) · [key j is a positive] / (number of positives)
 *
 * Key j is a positive of a row when key_a[j] = row_a (or, with row_b and key_b given, also when key_b[j] =
 * row_b). With exclusive, b alone makes positives, and who shares only a is no key at all.  With no positive
 * at all the label's part is left out.  The target is a constant for the gradient. */
#ifndef LAIP_OPS_CONTRAST_H
#define LAIP_OPS_CONTRAST_H

#include "device/buffer.h"

typedef struct laip_contrast {
    laip_mat momentum_dots; /* [rows, keys]; read when alpha > 0 */
    laip_ints row_a, row_b; /* [rows]; row_b.mem NULL: only a counts */
    laip_ints key_a, key_b; /* [keys] */
    laip_mat temperature;   /* [1, 1], τ */
    laip_mat weight;        /* [rows, 1], each row's share in the objective */
    float alpha;
    bool exclusive;  /* with b, and alpha 0 */
    laip_mat report; /* holds the loss's scale, which multiplies the weights; mem NULL: 1 */
} laip_contrast;

/* dots [rows, keys]: in, the dot products; out, weight · dloss/ddot.  loss [rows, 1] (unweighted) and
 * dtemperature [rows, 1] (weighted) are assigned. */
void laip_contrast_rows(laip_device *device, laip_mat dots, laip_mat loss, laip_mat dtemperature,
                        const laip_contrast *c);

#endif
