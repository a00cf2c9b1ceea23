/* The cross encoder: BERT's later layers with cross-attention, over one packed batch of (text, image) pairs.
 * An image's keys and values are projected once a layer and read by every sequence that names it; the last
 * layer's output is computed for the rows of the pass's selection alone. */
#ifndef LAIP_NET_CROSS_ENCODER_H
#define LAIP_NET_CROSS_ENCODER_H

#include "net/text_encoder.h"

typedef struct laip_cross_encoder {
    laip_model_config sizes;
    laip_bert_layer *layers; /* [cross_layers] */
} laip_cross_encoder;

typedef struct laip_cross_pass {
    laip_sequences tokens;
    laip_bert_selection selection; /* of the same sequences, the rows of the output that are wanted */
    laip_ints source;              /* [rows]: the row of the text batch that each row begins as */
    laip_scatter back;             /* and the way back */
    laip_bert_saved *saved;        /* [cross_layers] */
    laip_mat out, g;               /* [selection rows, D]; g: the gradient of out, before the backward */
    laip_mat gx;                   /* [rows, D]: the gradient below the last layer */
    laip_bert_scratch scratch;
    laip_pass_kind kind;
    laip_bert_backward stopped; /* between laip_cross_backward_to_scores and …_from_scores */
    int stopped_at;
} laip_cross_pass;

void laip_cross_declare(laip_cross_encoder *e, laip_table *table, const laip_model_config *m,
                        const char *prefix);
void laip_cross_free(laip_cross_encoder *e);
void laip_cross_plan(const laip_cross_encoder *e, laip_cross_pass *pass, laip_plan *plan, size_t sequences,
                     size_t rows, size_t selected_rows, size_t longest, size_t images, laip_pass_kind kind);
void laip_cross_pass_free(laip_cross_pass *pass);

/* pass->tokens and pass->selection hold the sequences (uploaded); source: [rows] on the host, rows of text,
 * which has text_rows. */
void laip_cross_prepare(laip_cross_pass *pass, laip_device *device, const int32_t *source, size_t text_rows);
/* The images' keys and values, of every layer, which no text has to do with; image [blocks·N, D]. */
void laip_cross_project(const laip_cross_encoder *e, laip_cross_pass *pass, const laip_context *c,
                        laip_mat image);
/* After it: text [text_rows, D].  pass->out is assigned. */
void laip_cross_forward(const laip_cross_encoder *e, laip_cross_pass *pass, const laip_context *c,
                        laip_mat text);
/* For evaluation, which matches a caption with many images: what of the first layer no image has to do with,
 * in place of the texts' states, `x` [rows, D] of pass->tokens; and all the rest from there, after
 * laip_cross_project.  A last layer is not divided: with one layer alone, ahead does
 * nothing. */
void laip_cross_precompute_text(const laip_cross_encoder *e, laip_cross_pass *pass, const laip_context *c,
                                laip_mat x);
laip_mat laip_cross_begin(const laip_cross_encoder *e,
                          const laip_cross_pass *pass); /* where x is to be put */
void laip_cross_match(const laip_cross_encoder *e, laip_cross_pass *pass, const laip_context *c);
/* From the top down to the context of layer `layer` (0-based), activations only, for the first `count`
 * sequences: g holds the gradient of their outputs (used up, and pass->gx too); that of the context is
 * returned. */
laip_mat laip_cross_backward_to_context(const laip_cross_encoder *e, laip_cross_pass *pass,
                                        const laip_context *c, laip_mat g, size_t count, int layer);
/* The whole backward, in two calls: down to the scores of the cross-attention of layer `layer`, to the
 * gradients of whose queries and keys the caller may add; and on from there.  pass->g holds the gradient of
 * out (used up); dimage and dtext accumulate; the context is the same in both. */
laip_cross_gradients laip_cross_backward_to_scores(const laip_cross_encoder *e, laip_cross_pass *pass,
                                                   const laip_context *c, laip_mat image, laip_mat dimage,
                                                   int layer);
void laip_cross_backward_from_scores(const laip_cross_encoder *e, laip_cross_pass *pass,
                                     const laip_context *c, laip_mat image, laip_mat dimage, laip_mat dtext);

#endif
