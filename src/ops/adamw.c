#include "ops/adamw.h"

#include "cl/kernels.h"
#include <math.h>

void laip_adamw_step(laip_device *d, laip_mat p, laip_mat low, laip_mat g, laip_mat m, laip_mat v,
                     laip_mat report, const laip_adamw *o)
{
    size_t count = p.rows * p.cols, each = laip_flat_each(d, count);
    if (count)
        LAIP_LAUNCH(d, adamw, LAIP_STORAGE(d, "adamw", p, low), laip_grid_flat(d, count, each), LAIP_BOTH(p),
                    p.store ? LAIP_BOTH(low) : LAIP_UNUSED(p), LAIP_MAT(g), LAIP_BOTH(m), LAIP_BOTH(v),
                    laip_arg_floats(report.mem, 3), LAIP_F(o->lr), LAIP_F(o->beta1), LAIP_F(o->beta2),
                    LAIP_F(o->eps), LAIP_F(o->weight_decay), laip_arg_u64(count), laip_arg_u64(each));
}

void laip_step_control_launch(laip_device *d, laip_mat report, laip_mat square_sum,
                              const laip_step_control *c)
{
    LAIP_LAUNCH(d, step_control, "", laip_grid_flat(d, 1, 1), LAIP_MAT(square_sum), LAIP_BOTH(report),
                LAIP_F(c->clip_norm), LAIP_F((float)log((double)c->beta1)),
                LAIP_F((float)log((double)c->beta2)), LAIP_F((float)c->step), LAIP_I(c->scaled),
                LAIP_F(c->least_scale), LAIP_F(c->most_scale), LAIP_I(c->good_steps));
}

void laip_ema_update(laip_device *d, laip_mat m, laip_mat m_low, laip_mat p, laip_mat p_low, float mu)
{
    size_t count = m.rows * m.cols, each = laip_flat_each(d, count);
    if (count)
        LAIP_LAUNCH(d, ema_update, LAIP_STORAGE(d, "ema_update", m, m_low, p, p_low),
                    laip_grid_flat(d, count, each), LAIP_BOTH(m), m.store ? LAIP_BOTH(m_low) : LAIP_UNUSED(m),
                    LAIP_MAT(p), p.store ? LAIP_MAT(p_low) : LAIP_UNUSED(p), LAIP_F(mu), laip_arg_u64(count),
                    laip_arg_u64(each));
}

void laip_clamp(laip_device *d, laip_mat x, float low, float high)
{
    size_t count = x.rows * x.cols;
    if (count)
        LAIP_LAUNCH(d, clamp_values, "", laip_grid_flat(d, count, 1), LAIP_BOTH(x), LAIP_F(low), LAIP_F(high),
                    LAIP_I(count));
}
