#include "net/text_encoder.h"

#include "base/memory.h"
#include "ops/bias.h"
#include "ops/dropout.h"
#include "ops/embedding.h"
#include "ops/gather.h"
#include <stdlib.h>

void laip_text_declare(laip_text_encoder *e, laip_table *t, const laip_model_config *m, const char *prefix)
{
    *e = (laip_text_encoder){.sizes = *m};
    laip_bert_embeddings_declare(&e->embeddings, t, m, prefix);
    e->layers = laip_alloc((size_t)m->text_layers, sizeof *e->layers);
    for (int i = 0; i < m->text_layers; i++)
        laip_bert_layer_declare(&e->layers[i], t, m, prefix, i, false, false);
}

void laip_text_free(laip_text_encoder *e)
{
    free(e->layers);
    e->layers = NULL;
}

void laip_text_plan(const laip_text_encoder *e, laip_text_pass *pass, laip_plan *r, size_t sequences,
                    size_t rows, size_t longest, laip_pass_kind kind)
{
    const laip_model_config *m = &e->sizes;
    size_t D = (size_t)m->width;
    laip_text_pass_free(pass);
    *pass = (laip_text_pass){.kind = kind};
    laip_sequences_plan(&pass->tokens, r, sequences, rows, longest, 0);
    pass->ids = laip_plan_ints(r, rows);
    pass->positions = laip_plan_ints(r, rows);
    pass->sum = laip_plan_activations(r, rows, D);
    pass->stats = laip_plan_mat(r, rows, 2);
    pass->out = laip_plan_activations(r, rows, D);
    laip_mat h = laip_plan_activations(r, rows, D * (size_t)m->mlp);
    pass->saved = laip_alloc((size_t)m->text_layers, sizeof *pass->saved);
    for (int i = 0; i < m->text_layers; i++)
        pass->saved[i] = kind == LAIP_PASS_BACKWARD || i == 0
                             ? laip_bert_plan_saved(m, r, rows, 0, 0, false, h, NULL)
                         : kind == LAIP_PASS_RECOMPUTE || i == 1
                             ? laip_bert_plan_saved(m, r, rows, 0, 0, false, h, &pass->saved[0])
                             : pass->saved[i % 2];
    if (kind == LAIP_PASS_CLS) {
        laip_bert_saved *last = &pass->saved[m->text_layers - 1];
        last->self_q = laip_plan_activations(r, sequences, 3 * D);
        last->x_selected = laip_plan_activations(r, sequences, D);
        laip_bert_selection_plan(&pass->selection, r, sequences, sequences, 1, 0, false);
    }
    if (laip_pass_goes_back(kind)) {
        pass->words = laip_scatter_plan(r, rows);
        pass->places = laip_scatter_plan(r, rows);
        pass->g = laip_plan_activations(r, rows, D);
        pass->scratch = laip_bert_plan_scratch(m, r, rows, 0);
    }
}

void laip_text_pass_free(laip_text_pass *pass)
{
    laip_sequences_free(&pass->tokens);
    laip_bert_selection_free(&pass->selection);
    free(pass->saved);
    pass->saved = NULL;
}

static void select_cls(laip_text_pass *pass, laip_device *d)
{
    const laip_sequences *s = &pass->tokens;
    laip_bert_selection_clear(&pass->selection);
    for (size_t i = 0; i < s->count; i++)
        laip_bert_selection_add(&pass->selection, s->begin[i], 1, false, 0, s->id[i]);
    laip_bert_selection_upload(&pass->selection, d, s);
}

void laip_text_prepare(const laip_text_encoder *e, laip_text_pass *pass, laip_device *d, const int32_t *ids)
{
    const laip_sequences *s = &pass->tokens;
    int32_t *places = laip_alloc(s->rows, sizeof *places);
    for (size_t i = 0; i < s->count; i++)
        for (int32_t r = s->begin[i]; r < s->begin[i + 1]; r++)
            places[r] = r - s->begin[i];
    pass->ids.count = pass->positions.count = s->rows;
    laip_ints_write(d, pass->ids, ids);
    laip_ints_write(d, pass->positions, places);
    if (laip_pass_goes_back(pass->kind)) {
        laip_scatter_upload(&pass->words, d, ids, s->rows, (size_t)e->sizes.vocab);
        laip_scatter_upload(&pass->places, d, places, s->rows, (size_t)e->sizes.positions);
    }
    free(places);
    if (pass->kind == LAIP_PASS_CLS)
        select_cls(pass, d);
}

