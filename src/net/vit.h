/* The image encoder, ViT: patch embedding, class token, learned positions, pre-norm blocks, final norm
 * (src/model/README.md, 1). Images [B, 3·H·W] become tokens [B·N, D], N = P + 1, row 0 of each image its
 * class token. */
#ifndef LAIP_NET_VIT_H
#define LAIP_NET_VIT_H

#include "net/config.h"
#include "net/linear.h"
#include "net/sequences.h"

typedef struct laip_vit_block {
    laip_norm norm1, norm2;
    laip_linear qkv, proj, fc1, fc2;
} laip_vit_block;

typedef struct laip_vit {
    laip_model_config sizes;
    laip_param *cls, *positions;
    laip_linear patch;
    laip_vit_block *blocks; /* [layers] */
    laip_norm norm;
} laip_vit;

/* What a block keeps of its forward for its backward; all [B·N, …]. */
typedef struct laip_vit_saved {
    laip_mat x, stats1, n, qkv, o, lse, x1, stats2, pre, h;
} laip_vit_saved;

typedef struct laip_vit_pass {
    size_t images; /* now */
    laip_sequences tokens;
    laip_mat pixels;           /* [B, 3·H·W]; in training the caller's, its mem is set before each pass */
    laip_mat columns, patches; /* [B·P, 3·p·p], [B·P, D] */
    laip_vit_saved *saved;     /* [layers]; they may share sets */
    laip_mat last, stats, out; /* the input of the final norm, its stats, the encoder's output */
    laip_mat dx, dh, dn, dqkv; /* of the backward; dx receives the output's gradient */
    laip_pass_kind kind;
    /* of LAIP_PASS_CLS: the last block's queries and input in these rows; then out is [B, D] */
    laip_sequences cls;
    laip_ints cls_row;
    laip_mat cls_qkv, cls_x;
} laip_vit_pass;

/* Declares the parameters under "PREFIX." in the names of ViT's public checkpoints. */
void laip_vit_declare(laip_vit *v, laip_table *table, const laip_model_config *sizes, const char *prefix);
void laip_vit_free(laip_vit *v);
/* Lays out a pass of up to `images` images. */
void laip_vit_plan(const laip_vit *v, laip_vit_pass *pass, laip_plan *plan, size_t images,
                   laip_pass_kind kind);
void laip_vit_pass_free(laip_vit_pass *pass);

/* pass->pixels holds the images; pass->out receives the tokens. */
void laip_vit_forward(const laip_vit *v, laip_vit_pass *pass, const laip_context *c, size_t images);
/* pass->dx holds the gradient of pass->out (overwritten); the parameters' gradients accumulate. */
void laip_vit_backward(const laip_vit *v, laip_vit_pass *pass, const laip_context *c);

#endif
