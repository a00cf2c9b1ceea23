/* BERT: embeddings, and post-norm layers with or without cross-attention to image tokens
 * (src/model/README.md, 1).  All batches are packed: [rows, D] with a laip_sequences beside it. */
#ifndef LAIP_NET_BERT_H
#define LAIP_NET_BERT_H

#include "net/config.h"
#include "net/linear.h"
#include "net/scatter.h"
#include "net/sequences.h"

typedef struct laip_bert_embeddings {
    laip_param *word, *position, *type;
    laip_norm norm;
} laip_bert_embeddings;

typedef struct laip_bert_layer {
    int heads;
    laip_linear qkv, attention_out; /* self-attention; query, key and value fused */
    laip_linear self_query,
        self_kv; /* instead of qkv, in a layer declared as the last: see laip_bert_selection */
    laip_norm attention_norm;
    bool crosses;
    laip_linear query, kv, cross_out; /* cross-attention; key and value of the image tokens fused */
    laip_norm cross_norm;
    laip_linear intermediate, output;
    laip_norm output_norm;
    uint32_t site; /* of the first of its dropouts */
} laip_bert_layer;

enum { LAIP_BERT_SITES = 5 }; /* dropouts a layer: two attentions, three hidden states */

/* What a layer keeps of its forward for its backward; the sums are what the norms take. */
typedef struct laip_bert_saved {
    laip_mat x, qkv, o, lse, sum1, stats1, y1;
    laip_mat q, kv, co, clse, sum2, stats2, y2; /* with cross-attention; y2 is y1 without */
    laip_mat pre, h, sum3, stats3;
    laip_mat self_q, x_selected; /* of a last layer: [selection rows, 3D or D], [selection rows, D] */
} laip_bert_saved;

/* The rows that somebody reads of a last layer's output: of most sequences only [CLS].  That layer needs all
 * tokens for its keys and values alone; queries, cross-attention and MLP are of these rows. */
typedef struct laip_bert_selection {
    laip_sequences tokens; /* as many sequences as the batch has, each with the rows wanted of it */
    int32_t *source;       /* host, [rows]: which row of the batch each is */
    laip_ints d_source;
    laip_scatter back; /* adds their gradients to those of all rows */
    bool backward;
} laip_bert_selection;

/* Scratch of a layer's backward, shared by all layers. */
typedef struct laip_bert_scratch {
    laip_mat dh, dn, dqkv, dropped; /* [rows, mlp·D], [rows, D], [rows, 3D], [rows, D] */
    laip_mat dkv;                   /* [image rows, 2D] */
} laip_bert_scratch;

void laip_bert_embeddings_declare(laip_bert_embeddings *e, laip_table *table, const laip_model_config *m,
                                  const char *prefix);
/* last: its output is only wanted for the rows of a laip_bert_selection. */
void laip_bert_layer_declare(laip_bert_layer *l, laip_table *table, const laip_model_config *m,
                             const char *prefix, int index, bool crosses, bool last);
/* selected_rows 0: not for laip_bert_last_forward.  h [rows, hidden]: GELU's output, shared by all layers;
 * the backward makes it again.  shared (or NULL): a set that gives what a layer can make again from its
 * input; what BidirAtt looks at, and the images' keys and values, are the layer's own. */
laip_bert_saved laip_bert_plan_saved(const laip_model_config *m, laip_plan *plan, size_t rows,
                                     size_t selected_rows, size_t image_rows, bool crosses, laip_mat h,
                                     const laip_bert_saved *shared);
laip_bert_scratch laip_bert_plan_scratch(const laip_model_config *m, laip_plan *plan, size_t rows,
                                         size_t image_rows);

/* y = layer(s->x) for all rows of q; where the layer crosses, s->kv holds the images' keys and values. */
void laip_bert_layer_forward(const laip_bert_layer *l, const laip_bert_saved *s, laip_sequences *q,
                             laip_mat y, const laip_context *c);

/* Its two parts: s->y1, norm of self-attention and s->x, which no image has to do with; and cross-attention
 * and MLP from there. */
void laip_bert_self_forward(const laip_bert_layer *l, const laip_bert_saved *s, laip_sequences *q,
                            const laip_context *c);
void laip_bert_cross_attention_ffn_forward(const laip_bert_layer *l, const laip_bert_saved *s,
                                           laip_sequences *q, laip_mat y, const laip_context *c);

/* Selections: laid out for up to these counts; cleared; filled, in the order of the batch's sequences, with
 * all or only the first of the `length` rows of the sequence that begins at row `begin`; uploaded. */
void laip_bert_selection_plan(laip_bert_selection *selection, laip_plan *plan, size_t sequences, size_t rows,
                              size_t longest, size_t images, bool backward);
void laip_bert_selection_free(laip_bert_selection *selection);
void laip_bert_selection_clear(laip_bert_selection *selection);
size_t laip_bert_selection_add(laip_bert_selection *selection, int32_t begin, size_t length, bool all,
                               int32_t image, uint64_t id);
void laip_bert_selection_upload(laip_bert_selection *selection, laip_device *device,
                                const laip_sequences *batch);

/* The same for a last layer: y [selected rows, D].  With the fused qkv (a layer not declared as last, forward
 * only) all rows' queries are made, and those of the selection picked. */
void laip_bert_last_forward(const laip_bert_layer *l, const laip_bert_saved *s, const laip_sequences *q,
                            laip_bert_selection *selection, laip_mat y, const laip_context *c);

/* What a layer's backward takes, for the first `count` sequences.  g holds the gradient of the layer's output
 * and receives that of its input; of a layer declared as last, which has a selection, g [selected rows, D] is
 * used up and gx [rows, D] is assigned.  dimage accumulates (mem NULL: not wanted, and then keys and values
 * get no gradient either). */
typedef struct laip_bert_backward {
    const laip_bert_layer *layer;
    const laip_bert_saved *saved;
    laip_sequences *tokens;
    laip_bert_selection *selection;
    size_t count;
    laip_mat g, gx, image, dimage;
    const laip_bert_scratch *scratch;
    const laip_context *c;
} laip_bert_backward;

void laip_bert_layer_backward(const laip_bert_backward *p);

/* The same of a layer with cross-attention, stopping there.  to_context: down to the gradient of the context
 * O = A V, [rows, D], which is returned (scratch) and is where a pass may end.  to_scores: down to the
 * gradients of queries and keys, to which the caller may add; from_scores goes on with them. */
typedef struct laip_cross_gradients {
    laip_heads dq, dk;
} laip_cross_gradients;
laip_mat laip_bert_backward_to_context(const laip_bert_backward *p);
laip_cross_gradients laip_bert_backward_to_scores(const laip_bert_backward *p);
void laip_bert_backward_from_scores(const laip_bert_backward *p);

#endif
