#include "net/vit.h"

#include "base/memory.h"
#include "ops/attention.h"
#include "ops/gather.h"
#include "ops/gelu.h"
#include "ops/patches.h"
#include <stdio.h>
#include <stdlib.h>

void laip_vit_declare(laip_vit *v, laip_table *t, const laip_model_config *sizes, const char *prefix)
{
    size_t D = (size_t)sizes->width, hidden = D * (size_t)sizes->mlp, p = (size_t)sizes->patch;
    char name[128];
    *v = (laip_vit){.sizes = *sizes};
    v->cls = laip_declare(t, LAIP_INIT_TABLE, 3, (size_t[]){1, 1, D}, "%s.cls_token", prefix);
    v->positions =
        laip_declare(t, LAIP_INIT_PATCHES, 3, (size_t[]){1, (size_t)laip_patch_count(sizes) + 1, D},
                     "%s.pos_embed", prefix);
    v->patch.weight =
        laip_declare(t, LAIP_INIT_MATRIX, 4, (size_t[]){D, 3, p, p}, "%s.patch_embed.proj.weight", prefix);
    v->patch.bias = laip_declare(t, LAIP_INIT_ZERO, 1, (size_t[]){D}, "%s.patch_embed.proj.bias", prefix);
    v->blocks = laip_alloc((size_t)sizes->vit_layers, sizeof *v->blocks);
    for (int i = 0; i < sizes->vit_layers; i++) {
        laip_vit_block *b = &v->blocks[i];
        snprintf(name, sizeof name, "%s.blocks.%d.norm1", prefix, i);
        b->norm1 = laip_norm_declare(t, name, D, 1e-6f);
        snprintf(name, sizeof name, "%s.blocks.%d.attn.qkv", prefix, i);
        b->qkv = laip_linear_declare(t, name, 3 * D, D);
        b->qkv.keys = b->qkv.first_key = D;
        snprintf(name, sizeof name, "%s.blocks.%d.attn.proj", prefix, i);
        b->proj = laip_linear_declare(t, name, D, D);
        snprintf(name, sizeof name, "%s.blocks.%d.norm2", prefix, i);
        b->norm2 = laip_norm_declare(t, name, D, 1e-6f);
        snprintf(name, sizeof name, "%s.blocks.%d.mlp.fc1", prefix, i);
        b->fc1 = laip_linear_declare(t, name, hidden, D);
        snprintf(name, sizeof name, "%s.blocks.%d.mlp.fc2", prefix, i);
        b->fc2 = laip_linear_declare(t, name, D, hidden);
    }
    snprintf(name, sizeof name, "%s.norm", prefix);
    v->norm = laip_norm_declare(t, name, D, 1e-6f);
}

void laip_vit_free(laip_vit *v)
{
    free(v->blocks);
    v->blocks = NULL;
}

/* What a block keeps.  Norms' outputs and GELU's are for the moment: the backward makes them again from x, x1
 * and pre, which costs little beside the products, and a third of the memory less. */
static laip_vit_saved plan_saved(const laip_model_config *m, laip_plan *r, size_t rows, laip_mat n,
                                 laip_mat h)
{
    size_t D = (size_t)m->width;
    return (laip_vit_saved){.x = laip_plan_activations(r, rows, D),
                            .stats1 = laip_plan_mat(r, rows, 2),
                            .n = n,
                            .qkv = laip_plan_activations(r, rows, 3 * D),
                            .o = laip_plan_activations(r, rows, D),
                            .lse = laip_plan_mat(r, rows, (size_t)m->heads),
                            .x1 = laip_plan_activations(r, rows, D),
                            .stats2 = laip_plan_mat(r, rows, 2),
                            .pre = laip_plan_activations(r, rows, h.cols),
                            .h = h};
}

/* The block's input alone is its own. */
static laip_vit_saved plan_input(const laip_model_config *m, laip_plan *r, size_t rows,
                                 const laip_vit_saved *shared)
{
    laip_vit_saved s = *shared;
    s.x = laip_plan_activations(r, rows, (size_t)m->width);
    return s;
}

