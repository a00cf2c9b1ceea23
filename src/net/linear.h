/* Linear layers and norms with their parameters; and what every layer needs besides its own: the context. */
#ifndef LAIP_NET_LINEAR_H
#define LAIP_NET_LINEAR_H

#include "base/rng.h"
#include "net/param.h"
#include "ops/gemm/gemm.h"

/* Names the random streams of a pass's dropout. */
typedef struct laip_step_key {
    uint64_t seed, step;
} laip_step_key;

/* Whoever is told, as a backward goes on, that the gradients of a part of the network are complete. */
enum laip_gradient_part {
    LAIP_GRADIENTS_CROSS,       /* cross layers, projections, heads, temperature */
    LAIP_GRADIENTS_TEXT_LAYER,  /* of the text encoder, from the last one down */
    LAIP_GRADIENTS_TEXT,        /* its embeddings */
    LAIP_GRADIENTS_IMAGE_BLOCK, /* of the image encoder, likewise */
    LAIP_GRADIENTS_IMAGE        /* the rest of it */
};
typedef struct laip_gradient_listener {
    void (*complete)(struct laip_gradient_listener *self, enum laip_gradient_part part, int layer);
} laip_gradient_listener;

typedef struct laip_context {
    laip_device *device;
    laip_mat reduce;    /* scratch of column sums and of norms' gradients */
    laip_mat attention; /* scratch of attention's backward */
    laip_mat report;    /* of the step (cl/shared.h): the loss's scale, and where losses go; may be NULL */
    laip_gradient_listener *listener; /* NULL: nobody */
    bool frozen;                      /* backward makes gradients of activations only, none of parameters */
    float dropout;                    /* p in this pass; 0 in evaluation and in momentum passes */
    laip_step_key key;                /* of its masks */
} laip_context;

/* The random stream of dropout `site`. */
static inline laip_rng_key laip_context_stream(const laip_context *c, uint32_t site)
{
    return laip_rng_fold(c->key.seed, c->key.step, LAIP_SITE_DROPOUT + site);
}

static inline void laip_gradients_complete(const laip_context *c, enum laip_gradient_part part, int layer)
{
    if (c->listener)
        c->listener->complete(c->listener, part, layer);
}

typedef struct laip_linear {
    laip_param *weight, *bias; /* [out, in], [out] */
    /* Outputs that are attention's keys.  Their bias adds the same to all scores of a query, which softmax
     * does not see: its gradient is 0, and what rounding leaves of the sum would be all that it ever learns
     * from. */
    size_t keys, first_key;
    bool fp32; /* its products are, whatever the precision: it is small, and what comes after magnifies */
} laip_linear;

typedef struct laip_norm {
    laip_param *weight, *bias; /* [D], [D] */
    float eps;
} laip_norm;

laip_linear laip_linear_declare(laip_table *table, const char *name, size_t out, size_t in);
laip_norm laip_norm_declare(laip_table *table, const char *name, size_t width, float eps);

/* y = x Wᵀ + b (+ residual, when its mem is not NULL).  x [rows, in], y [rows, out] assigned. */
void laip_linear_forward(const laip_context *c, const laip_linear *l, laip_mat y, laip_mat x,
                         laip_mat residual);
/* y = dropout(x Wᵀ + b) + residual, p = 0 dropping nothing. */
void laip_linear_dropout(const laip_context *c, const laip_linear *l, laip_mat y, laip_mat x,
                         const laip_dropout_mask *mask, laip_mat residual);
/* y = gelu(pre), pre = x Wᵀ + b; both assigned. */
void laip_linear_gelu(const laip_context *c, const laip_linear *l, laip_mat y, laip_mat pre, laip_mat x);
/* dx = dy W (mem NULL: not wanted; += when accumulate); the gradients of W and b accumulate unless c->frozen
 * (that of W begins with an assignment: laip_params_zero_gradients). */
void laip_linear_backward(const laip_context *c, const laip_linear *l, laip_mat dx, bool accumulate,
                          laip_mat dy, laip_mat x);
/* The same past a GELU before the layer, x = gelu(pre): dpre = dy W ∘ gelu'(pre), assigned. */
void laip_linear_backward_gelu(const laip_context *c, const laip_linear *l, laip_mat dpre, laip_mat pre,
                               laip_mat dy, laip_mat x);

/* y = norm(x); stats [rows, 2] are kept for the backward. */
void laip_norm_forward(const laip_context *c, const laip_norm *n, laip_mat y, laip_mat stats, laip_mat x);
/* dx (+)= the gradient; dx may be dy when not accumulating. */
void laip_norm_backward(const laip_context *c, const laip_norm *n, laip_mat dx, bool accumulate, laip_mat dy,
                        laip_mat x, laip_mat stats);

/* Floats that context.reduce must hold for layers of up to `rows` rows and `cols` columns. */
size_t laip_reduce_scratch(const laip_device *device, size_t rows, size_t cols);

#endif
