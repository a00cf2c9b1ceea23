#include "net/cross_encoder.h"

#include "base/memory.h"
#include "ops/gather.h"
#include <stdlib.h>

void laip_cross_declare(laip_cross_encoder *e, laip_table *t, const laip_model_config *m, const char *prefix)
{
    *e = (laip_cross_encoder){.sizes = *m};
    e->layers = laip_alloc((size_t)m->cross_layers, sizeof *e->layers);
    for (int i = 0; i < m->cross_layers; i++)
        laip_bert_layer_declare(&e->layers[i], t, m, prefix, m->text_layers + i, true);
}

void laip_cross_free(laip_cross_encoder *e)
{
    free(e->layers);
    e->layers = NULL;
}

void laip_cross_plan(const laip_cross_encoder *e, laip_cross_pass *pass, laip_region *r, size_t sequences,
                     size_t rows, size_t longest, size_t images, bool backward)
{
    const laip_model_config *m = &e->sizes;
    size_t D = (size_t)m->width, image_rows = images * ((size_t)laip_patch_count(m) + 1);
    laip_cross_pass_free(pass);
    *pass = (laip_cross_pass){.backward = backward};
    laip_sequences_plan(&pass->tokens, r, sequences, rows, longest, images);
    pass->source = laip_region_ints(r, rows);
    pass->out = laip_region_mat(r, rows, D);
    pass->saved = laip_alloc((size_t)m->cross_layers, sizeof *pass->saved);
    for (int i = 0; i < m->cross_layers; i++)
        pass->saved[i] =
            backward || i < 2 ? laip_bert_plan_saved(m, r, rows, image_rows, true) : pass->saved[i % 2];
    if (backward) {
        pass->back = laip_scatter_plan(r, rows);
        pass->g = laip_region_mat(r, rows, D);
        pass->scratch = laip_bert_plan_scratch(m, r, rows, image_rows);
    }
}

void laip_cross_pass_free(laip_cross_pass *pass)
{
    laip_sequences_free(&pass->tokens);
    free(pass->saved);
    pass->saved = NULL;
}

void laip_cross_forward(const laip_cross_encoder *e, laip_cross_pass *pass, const laip_context *c,
                        laip_mat text, const int32_t *source, size_t text_rows, laip_mat image,
                        laip_step_key key)
{
    laip_sequences *s = &pass->tokens;
    pass->source.count = s->rows;
    laip_ints_write(c->device, pass->source, source);
    if (pass->backward)
        laip_scatter_upload(&pass->back, c->device, source, s->rows, text_rows);
    laip_gather_rows(c->device, laip_rows(pass->saved[0].x, s->rows), laip_rows(text, text_rows),
                     pass->source);
    for (int i = 0; i < e->sizes.cross_layers; i++) {
        laip_mat y = i + 1 < e->sizes.cross_layers ? pass->saved[i + 1].x : pass->out;
        laip_bert_layer_forward(&e->layers[i], &pass->saved[i], s, laip_rows(y, s->rows), image, false, key,
                                c);
    }
}

void laip_cross_backward_to(const laip_cross_encoder *e, laip_cross_pass *pass, const laip_context *c,
                            laip_mat g, size_t count, int layer, const laip_cross_hook *hook,
                            laip_step_key key)
{
    laip_context activations = *c;
    laip_mat none = {0};
    activations.frozen = true;
    for (int i = e->sizes.cross_layers; i-- > layer;)
        laip_bert_layer_backward(&e->layers[i], &pass->saved[i], &pass->tokens, count, g, none, none,
                                 &pass->scratch, i == layer ? hook : NULL, key, &activations);
}

void laip_cross_backward(const laip_cross_encoder *e, laip_cross_pass *pass, const laip_context *c,
                         laip_mat image, laip_mat dimage, laip_mat dtext, int hook_layer,
                         const laip_cross_hook *hook, laip_step_key key)
{
    laip_sequences *s = &pass->tokens;
    laip_mat g = laip_rows(pass->g, s->rows);
    for (int i = e->sizes.cross_layers; i-- > 0;)
        laip_bert_layer_backward(&e->layers[i], &pass->saved[i], s, s->count, g, image, dimage,
                                 &pass->scratch, i == hook_layer ? hook : NULL, key, c);
    laip_scatter_rows(c->device, dtext, g, pass->back.target, pass->back.begin, pass->back.source,
                      pass->back.targets);
}