static void last_for_cls(const laip_text_encoder *e, laip_text_pass *pass, const laip_context *c)
{
    int last = e->sizes.text_layers - 1;
    laip_sequences *s = &pass->tokens;
    laip_bert_last_forward(&e->layers[last], &pass->saved[last], s, &pass->selection,
                           laip_rows(pass->out, s->count), c);
}

void laip_text_forward(const laip_text_encoder *e, laip_text_pass *pass, const laip_context *c)
{
    const laip_bert_embeddings *b = &e->embeddings;
    laip_sequences *s = &pass->tokens;
    size_t rows = s->rows;
    laip_mat sum = laip_rows(pass->sum, rows), x = laip_rows(pass->saved[0].x, rows);
    laip_embedding_forward(c->device, sum, pass->ids, pass->positions, b->word->value, b->position->value,
                           b->type->value);
    laip_norm_forward(c, &b->norm, x, laip_rows(pass->stats, rows), sum);
    laip_dropout_mask mask = laip_sequences_mask(s, laip_context_stream(c, 0), c->dropout);
    if (c->dropout > 0)
        laip_dropout(c->device, x, x, (laip_mat){0}, &mask);
    int full = e->sizes.text_layers - (pass->kind == LAIP_PASS_CLS);
    for (int i = 0; i < full; i++) {
        laip_mat y = i + 1 < e->sizes.text_layers ? pass->saved[i + 1].x : pass->out;
        laip_bert_layer_forward(&e->layers[i], &pass->saved[i], s, laip_rows(y, rows), c);
    }
    if (pass->kind == LAIP_PASS_CLS)
        last_for_cls(e, pass, c);
}

void laip_text_backward(const laip_text_encoder *e, laip_text_pass *pass, const laip_context *c)
{
    const laip_bert_embeddings *b = &e->embeddings;
    laip_sequences *s = &pass->tokens;
    laip_mat g = laip_rows(pass->g, s->rows), none = {0};
    for (int i = e->sizes.text_layers; i-- > 0;) {
        if (pass->kind == LAIP_PASS_RECOMPUTE && i + 1 < e->sizes.text_layers)
            laip_bert_layer_forward(&e->layers[i], &pass->saved[i], s,
                                    laip_rows(pass->saved[i + 1].x, s->rows), c);
        laip_bert_layer_backward(&(laip_bert_backward){.layer = &e->layers[i],
                                                       .saved = &pass->saved[i],
                                                       .tokens = s,
                                                       .count = s->count,
                                                       .g = g,
                                                       .scratch = &pass->scratch,
                                                       .c = c});
        laip_gradients_complete(c, LAIP_GRADIENTS_TEXT_LAYER, i);
    }
    laip_dropout_mask mask = laip_sequences_mask(s, laip_context_stream(c, 0), c->dropout);
    if (c->dropout > 0)
        laip_dropout(c->device, g, g, none, &mask);
    laip_norm_backward(c, &b->norm, g, false, g, laip_rows(pass->sum, s->rows),
                       laip_rows(pass->stats, s->rows));
    laip_scatter_rows(c->device, b->word->gradient, g, pass->words.target, pass->words.begin,
                      pass->words.source, pass->words.targets);
    laip_scatter_rows(c->device, b->position->gradient, g, pass->places.target, pass->places.begin,
                      pass->places.source, pass->places.targets);
    laip_mat type = b->type->gradient; /* every token is of type 0: the first row */
    type.rows = 1;
    laip_bias_gradient(c->device, type, g, c->reduce);
    laip_gradients_complete(c, LAIP_GRADIENTS_TEXT, 0);
}
