#include "net/cross_encoder.h"

#include "base/memory.h"
#include "ops/gather.h"
#include <stdlib.h>

void laip_cross_declare(laip_cross_encoder *e, laip_table *t, const laip_model_config *m, const char *prefix)
{
    *e = (laip_cross_encoder){.sizes = *m};
    e->layers = laip_alloc((size_t)m->cross_layers, sizeof *e->layers);
    for (int i = 0; i < m->cross_layers; i++)
        laip_bert_layer_declare(&e->layers[i], t, m, prefix, m->text_layers + i, true,
                                i + 1 == m->cross_layers);
}

void laip_cross_free(laip_cross_encoder *e)
{
    free(e->layers);
    e->layers = NULL;
}

void laip_cross_plan(const laip_cross_encoder *e, laip_cross_pass *pass, laip_plan *r, size_t sequences,
                     size_t rows, size_t selected_rows, size_t longest, size_t images, laip_pass_kind kind)
{
    const laip_model_config *m = &e->sizes;
    size_t D = (size_t)m->width, image_rows = images * ((size_t)laip_patch_count(m) + 1);
    int last = m->cross_layers - 1;
    laip_cross_pass_free(pass);
    *pass = (laip_cross_pass){.kind = kind};
    laip_sequences_plan(&pass->tokens, r, sequences, rows, longest, images);
    laip_bert_selection_plan(&pass->selection, r, sequences, selected_rows, longest, images,
                             laip_pass_goes_back(kind));
    pass->source = laip_plan_ints(r, rows);
    pass->out = laip_plan_activations(r, selected_rows, D);
    laip_mat h = laip_plan_activations(r, rows, D * (size_t)m->mlp);
    pass->saved = laip_alloc((size_t)m->cross_layers, sizeof *pass->saved);
    for (int i = 0; i < m->cross_layers; i++)
        pass->saved[i] = i == last
                             ? laip_bert_plan_saved(m, r, rows, selected_rows, image_rows, true, h, NULL)
                         : kind == LAIP_PASS_BACKWARD || i == 0
                             ? laip_bert_plan_saved(m, r, rows, 0, image_rows, true, h, NULL)
                             : laip_bert_plan_saved(m, r, rows, 0, image_rows, true, h, &pass->saved[0]);
    if (laip_pass_goes_back(kind)) {
        pass->back = laip_scatter_plan(r, rows);
        pass->g = laip_plan_activations(r, selected_rows, D);
        pass->gx = laip_plan_activations(r, rows, D);
        pass->scratch = laip_bert_plan_scratch(m, r, rows, image_rows);
    }
}

void laip_cross_pass_free(laip_cross_pass *pass)
{
    laip_sequences_free(&pass->tokens);
    laip_bert_selection_free(&pass->selection);
    free(pass->saved);
    pass->saved = NULL;
}

/* Layers first … last. */
static void layers_forward(const laip_cross_encoder *e, laip_cross_pass *pass, int first, laip_mat image,
                           bool shared, laip_step_key key, const laip_context *c)
{
    laip_sequences *s = &pass->tokens;
    int last = e->sizes.cross_layers - 1;
    for (int i = first; i < last; i++)
        laip_bert_layer_forward(&e->layers[i], &pass->saved[i], s, laip_rows(pass->saved[i + 1].x, s->rows),
                                image, shared, key, c);
    laip_bert_last_forward(&e->layers[last], &pass->saved[last], s, &pass->selection,
                           laip_rows(pass->out, pass->selection.tokens.rows), image, shared, key, c);
}

void laip_cross_precompute_text(const laip_cross_encoder *e, laip_cross_pass *pass, const laip_context *c,
                                laip_mat x)
{
    laip_mat y = laip_rows(pass->saved[0].y1, x.rows);
    if (e->sizes.cross_layers == 1)
        return;
    laip_mat_copy(c->device, laip_rows(pass->saved[0].x, x.rows), x);
    laip_bert_self_forward(&e->layers[0], &pass->saved[0], &pass->tokens, (laip_step_key){0}, c);
    laip_mat_copy(c->device, x, y);
}

