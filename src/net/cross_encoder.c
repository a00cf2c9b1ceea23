#include "net/cross_encoder.h"

#include "base/memory.h"
#include "ops/gather.h"
#include <stdlib.h>

/* A backward's gradient of the output, and the images, for the first `count` sequences. */
typedef struct backward {
    laip_mat g, image, dimage;
    size_t count;
} backward;

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

void laip_cross_project(const laip_cross_encoder *e, laip_cross_pass *pass, const laip_context *c,
                        laip_mat image)
{
    for (int i = 0; i < e->sizes.cross_layers; i++)
        laip_linear_forward(c, &e->layers[i].kv, laip_rows(pass->saved[i].kv, image.rows), image,
                            (laip_mat){0});
}

/* Layers first … last. */
static void layers_forward(const laip_cross_encoder *e, laip_cross_pass *pass, int first,
                           const laip_context *c)
{
    laip_sequences *s = &pass->tokens;
    int last = e->sizes.cross_layers - 1;
    for (int i = first; i < last; i++)
        laip_bert_layer_forward(&e->layers[i], &pass->saved[i], s, laip_rows(pass->saved[i + 1].x, s->rows),
                                c);
    laip_bert_last_forward(&e->layers[last], &pass->saved[last], s, &pass->selection,
                           laip_rows(pass->out, pass->selection.tokens.rows), c);
}

void laip_cross_precompute_text(const laip_cross_encoder *e, laip_cross_pass *pass, const laip_context *c,
                                laip_mat x)
{
    laip_mat y = laip_rows(pass->saved[0].y1, x.rows);
    if (e->sizes.cross_layers == 1)
        return;
    laip_mat_copy(c->device, laip_rows(pass->saved[0].x, x.rows), x);
    laip_bert_self_forward(&e->layers[0], &pass->saved[0], &pass->tokens, c);
    laip_mat_copy(c->device, x, y);
}

laip_mat laip_cross_begin(const laip_cross_encoder *e, const laip_cross_pass *pass)
{
    return laip_rows(e->sizes.cross_layers == 1 ? pass->saved[0].x : pass->saved[0].y1, pass->tokens.rows);
}

void laip_cross_match(const laip_cross_encoder *e, laip_cross_pass *pass, const laip_context *c)
{
    int first = e->sizes.cross_layers > 1;
    if (first)
        laip_bert_cross_attention_ffn_forward(&e->layers[0], &pass->saved[0], &pass->tokens,
                                              laip_rows(pass->saved[1].x, pass->tokens.rows), c);
    layers_forward(e, pass, first, c);
}

void laip_cross_prepare(laip_cross_pass *pass, laip_device *d, const int32_t *source, size_t text_rows)
{
    pass->source.count = pass->tokens.rows;
    laip_ints_write(d, pass->source, source);
    if (laip_pass_goes_back(pass->kind))
        laip_scatter_upload(&pass->back, d, source, pass->tokens.rows, text_rows);
}

void laip_cross_forward(const laip_cross_encoder *e, laip_cross_pass *pass, const laip_context *c,
                        laip_mat text)
{
    laip_gather_rows(c->device, laip_rows(pass->saved[0].x, pass->tokens.rows), text, pass->source);
    layers_forward(e, pass, 0, c);
}

/* What layer i's backward takes; below the last, whose own are still there, its activations are made again
 * where layers share them: its queries and the images' keys and values were kept. */
static laip_bert_backward layer_backward(const laip_cross_encoder *e, laip_cross_pass *pass, int i,
                                         const backward *b, const laip_context *c)
{
    laip_sequences *s = &pass->tokens;
    bool last = i + 1 == e->sizes.cross_layers;
    if (!last && pass->kind == LAIP_PASS_RECOMPUTE)
        laip_bert_layer_forward(&e->layers[i], &pass->saved[i], s, laip_rows(pass->saved[i + 1].x, s->rows),
                                c);
    return (laip_bert_backward){.layer = &e->layers[i],
                                .saved = &pass->saved[i],
                                .tokens = s,
                                .selection = last ? &pass->selection : NULL,
                                .count = b->count,
                                .g = last ? b->g : pass->gx,
                                .gx = pass->gx,
                                .image = b->image,
                                .dimage = b->dimage,
                                .scratch = &pass->scratch,
                                .c = c};
}

/* From the top past all layers above `layer`. */
static void layers_backward(const laip_cross_encoder *e, laip_cross_pass *pass, int layer, const backward *b,
                            const laip_context *c)
{
    for (int i = e->sizes.cross_layers - 1; i > layer; i--) {
        laip_bert_backward l = layer_backward(e, pass, i, b, c);
        laip_bert_layer_backward(&l);
    }
}

laip_mat laip_cross_backward_to_context(const laip_cross_encoder *e, laip_cross_pass *pass,
                                        const laip_context *c, laip_mat g, size_t count, int layer)
{
    laip_context activations = *c;
    backward b = {.g = g, .count = count};
    activations.frozen = true;
    layers_backward(e, pass, layer, &b, &activations);
    laip_bert_backward l = layer_backward(e, pass, layer, &b, &activations);
    return laip_bert_backward_to_context(&l);
}

static backward whole(const laip_cross_pass *pass, laip_mat image, laip_mat dimage)
{
    return (backward){.g = pass->g, .count = pass->tokens.count, .image = image, .dimage = dimage};
}

laip_cross_gradients laip_cross_backward_to_scores(const laip_cross_encoder *e, laip_cross_pass *pass,
                                                   const laip_context *c, laip_mat image, laip_mat dimage,
                                                   int layer)
{
    backward b = whole(pass, image, dimage);
    layers_backward(e, pass, layer, &b, c);
    pass->stopped = layer_backward(e, pass, layer, &b, c);
    pass->stopped_at = layer;
    return laip_bert_backward_to_scores(&pass->stopped);
}

void laip_cross_backward_from_scores(const laip_cross_encoder *e, laip_cross_pass *pass,
                                     const laip_context *c, laip_mat image, laip_mat dimage, laip_mat dtext)
{
    backward b = whole(pass, image, dimage);
    laip_bert_backward_from_scores(&pass->stopped);
    for (int i = pass->stopped_at; i-- > 0;) {
        laip_bert_backward l = layer_backward(e, pass, i, &b, c);
        laip_bert_layer_backward(&l);
    }
    laip_scatter_rows(c->device, dtext, laip_rows(pass->gx, pass->tokens.rows), pass->back.target,
                      pass->back.begin, pass->back.source, pass->back.targets);
}