void laip_vit_plan(const laip_vit *v, laip_vit_pass *pass, laip_plan *r, size_t images, laip_pass_kind kind)
{
    const laip_model_config *m = &v->sizes;
    size_t P = (size_t)laip_patch_count(m), N = P + 1, D = (size_t)m->width, rows = images * N;
    size_t pixels = 3 * (size_t)m->image_height * (size_t)m->image_width;
    laip_vit_pass_free(pass);
    *pass = (laip_vit_pass){.kind = kind};
    laip_sequences_plan(&pass->tokens, r, images, rows, N, 0);
    pass->out = laip_plan_activations(r, rows, D);
    pass->last = laip_plan_activations(r, rows, D);
    pass->stats = laip_plan_mat(r, rows, 2);
    pass->pixels = kind == LAIP_PASS_STATES ? laip_plan_mat(r, images, pixels)
                                            : (laip_mat){.rows = images, .cols = pixels};
    pass->columns = laip_plan_activations(r, images * P, pixels / P);
    pass->patches = laip_plan_activations(r, images * P, D);
    pass->saved = laip_alloc((size_t)m->vit_layers, sizeof *pass->saved);
    laip_mat n = laip_plan_activations(r, rows, D), h = laip_plan_activations(r, rows, D * (size_t)m->mlp);
    for (int i = 0; i < m->vit_layers; i++)
        pass->saved[i] = kind == LAIP_PASS_BACKWARD || i == 0    ? plan_saved(m, r, rows, n, h)
                         : kind == LAIP_PASS_RECOMPUTE || i == 1 ? plan_input(m, r, rows, &pass->saved[0])
                                                                 : pass->saved[i % 2];
    if (kind == LAIP_PASS_CLS) {
        laip_sequences_plan(&pass->cls, r, images, images, 1, 0);
        pass->cls_row = laip_plan_ints(r, images);
        pass->cls_qkv = laip_plan_activations(r, images, 3 * D);
        pass->cls_x = laip_plan_activations(r, images, D);
    }
    if (laip_pass_goes_back(kind)) {
        pass->dx = laip_plan_activations(r, rows, D);
        pass->dh = laip_plan_activations(r, rows, D * (size_t)m->mlp);
        pass->dn = laip_plan_activations(r, rows, D);
        pass->dqkv = laip_plan_activations(r, rows, 3 * D);
    }
}

void laip_vit_pass_free(laip_vit_pass *pass)
{
    laip_sequences_free(&pass->tokens);
    laip_sequences_free(&pass->cls);
    free(pass->saved);
    pass->saved = NULL;
}

/* The saved activations with the number of rows of this batch. */
static laip_vit_saved now(laip_vit_saved s, size_t rows)
{
    laip_mat *all[] = {&s.x, &s.stats1, &s.n, &s.qkv, &s.o, &s.lse, &s.x1, &s.stats2, &s.pre, &s.h};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        all[i]->rows = rows;
    return s;
}

/* From the attention's context s->o on; x: the block's input. */
static void cross_attention_ffn_forward(const laip_vit_block *b, const laip_vit_saved *s, laip_mat x,
                                        laip_mat y, const laip_context *c)
{
    laip_linear_forward(c, &b->proj, s->x1, s->o, x);
    laip_norm_forward(c, &b->norm2, s->n, s->stats2, s->x1);
    laip_linear_gelu(c, &b->fc1, s->h, s->pre, s->n);
    laip_linear_forward(c, &b->fc2, y, s->h, s->x1);
}

static void block_forward(const laip_vit_block *b, const laip_vit_saved *s, const laip_attention *a,
                          laip_mat y, const laip_context *c)
{
    size_t D = s->x.cols;
    laip_norm_forward(c, &b->norm1, s->n, s->stats1, s->x);
    laip_linear_forward(c, &b->qkv, s->qkv, s->n, (laip_mat){0});
    laip_attention_forward(c->device, a, s->o, s->lse, (laip_heads){s->qkv, 0}, (laip_heads){s->qkv, D},
                           (laip_heads){s->qkv, 2 * D});
    cross_attention_ffn_forward(b, s, s->x, y, c);
}

/* The last block for the class tokens alone: y [images, D]. */
static void block_forward_cls(const laip_vit *v, laip_vit_pass *pass, const laip_vit_block *b,
                              const laip_vit_saved *s, laip_mat y, const laip_context *c)
{
    size_t D = s->x.cols, images = pass->images, N = s->x.rows / images;
    laip_vit_saved few = now(*s, images);
    laip_mat qkv = laip_rows(pass->cls_qkv, images), x = laip_rows(pass->cls_x, images);
    if (pass->cls.count != images) { /* else the tables are there already */
        int32_t *row = laip_alloc(images, sizeof *row);
        for (size_t i = 0; i < images; i++)
            row[i] = (int32_t)(i * N);
        pass->cls_row.count = images;
        laip_ints_write(c->device, pass->cls_row, row);
        free(row);
    }
    laip_sequences_uniform(&pass->cls, c->device, images, 1);
    laip_norm_forward(c, &b->norm1, s->n, s->stats1, s->x);
    laip_linear_forward(c, &b->qkv, s->qkv, s->n, (laip_mat){0});
    laip_gather_rows(c->device, qkv, s->qkv, pass->cls_row);
    laip_gather_rows(c->device, x, s->x, pass->cls_row);
    laip_attention a =
        laip_sequences_onto(&pass->cls, &pass->tokens, images, v->sizes.heads, (int)D / v->sizes.heads, 0);
    laip_attention_forward(c->device, &a, few.o, few.lse, (laip_heads){qkv, 0}, (laip_heads){s->qkv, D},
                           (laip_heads){s->qkv, 2 * D});
    cross_attention_ffn_forward(b, &few, x, y, c);
}

