#include "ops/attention.h"

#include "device/launch.h"
#include "device/ledger.h"
#include <math.h>
#include <stdio.h>

/* Which form serves: vectors of 16 without barriers on a CPU when the head is made of them, else the plain
 * one. */
typedef struct form {
    const char *file, *forward, *dq, *dkv;
    char options[48];
    size_t band; /* rows of a work-item; 0: of the plain form */
} form;

enum { BAND = 48 };

static form form_for(const laip_device *d, const laip_attention *a)
{
    bool wide = laip_device_traits(d)->lanes == 1 && a->head_size % 16 == 0;
    form f = wide ? (form){"attention_wide.cl",
                           "attention_wide_forward",
                           "attention_wide_dq",
                           "attention_wide_dkv",
                           "",
                           BAND}
                  : (form){"attention.cl", "attention_forward", "attention_dq", "attention_dkv", "", 0};
    snprintf(f.options, sizeof f.options, wide ? "-DHEAD=%d -DBAND=%d" : "-DHEAD=%d", a->head_size, BAND);
    return f;
}

/* Groups: a sequence (or block), a head, and a share of its rows. */
static laip_grid grid(const laip_device *d, const form *f, size_t sequences, int heads, size_t longest)
{
    size_t lanes = (size_t)laip_device_traits(d)->lanes;
    size_t each = f->band ? f->band : lanes > 1 ? lanes : 64;
    return (laip_grid){.groups = {sequences, (size_t)heads, (longest + each - 1) / each}, .items = {lanes}};
}

/* The columns of all heads are read or written. */
static laip_arg columns(const laip_attention *a, laip_heads x, size_t rows)
{
    return laip_arg_floats(x.m.mem, rows * (size_t)(a->heads * a->head_size));
}

static laip_arg per_row(const laip_attention *a, laip_mat m) /* a number a query row and head */
{
    return laip_arg_floats(m.mem, a->query_rows * (size_t)a->heads);
}

static double scores(const laip_attention *a) /* multiply-adds of Q Kᵀ, twice */
{
    return 2 * a->score_count * a->heads * a->head_size;
}

static uint32_t threshold(const laip_attention *a)
{
    return (uint32_t)((double)a->dropout * 4294967296.0);
}

void laip_attention_forward(laip_device *d, const laip_attention *a, laip_mat o, laip_mat lse, laip_heads q,
                            laip_heads k, laip_heads v)
{
    form f = form_for(d, a);
    if (!a->sequences)
        return;
    if (k.m.cols != v.m.cols) {
        laip_device_fail(d, "attention: keys have rows of %zu floats, values of %zu", k.m.cols, v.m.cols);
        return;
    }
    laip_ledger_flops(d, 2 * scores(a));
    LAIP_LAUNCH(d, f.file, f.forward, f.options, grid(d, &f, a->sequences, a->heads, a->longest_query),
                columns(a, q, a->query_rows), columns(a, k, a->key_rows), columns(a, v, a->key_rows),
                columns(a, (laip_heads){o, 0}, a->query_rows), per_row(a, lse), LAIP_MAT(a->q_begin),
                LAIP_MAT(a->kv_of), LAIP_MAT(a->k_begin), LAIP_MAT(a->dropout_key), LAIP_I(a->heads),
                LAIP_I(q.m.cols), LAIP_I(q.col), LAIP_I(k.m.cols), LAIP_I(k.col), LAIP_I(v.col),
                LAIP_F(1 / sqrtf((float)a->head_size)), LAIP_U(threshold(a)), LAIP_F(1 / (1 - a->dropout)));
}

size_t laip_attention_scratch(const laip_device *d, int heads, int head_size, size_t query_rows,
                              size_t key_rows, size_t sequences, size_t blocks, size_t longest_query,
                              size_t longest_block)
{
    (void)d;
    (void)head_size;
    (void)key_rows;
    (void)sequences;
    (void)blocks;
    (void)longest_query;
    (void)longest_block;
    return query_rows * (size_t)heads;
}

void laip_attention_backward(laip_device *d, const laip_attention *a, laip_heads dq, laip_heads dk,
                             laip_heads dv, laip_mat dout, laip_mat o, laip_mat lse, laip_heads q,
                             laip_heads k, laip_heads v, laip_mat scratch)
{
    form f = form_for(d, a);
    float scale = 1 / sqrtf((float)a->head_size), kept = 1 / (1 - a->dropout);
    if (!a->sequences)
        return;
    char plain[32];
    snprintf(plain, sizeof plain, "-DHEAD=%d", a->head_size);
    LAIP_LAUNCH(d, "attention.cl", "attention_delta", plain, laip_grid_rows(d, a->query_rows),
                columns(a, (laip_heads){dout, 0}, a->query_rows),
                columns(a, (laip_heads){o, 0}, a->query_rows), per_row(a, scratch), LAIP_I(a->heads));
    laip_ledger_flops(d, 3 * scores(a)); /* scores and their gradients, and of these dq */
    LAIP_LAUNCH(d, f.file, f.dq, f.options, grid(d, &f, a->sequences, a->heads, a->longest_query),
                columns(a, q, a->query_rows), columns(a, k, a->key_rows), columns(a, v, a->key_rows),
                columns(a, (laip_heads){dout, 0}, a->query_rows), per_row(a, lse), per_row(a, scratch),
                columns(a, dq, a->query_rows), LAIP_MAT(a->q_begin), LAIP_MAT(a->kv_of), LAIP_MAT(a->k_begin),
                LAIP_MAT(a->dropout_key), LAIP_I(a->heads), LAIP_I(q.m.cols), LAIP_I(q.col), LAIP_I(k.m.cols),
                LAIP_I(k.col), LAIP_I(v.col), LAIP_I(dq.m.cols), LAIP_I(dq.col), LAIP_F(scale),
                LAIP_U(threshold(a)), LAIP_F(kept));
    if (!dk.m.mem)
        return;
    laip_ledger_flops(d, 2 * scores(a));
    LAIP_LAUNCH(d, f.file, f.dkv, f.options, grid(d, &f, a->blocks, a->heads, a->longest_block),
                columns(a, q, a->query_rows), columns(a, k, a->key_rows), columns(a, v, a->key_rows),
                columns(a, (laip_heads){dout, 0}, a->query_rows), per_row(a, lse), per_row(a, scratch),
                columns(a, dk, a->key_rows), columns(a, dv, a->key_rows), LAIP_MAT(a->q_begin),
                LAIP_MAT(a->k_begin), LAIP_MAT(a->readers_begin), LAIP_MAT(a->readers),
                LAIP_MAT(a->dropout_key), LAIP_I(a->heads), LAIP_I(q.m.cols), LAIP_I(q.col), LAIP_I(k.m.cols),
                LAIP_I(k.col), LAIP_I(v.col), LAIP_I(dk.m.cols), LAIP_I(dk.col), LAIP_I(dv.col),
                LAIP_F(scale), LAIP_U(threshold(a)), LAIP_F(kept));
}
