/* clang-format off */
/* AdamW (decoupled weight decay), the momentum copies' move, and what goes with them, over flat memory:
 *
 *   g' = factor · g;   p ← p (1 − lr·decay);   m ← β₁ m + (1 − β₁) g';   v ← β₂ v + (1 − β₂) g'²
 *   p ← p − lr · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + eps)
 *
 * Where p is of 16 bits, low holds what the master weights have beyond it (base/half.h); else low.mem is NULL. */
/* clang-format on */
#ifndef LAIP_OPS_ADAMW_H
#define LAIP_OPS_ADAMW_H

#include "device/buffer.h"

typedef struct laip_adamw {
    float lr, beta1, beta2, eps, weight_decay;
} laip_adamw;

/* factor and the corrections 1 / (1 − βᵗ) come from the report (cl/shared.h); factor 0: nothing changes. */
void laip_adamw_step(laip_device *device, laip_mat p, laip_mat low, laip_mat g, laip_mat m, laip_mat v,
                     laip_mat report, const laip_adamw *o);

/* What becomes of a step, on the device: fills the report's norm, clip factor, skip flag, factor and
 * corrections, and moves the loss's scale.  A step whose gradient is not finite is skipped. */
typedef struct laip_step_control {
    float clip_norm; /* the gradient's norm is cut to this; 0: any */
    float beta1, beta2;
    uint64_t step; /* from 1; those that were skipped are subtracted */
    bool scaled;   /* the loss is: its scale is halved by a step whose gradient is not finite */
    float least_scale, most_scale;
    int good_steps; /* after which the scale doubles */
} laip_step_control;
void laip_step_control_launch(laip_device *device, laip_mat report, laip_mat square_sum,
                              const laip_step_control *c);
/* m ← μ m + (1 − μ) p */
void laip_ema_update(laip_device *device, laip_mat m, laip_mat m_low, laip_mat p, laip_mat p_low, float mu);
void laip_clamp(laip_device *device, laip_mat x, float low, float high);

#endif
