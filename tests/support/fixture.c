#include "support/fixture.h"

#include "base/memory.h"
#include "loss/bidiratt.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void laip_fixture_stop(const laip_error *e)
{
    fprintf(stderr, "conformance: %s\n", e->text);
    exit(e->status);
}

const laip_tensor_entry *laip_fixture_need(laip_fixture *f, const char *name)
{
    laip_error e;
    const laip_tensor_entry *t = laip_safetensors_find(&f->file, name);
    if (!t) {
        laip_bad_input(&e, "%s: has no tensor %s", f->file.path, name);
        laip_fixture_stop(&e);
    }
    return t;
}

float *laip_fixture_floats(laip_fixture *f, const char *name)
{
    laip_error e;
    const laip_tensor_entry *t = laip_fixture_need(f, name);
    float *values = laip_arena_alloc(&f->arena, t->count + 1, sizeof *values);
    if (!laip_tensor_floats(t, values, &e))
        laip_fixture_stop(&e);
    return values;
}

int32_t *laip_fixture_ints(laip_fixture *f, const char *name)
{
    laip_error e;
    const laip_tensor_entry *t = laip_fixture_need(f, name);
    int32_t *values = laip_arena_alloc(&f->arena, t->count + 1, sizeof *values);
    if (!laip_tensor_ints(t, values, &e))
        laip_fixture_stop(&e);
    return values;
}

bool laip_fixture_has(const laip_fixture *f, const char *name)
{
    return laip_safetensors_find(&f->file, name) != NULL;
}

/* The number of losses.KEY among names; 0 where it is missing. */
static int choice(const laip_fixture *f, const json_t *losses, const char *key, const char *const *names)
{
    laip_error e;
    const char *text = json_string_value(json_object_get(losses, key));
    for (int i = 0; text && names[i]; i++)
        if (strcmp(text, names[i]) == 0)
            return i;
    if (text) {
        laip_bad_input(&e, "%s: metadata laip: losses.%s is '%s', which is unknown", f->file.path, key, text);
        laip_fixture_stop(&e);
    }
    return 0;
}

static void read_config(laip_fixture *f)
{
    laip_error e;
    const char *text = laip_safetensors_metadata(&f->file, "laip");
    json_error_t where;
    json_t *all = text ? json_loads(text, 0, &where) : NULL;
    json_t *m = json_object_get(all, "model"), *l = json_object_get(all, "losses"),
           *o = json_object_get(all, "optimiser");
    if (!m || !l || !o) {
        laip_bad_input(&e, "%s: metadata laip is missing or holds no model, losses and optimiser",
                       f->file.path);
        laip_fixture_stop(&e);
    }
#define INT(object, key) (int)json_integer_value(json_object_get(object, key))
#define NUM(object, key) (float)json_number_value(json_object_get(object, key))
    json_t *image = json_object_get(m, "image");
    f->sizes = (laip_model_config){.image_height = (int)json_integer_value(json_array_get(image, 0)),
                                   .image_width = (int)json_integer_value(json_array_get(image, 1)),
                                   .patch = INT(m, "patch"),
                                   .width = INT(m, "width"),
                                   .heads = INT(m, "heads"),
                                   .mlp = INT(m, "mlp"),
                                   .vit_layers = INT(m, "vit_layers"),
                                   .text_layers = INT(m, "text_layers"),
                                   .cross_layers = INT(m, "cross_layers"),
                                   .vocab = INT(m, "vocab"),
                                   .positions = INT(m, "positions"),
                                   .embed = INT(m, "embed"),
                                   .queue = INT(m, "queue")};
    f->loss = (laip_loss_config){
        .temperature = NUM(l, "temperature"),
        .distill_alpha = NUM(l, "distill_alpha"),
        .triplet_margin = NUM(l, "triplet_margin"),
        .momentum = NUM(l, "momentum"),
        .bidiratt_layer = INT(m, "bidiratt_layer"),
        .bidiratt_attention = choice(f, l, "bidiratt_attention", laip_bidiratt_attention_names),
        .bidiratt_loss = choice(f, l, "bidiratt_loss", laip_bidiratt_loss_names),
        .phrase_reduction = choice(f, l, "phrase_reduction", laip_phrase_reduction_names)};
    for (int i = 0; i < LAIP_LOSSES; i++) {
        char key[32];
        snprintf(key, sizeof key, "%s_weight", laip_loss_names[i]);
        f->loss.weight[i] = NUM(l, key);
    }
    f->optimiser = (laip_optimiser_config){.lr = NUM(o, "lr"),
                                           .beta1 = NUM(o, "beta1"),
                                           .beta2 = NUM(o, "beta2"),
                                           .eps = NUM(o, "eps"),
                                           .weight_decay = NUM(o, "weight_decay"),
                                           .temperature_lr = 1};
    f->t = (uint64_t)INT(o, "step");
    json_decref(all);
}