laip_mat laip_cross_begin(const laip_cross_encoder *e, const laip_cross_pass *pass)
{
    return laip_rows(e->sizes.cross_layers == 1 ? pass->saved[0].x : pass->saved[0].y1, pass->tokens.rows);
}

void laip_cross_match(const laip_cross_encoder *e, laip_cross_pass *pass, const laip_context *c)
{
    laip_mat none = {0};
    laip_step_key key = {0};
    int first = e->sizes.cross_layers > 1;
    if (first)
        laip_bert_cross_attention_ffn_forward(&e->layers[0], &pass->saved[0], &pass->tokens,
                                              laip_rows(pass->saved[1].x, pass->tokens.rows), none, true, key,
                                              c);
    layers_forward(e, pass, first, none, true, key, c);
}

void laip_cross_forward(const laip_cross_encoder *e, laip_cross_pass *pass, const laip_context *c,
                        laip_mat text, const int32_t *source, size_t text_rows, laip_mat image,
                        laip_step_key key)
{
    laip_sequences *s = &pass->tokens;
    pass->source.count = s->rows;
    laip_ints_write(c->device, pass->source, source);
    if (laip_pass_goes_back(pass->kind))
        laip_scatter_upload(&pass->back, c->device, source, s->rows, text_rows);
    laip_gather_rows(c->device, laip_rows(pass->saved[0].x, s->rows), laip_rows(text, text_rows),
                     pass->source);
    layers_forward(e, pass, 0, image, false, key, c);
}

/* The backward of layer i below the last.  Its activations are made again where layers share them: its
 * queries and the images' keys and values were kept. */
static void layer_backward(const laip_cross_encoder *e, laip_cross_pass *pass, int i, size_t count,
                           laip_mat image, laip_mat dimage, const laip_cross_hook *hook, laip_step_key key,
                           const laip_context *c)
{
    laip_sequences *s = &pass->tokens;
    if (pass->kind == LAIP_PASS_RECOMPUTE)
        laip_bert_layer_forward(&e->layers[i], &pass->saved[i], s, laip_rows(pass->saved[i + 1].x, s->rows),
                                image, true, key, c);
    laip_bert_layer_backward(&e->layers[i], &pass->saved[i], s, count, pass->gx, image, dimage,
                             &pass->scratch, hook, key, c);
}

void laip_cross_backward_to(const laip_cross_encoder *e, laip_cross_pass *pass, const laip_context *c,
                            laip_mat g, size_t count, int layer, const laip_cross_hook *hook,
                            laip_step_key key)
{
    laip_context activations = *c;
    laip_mat none = {0};
    int last = e->sizes.cross_layers - 1;
    activations.frozen = true;
    laip_bert_last_backward(&e->layers[last], &pass->saved[last], &pass->tokens, &pass->selection, count, g,
                            pass->gx, none, none, &pass->scratch, last == layer ? hook : NULL, key,
                            &activations);
    for (int i = last; i-- > layer;)
        layer_backward(e, pass, i, count, none, none, i == layer ? hook : NULL, key, &activations);
}

void laip_cross_backward(const laip_cross_encoder *e, laip_cross_pass *pass, const laip_context *c,
                         laip_mat image, laip_mat dimage, laip_mat dtext, int hook_layer,
                         const laip_cross_hook *hook, laip_step_key key)
{
    laip_sequences *s = &pass->tokens;
    laip_mat gx = laip_rows(pass->gx, s->rows);
    int last = e->sizes.cross_layers - 1;
    laip_bert_last_backward(&e->layers[last], &pass->saved[last], s, &pass->selection, s->count, pass->g, gx,
                            image, dimage, &pass->scratch, last == hook_layer ? hook : NULL, key, c);
    for (int i = last; i-- > 0;)
        layer_backward(e, pass, i, s->count, image, dimage, i == hook_layer ? hook : NULL, key, c);
    laip_scatter_rows(c->device, dtext, gx, pass->back.target, pass->back.begin, pass->back.source,
                      pass->back.targets);
}