/* dx holds the gradient of the block's output and receives that of its input: the residual path is the buffer
 * itself. */
static void block_backward(const laip_vit_block *b, const laip_vit_saved *s, const laip_attention *a,
                           laip_mat dx, laip_mat dh, laip_mat dn, laip_mat dqkv, const laip_context *c)
{
    size_t D = s->x.cols;
    laip_gelu_forward(c->device, s->h, s->pre);
    laip_linear_backward_gelu(c, &b->fc2, dh, s->pre, dx, s->h);
    laip_norm_forward(c, &b->norm2, s->n, s->stats2, s->x1);
    laip_linear_backward(c, &b->fc1, dn, false, dh, s->n);
    laip_norm_backward(c, &b->norm2, dx, true, dn, s->x1, s->stats2);
    laip_linear_backward(c, &b->proj, dn, false, dx, s->o);
    laip_attention_backward(c->device, a,
                            &(laip_attention_gradients){.dq = {dqkv, 0},
                                                        .dk = {dqkv, D},
                                                        .dv = {dqkv, 2 * D},
                                                        .dout = dn,
                                                        .q = {s->qkv, 0},
                                                        .k = {s->qkv, D},
                                                        .v = {s->qkv, 2 * D},
                                                        .o = s->o,
                                                        .lse = s->lse,
                                                        .scratch = c->attention});
    laip_norm_forward(c, &b->norm1, s->n, s->stats1, s->x);
    laip_linear_backward(c, &b->qkv, dn, false, dqkv, s->n);
    laip_norm_backward(c, &b->norm1, dx, true, dn, s->x, s->stats1);
}

void laip_vit_forward(const laip_vit *v, laip_vit_pass *pass, const laip_context *c, size_t images)
{
    const laip_model_config *m = &v->sizes;
    size_t P = (size_t)laip_patch_count(m), rows = images * (P + 1);
    pass->images = images;
    laip_sequences_uniform(&pass->tokens, c->device, images, P + 1);
    laip_mat columns = laip_rows(pass->columns, images * P), patches = laip_rows(pass->patches, images * P);
    laip_patches(c->device, columns, laip_rows(pass->pixels, images), m->image_height, m->image_width,
                 m->patch);
    laip_linear_forward(c, &v->patch, patches, columns, (laip_mat){0});
    laip_image_tokens_forward(c->device, laip_rows(pass->saved[0].x, rows), patches, v->cls->value,
                              v->positions->value);
    laip_attention a = laip_sequences_self(&pass->tokens, images, m->heads, m->width / m->heads, 0);
    for (int i = 0; i < m->vit_layers; i++) {
        laip_vit_saved s = now(pass->saved[i], rows);
        laip_mat y = i + 1 < m->vit_layers ? pass->saved[i + 1].x : pass->last;
        if (pass->kind == LAIP_PASS_CLS && i + 1 == m->vit_layers) {
            rows = images;
            block_forward_cls(v, pass, &v->blocks[i], &s, laip_rows(y, rows), c);
        } else {
            block_forward(&v->blocks[i], &s, &a, laip_rows(y, rows), c);
        }
    }
    laip_norm_forward(c, &v->norm, laip_rows(pass->out, rows), laip_rows(pass->stats, rows),
                      laip_rows(pass->last, rows));
}

void laip_vit_backward(const laip_vit *v, laip_vit_pass *pass, const laip_context *c)
{
    const laip_model_config *m = &v->sizes;
    size_t P = (size_t)laip_patch_count(m), rows = pass->images * (P + 1);
    laip_mat dx = laip_rows(pass->dx, rows);
    laip_attention a = laip_sequences_self(&pass->tokens, pass->images, m->heads, m->width / m->heads, 0);
    laip_norm_backward(c, &v->norm, dx, false, dx, laip_rows(pass->last, rows), laip_rows(pass->stats, rows));
    for (int i = m->vit_layers; i-- > 0;) {
        laip_vit_saved s = now(pass->saved[i], rows);
        if (pass->kind == LAIP_PASS_RECOMPUTE && i + 1 < m->vit_layers) /* the last one's are still there */
            block_forward(&v->blocks[i], &s, &a, laip_rows(pass->saved[i + 1].x, rows), c);
        block_backward(&v->blocks[i], &s, &a, dx, laip_rows(pass->dh, rows), laip_rows(pass->dn, rows),
                       laip_rows(pass->dqkv, rows), c);
        laip_gradients_complete(c, LAIP_GRADIENTS_IMAGE_BLOCK, i);
    }
    laip_mat dpatches = laip_rows(pass->patches, pass->images * P);
    laip_image_tokens_backward(c->device, dpatches, v->cls->gradient, v->positions->gradient, dx);
    laip_linear_backward(c, &v->patch, (laip_mat){0}, false, dpatches,
                         laip_rows(pass->columns, pass->images * P));
    laip_gradients_complete(c, LAIP_GRADIENTS_IMAGE, 0);
}
