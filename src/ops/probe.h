/* What BidirAtt reads off a cross-attention layer (src/model/README.md, 3.2): row 0, the [CLS], of chosen
 * sequences; over the patches i = 1 … N−1 of the blocks that they read (key 0, the image's class token, is
 * left out).  All blocks have N keys, P = N − 1.  The probed sequences are the first `count` of the
 * attention: sequence j is probe j. */
#ifndef LAIP_OPS_PROBE_H
#define LAIP_OPS_PROBE_H

#include "ops/attention.h"

/* fore [count, P] = mean over heads of A^h[0, i], without dropout; assigned. */
void laip_probe_forward(laip_device *device, const laip_attention *a, size_t count, laip_mat fore,
                        laip_heads q, laip_heads k, laip_mat lse);
/* back [count, P] = mean over heads of ⟨g^h, V^h_i⟩; g [count, h·d] is the gradient of the [CLS] rows'
 * context. Assigned. */
void laip_probe_backward_attention(laip_device *device, const laip_attention *a, size_t count, laip_mat back,
                                   laip_mat g, laip_heads v);
/* clang-format off */
/* The gradient dfore [count, P] of fore, added to dq (row 0 of each probe) and dk.  With p = A^h[0, :] and
 * e_i = dfore_i / h (0 for i = 0):
 *   ds_i = p_i (e_i − Σ_j p_j e_j)
 *   dq  += Σ_i ds_i k_i / √d,    dk_i += ds_i q / √d
 * scratch: count · h · N floats. */
/* clang-format on */
void laip_probe_gradient(laip_device *device, const laip_attention *a, size_t count, laip_mat dfore,
                         laip_heads dq, laip_heads dk, laip_heads q, laip_heads k, laip_mat lse,
                         laip_mat scratch);

#endif