/* Packs rows of a padded [rows, width] table: begin [rows + 1] from its mask. */
static int32_t *lengths(laip_fixture *f, const int32_t *mask, size_t rows, size_t width)
{
    int32_t *begin = laip_arena_alloc(&f->arena, rows + 1, sizeof *begin);
    for (size_t i = 0; i < rows; i++) {
        begin[i + 1] = begin[i];
        for (size_t j = 0; j < width; j++)
            begin[i + 1] += mask[i * width + j] != 0;
    }
    return begin;
}

static int32_t *pack(laip_fixture *f, const char *name, const int32_t *begin, size_t rows, size_t width)
{
    int32_t *padded = laip_fixture_ints(f, name),
            *packed = laip_arena_alloc(&f->arena, (size_t)begin[rows] + 1, sizeof *packed);
    for (size_t i = 0; i < rows; i++)
        memcpy(packed + begin[i], padded + i * width, (size_t)(begin[i + 1] - begin[i]) * sizeof *packed);
    return packed;
}

static void read_batch(laip_fixture *f)
{
    const laip_tensor_entry *text = laip_fixture_need(f, "input.text_ids"),
                            *phrase = laip_fixture_need(f, "input.phrase_ids");
    size_t b = text->shape[0], L = text->shape[1], p = phrase->shape[0], M = phrase->shape[1];
    laip_batch *x = &f->batch;
    *x = (laip_batch){.size = (int)b, .phrases = (int)p};
    x->images = laip_fixture_floats(f, "input.image");
    x->images_m = laip_fixture_floats(f, "input.image_m");
    x->person = laip_fixture_ints(f, "input.person");
    x->sample = laip_arena_alloc(&f->arena, b, sizeof *x->sample);
    for (size_t i = 0; i < b; i++)
        x->sample[i] = i;
    x->caption_begin = lengths(f, laip_fixture_ints(f, "input.text_mask"), b, L);
    x->caption_ids = pack(f, "input.text_ids", x->caption_begin, b, L);
    x->caption_masked = pack(f, "input.caption_masked_ids", x->caption_begin, b, L);
    x->caption_target = pack(f, "input.caption_target", x->caption_begin, b, L);
    x->phrase_owner = laip_fixture_ints(f, "input.phrase_owner");
    x->phrase_begin = lengths(f, laip_fixture_ints(f, "input.phrase_mask"), p, M);
    x->phrase_ids = pack(f, "input.phrase_ids", x->phrase_begin, p, M);
    x->phrase_masked = pack(f, "input.phrase_masked_ids", x->phrase_begin, p, M);
    x->phrase_target = pack(f, "input.phrase_target", x->phrase_begin, p, M);
    x->text_negative = laip_fixture_ints(f, "input.text_negative");
    x->image_negative = laip_fixture_ints(f, "input.image_negative");
}

static size_t longest(const int32_t *begin, size_t count)
{
    size_t most = 0;
    for (size_t i = 0; i < count; i++)
        if ((size_t)(begin[i + 1] - begin[i]) > most)
            most = (size_t)(begin[i + 1] - begin[i]);
    return most;
}

laip_step_sizes laip_fixture_sizes(const laip_fixture *f)
{
    const laip_batch *x = &f->batch;
    size_t b = (size_t)x->size, p = (size_t)x->phrases;
    return (laip_step_sizes){.batch = b,
                             .micro_batches = 1,
                             .caption_rows = (size_t)x->caption_begin[b],
                             .longest_caption = longest(x->caption_begin, b),
                             .phrases = p,
                             .phrase_rows = (size_t)x->phrase_begin[p],
                             .longest_phrase = longest(x->phrase_begin, p)};
}

void laip_fixture_open(laip_fixture *f, const char *path)
{
    laip_error e;
    *f = (laip_fixture){.t = 0};
    if (!laip_safetensors_open(&f->file, path, &e) || !laip_safetensors_load(&f->file, &e))
        laip_fixture_stop(&e);
    read_config(f);
    read_batch(f);
}

void laip_fixture_close(laip_fixture *f)
{
    laip_arena_free(&f->arena);
    laip_safetensors_close(&f->file);
}
