/* AdamW (decoupled weight decay), the momentum copies' move, and what goes with them, over flat memory:
 *   g' = scale · g;  p ← p (1 − lr·decay);  m ← β₁ m + (1 − β₁) g';  v ← β₂ v + (1 − β₂) g'²
 *   p ← p − lr · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + eps)
 * Where p is of halves, low holds what the master weights have beyond it (base/half.h); else low.mem is NULL.
 */
#ifndef LAIP_OPS_ADAMW_H
#define LAIP_OPS_ADAMW_H

#include "device/buffer.h"

typedef struct laip_adamw {
    float lr, beta1, beta2, eps, weight_decay;
    float correction1, correction2; /* 1 − β₁ᵗ, 1 − β₂ᵗ */
} laip_adamw;

/* scale [1, 1] on the device; mem NULL: 1; of 0: nothing changes. */
void laip_adamw_step(laip_device *device, laip_mat p, laip_mat low, laip_mat g, laip_mat m, laip_mat v,
                     laip_mat scale, const laip_adamw *o);
/* scale = min(1, max_norm / (√square_sum / loss_scale + 1e-6)) / loss_scale: both [1, 1]; max_norm 0: any.
 * 0 where square_sum is not finite. */
void laip_clip_scale(laip_device *device, laip_mat scale, laip_mat square_sum, float max_norm,
                     float loss_scale);
/* m ← μ m + (1 − μ) p */
void laip_ema_update(laip_device *device, laip_mat m, laip_mat m_low, laip_mat p, laip_mat p_low, float mu);
void laip_clamp(laip_device *device, laip_mat x, float low, float high);

#endif
