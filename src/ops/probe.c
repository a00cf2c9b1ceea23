#include "ops/probe.h"

#include "cl/kernels.h"
#include <math.h>

static float scale_of(const laip_attention *a)
{
    return 1 / sqrtf((float)a->head_size);
}

/* The columns of all heads are read or written. */
static laip_arg columns(const laip_attention *a, laip_heads x, size_t rows)
{
    x.m.rows = rows;
    x.m.cols = (size_t)a->heads * (size_t)a->head_size;
    return LAIP_MAT(x.m);
}

void laip_probe_forward(laip_device *d, const laip_attention *a, size_t count, laip_mat fore, laip_heads q,
                        laip_heads k, laip_mat lse)
{
    laip_options options = LAIP_OPTIONS("-DHEAD=#", LAIP_STORAGE(d, "probe_forward", q.m, k.m), a->head_size);
    if (count)
        LAIP_LAUNCH(d, probe_forward, options, laip_grid_rows(d, count), columns(a, q, count),
                    columns(a, k, a->key_rows), laip_arg_floats(lse.mem, count * (size_t)a->heads),
                    LAIP_MAT(a->q_begin), LAIP_MAT(a->kv_of), LAIP_MAT(a->k_begin), LAIP_MAT(fore),
                    LAIP_I(a->heads), LAIP_I(fore.cols), LAIP_I(q.m.cols), LAIP_I(q.col), LAIP_I(k.m.cols),
                    LAIP_I(k.col), LAIP_F(scale_of(a)));
}

void laip_probe_backward_attention(laip_device *d, const laip_attention *a, size_t count, laip_mat back,
                                   laip_mat g, laip_heads v)
{
    laip_options options =
        LAIP_OPTIONS("-DHEAD=#", LAIP_STORAGE(d, "probe_backward_attention", g, v.m), a->head_size);
    if (count)
        LAIP_LAUNCH(d, probe_backward_attention, options, laip_grid_rows(d, count), LAIP_MAT(g),
                    columns(a, v, a->key_rows), LAIP_MAT(a->kv_of), LAIP_MAT(a->k_begin), LAIP_MAT(back),
                    LAIP_I(a->heads), LAIP_I(back.cols), LAIP_I(v.m.cols), LAIP_I(v.col));
}

void laip_probe_gradient(laip_device *d, const laip_attention *a, size_t count, laip_mat dfore, laip_heads dq,
                         laip_heads dk, laip_heads q, laip_heads k, laip_mat lse, laip_mat scratch)
{
    laip_options options =
        LAIP_OPTIONS("-DHEAD=#", LAIP_STORAGE(d, "probe_gradient", dq.m, dk.m, q.m, k.m), a->head_size);
    size_t patches = dfore.cols, rows = count * (size_t)a->heads;
    if (!count)
        return;
    LAIP_LAUNCH(d, probe_scores, options, laip_grid_rows(d, rows), columns(a, q, count),
                columns(a, k, a->key_rows), laip_arg_floats(lse.mem, count * (size_t)a->heads),
                LAIP_MAT(dfore), LAIP_MAT(a->q_begin), LAIP_MAT(a->kv_of), LAIP_MAT(a->k_begin),
                laip_arg_floats(scratch.mem, rows * (patches + 1)), LAIP_I(a->heads), LAIP_I(patches),
                LAIP_I(q.m.cols), LAIP_I(q.col), LAIP_I(k.m.cols), LAIP_I(k.col), LAIP_F(scale_of(a)));
    LAIP_LAUNCH(d, probe_dq, options, laip_grid_rows(d, rows),
                laip_arg_floats(scratch.mem, rows * (patches + 1)), columns(a, k, a->key_rows),
                LAIP_MAT(a->q_begin), LAIP_MAT(a->kv_of), LAIP_MAT(a->k_begin),
                laip_arg_both(columns(a, dq, count)), LAIP_I(a->heads), LAIP_I(patches + 1), LAIP_I(k.m.cols),
                LAIP_I(k.col), LAIP_I(dq.m.cols), LAIP_I(dq.col), LAIP_F(scale_of(a)));
    LAIP_LAUNCH(d, probe_dk, options, laip_grid_rows(d, a->key_rows),
                laip_arg_floats(scratch.mem, rows * (patches + 1)), columns(a, q, count),
                LAIP_MAT(a->q_begin), LAIP_MAT(a->block_sequences_begin), LAIP_MAT(a->block_sequences),
                laip_arg_both(columns(a, dk, a->key_rows)), LAIP_I(count), LAIP_I(a->heads),
                LAIP_I(patches + 1), LAIP_I(q.m.cols), LAIP_I(q.col), LAIP_I(dk.m.cols), LAIP_I(dk.col),
                LAIP_F(scale_of(a)));
}
