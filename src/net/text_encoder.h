/* The text encoder: BERT's embeddings and its first layers, over one packed batch of captions and phrases. */
#ifndef LAIP_NET_TEXT_ENCODER_H
#define LAIP_NET_TEXT_ENCODER_H

#include "net/bert.h"

typedef struct laip_text_encoder {
    laip_model_config sizes;
    laip_bert_embeddings embeddings;
    laip_bert_layer *layers; /* [text_layers] */
} laip_text_encoder;

typedef struct laip_text_pass {
    laip_sequences tokens;
    laip_ints ids, positions;
    laip_scatter words, places;    /* the backward of the embeddings */
    laip_mat sum, stats;           /* what the embeddings' norm takes */
    laip_bert_saved *saved;        /* [text_layers] */
    laip_mat out;                  /* [rows, D] */
    laip_bert_selection selection; /* of LAIP_PASS_CLS: then out is [sequences, D] */
    laip_mat g;                    /* the gradient of out, before the backward */
    laip_bert_scratch scratch;
    laip_pass_kind kind;
} laip_text_pass;

void laip_text_declare(laip_text_encoder *e, laip_table *table, const laip_model_config *m,
                       const char *prefix);
void laip_text_free(laip_text_encoder *e);
void laip_text_plan(const laip_text_encoder *e, laip_text_pass *pass, laip_plan *plan, size_t sequences,
                    size_t rows, size_t longest, laip_pass_kind kind);
void laip_text_pass_free(laip_text_pass *pass);

/* pass->tokens holds the sequences (uploaded); ids their tokens, [rows] on the host. */
void laip_text_prepare(const laip_text_encoder *e, laip_text_pass *pass, laip_device *device,
                       const int32_t *ids);
/* pass->out is assigned. */
void laip_text_forward(const laip_text_encoder *e, laip_text_pass *pass, const laip_context *c);
void laip_text_backward(const laip_text_encoder *e, laip_text_pass *pass, const laip_context *c);

#endif
