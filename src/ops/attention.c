#include "ops/attention.h"

#include "device/launch.h"
#include <math.h>
#include <stdio.h>

/* Groups: a sequence (or block), a head, and a share of its rows. */
static laip_grid grid(const laip_device *d, size_t sequences, int heads, size_t longest)
{
    size_t lanes = (size_t)laip_device_traits(d)->lanes,
           shares = lanes > 1 ? (longest + lanes - 1) / lanes : longest / 64 + 1;
    return (laip_grid){.groups = {sequences, (size_t)heads, shares}, .items = {lanes}};
}

static void head_option(char *text, size_t size, const laip_attention *a)
{
    snprintf(text, size, "-DHEAD=%d", a->head_size);
}

static uint32_t threshold(const laip_attention *a)
{
    return (uint32_t)((double)a->dropout * 4294967296.0);
}

void laip_attention_forward(laip_device *d, const laip_attention *a, laip_mat o, laip_mat lse, laip_heads q,
                            laip_heads k, laip_heads v)
{
    char options[32];
    head_option(options, sizeof options, a);
    if (!a->sequences)
        return;
    if (k.m.cols != v.m.cols) {
        laip_device_fail(d, "attention: keys have rows of %zu floats, values of %zu", k.m.cols, v.m.cols);
        return;
    }
    laip_device_counters(d)->flops += 4 * a->score_count * a->heads * a->head_size;
    LAIP_LAUNCH(d, "attention.cl", "attention_forward", options,
                grid(d, a->sequences, a->heads, a->longest_query), LAIP_MAT(q.m), LAIP_MAT(k.m),
                LAIP_MAT(v.m), LAIP_MAT(o), LAIP_MAT(lse), LAIP_MAT(a->q_begin), LAIP_MAT(a->kv_of),
                LAIP_MAT(a->k_begin), LAIP_MAT(a->dropout_key), LAIP_I(a->heads), LAIP_I(q.m.cols),
                LAIP_I(q.col), LAIP_I(k.m.cols), LAIP_I(k.col), LAIP_I(v.col),
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
    char options[32];
    head_option(options, sizeof options, a);
    float scale = 1 / sqrtf((float)a->head_size), kept = 1 / (1 - a->dropout);
    if (!a->sequences)
        return;
    laip_device_counters(d)->flops += (dk.m.mem ? 10 : 6) * a->score_count * a->heads * a->head_size;
    LAIP_LAUNCH(d, "attention.cl", "attention_delta", options, laip_grid_rows(d, a->query_rows),
                LAIP_MAT(dout), LAIP_MAT(o), LAIP_MAT(scratch), LAIP_I(a->heads));
    LAIP_LAUNCH(d, "attention.cl", "attention_dq", options, grid(d, a->sequences, a->heads, a->longest_query),
                LAIP_MAT(q.m), LAIP_MAT(k.m), LAIP_MAT(v.m), LAIP_MAT(dout), LAIP_MAT(lse), LAIP_MAT(scratch),
                LAIP_MAT(dq.m), LAIP_MAT(a->q_begin), LAIP_MAT(a->kv_of), LAIP_MAT(a->k_begin),
                LAIP_MAT(a->dropout_key), LAIP_I(a->heads), LAIP_I(q.m.cols), LAIP_I(q.col), LAIP_I(k.m.cols),
                LAIP_I(k.col), LAIP_I(v.col), LAIP_I(dq.m.cols), LAIP_I(dq.col), LAIP_F(scale),
                LAIP_U(threshold(a)), LAIP_F(kept));
    if (!dk.m.mem)
        return;
    LAIP_LAUNCH(d, "attention.cl", "attention_dkv", options, grid(d, a->blocks, a->heads, a->longest_block),
                LAIP_MAT(q.m), LAIP_MAT(k.m), LAIP_MAT(v.m), LAIP_MAT(dout), LAIP_MAT(lse), LAIP_MAT(scratch),
                LAIP_MAT(dk.m), LAIP_MAT(dv.m), LAIP_MAT(a->q_begin), LAIP_MAT(a->k_begin),
                LAIP_MAT(a->readers_begin), LAIP_MAT(a->readers), LAIP_MAT(a->dropout_key), LAIP_I(a->heads),
                LAIP_I(q.m.cols), LAIP_I(q.col), LAIP_I(k.m.cols), LAIP_I(k.col), LAIP_I(v.col),
                LAIP_I(dk.m.cols), LAIP_I(dk.col), LAIP_I(dv.col), LAIP_F(scale), LAIP_U(threshold(a)),
                LAIP_F(kept));
}
