/* MPM and MLM, masked tokens predicted by the MLM head (src/model/README.md, 3.1): dense → GELU → LayerNorm →
 * the word embeddings' transpose + bias. */
#ifndef LAIP_LOSS_MPM_H
#define LAIP_LOSS_MPM_H

#include "loss/masked.h"
#include "net/config.h"
#include "net/linear.h"
#include "net/text_encoder.h"

typedef struct laip_mlm_head {
    laip_linear dense;
    laip_norm norm;
    laip_param *bias; /* [V] */
    laip_param *word; /* [V, D], the word embeddings: tied */
} laip_mlm_head;

typedef struct laip_mpm {
    size_t count;            /* masked tokens now */
    laip_ints index, target; /* rows of the cross batch, and the masked tokens */
    laip_scatter back;
    laip_mat x, pre, h, stats, t; /* [count, D] and [count, 2] */
    laip_mat logits, loss;        /* [count, V], [count, 1] */
    laip_ints weight;             /* [count] floats */
    laip_mat dt;                  /* [count, D] */
} laip_mpm;

void laip_mlm_head_declare(laip_mlm_head *h, laip_table *table, const laip_model_config *m,
                           const char *prefix, laip_param *word);
void laip_mpm_plan(laip_mpm *l, laip_plan *plan, const laip_model_config *m, size_t most);

void laip_mpm_prepare(laip_mpm *l, laip_device *device, const laip_masked *masked);
/* The head's hidden states of the prepared rows of tokens. */
void laip_mpm_forward(laip_mpm *l, const laip_mlm_head *h, const laip_context *c, laip_mat tokens);
/* The gradient of y = Σ of the first `count` tokens' own logits into dtokens (accumulated), activations only.
 */
void laip_mpm_truth_gradient(laip_mpm *l, const laip_mlm_head *h, const laip_context *c, laip_mat dtokens,
                             size_t count);
/* Cross-entropy of every token, and the gradient of Σ weight_i · loss_i into dtokens (accumulated) and the
 * parameters. */
void laip_mpm_loss(laip_mpm *l, const laip_mlm_head *h, const laip_context *c, laip_mat dtokens);

#endif
