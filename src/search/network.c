/* A checkpoint on an engine: loading, encoding, matching. */
#include "search/engine.h"

#include "base/checksum.h"
#include "base/file.h"
#include "base/parallel.h"
#include "base/str.h"
#include "ops/gemm/gemm.h"
#include "ops/matrix_unit.h"
#include "store/checkpoint.h"
#include "store/weights.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool fingerprint(laip_network *n, laip_error *error)
{
    uint8_t sum[16];
    if (!laip_checksum_wide_file(n->checkpoint, sum, error))
        return false;
    for (size_t i = 0; i < 16; i++)
        snprintf(n->fingerprint + 2 * i, 3, "%02x", sum[i]);
    return true;
}

/* A checkpoint that is weights alone, as ALBEF's and RaSa's are, becomes one to search with by what the error
 * says: its shapes tell neither its words nor the number of its heads. */
static bool has_settings(const char *path, laip_error *error)
{
    laip_weights file;
    if (!laip_weights_open(&file, path, error))
        return false;
    bool has = laip_weights_metadata(&file, "config") && laip_weights_metadata(&file, "vocab");
    laip_weights_close(&file);
    const char *name = strrchr(path, '/'), *end = strrchr(path, '.');
    size_t length = end && end > (name ? name : path) ? (size_t)(end - path) : strlen(path);
    return has ||
           laip_bad_input(error,
                          "%.250s: holds weights alone; with the settings and the vocabulary that they were "
                          "trained with it can be searched with, for ALBEF's and RaSa's: laip-model convert "
                          "%.250s %.*s-laip.safetensors --config configs/cuhk_pedes.yaml --vocab vocab.txt "
                          "(vocab.txt of bert-base-uncased)",
                          path, path, (int)(length < 250 ? length : 250), path);
}

/* A setting is as the checkpoint has it, or as the caller says. */
static bool choose(laip_network *n, const char *setting, const char *value, laip_error *error)
{
    laip_str text = {0};
    if (!value)
        return true;
    laip_str_addf(&text, "%s=%s", setting, value);
    bool good = laip_config_set(&n->config, text.text, error);
    free(text.text);
    return good;
}

static bool read_settings(laip_network *n, const laip_network_options *o, laip_error *error)
{
    char *text = NULL, *vocab = NULL;
    laip_checkpoint_notes notes;
    laip_config_defaults(&n->config);
    bool good = has_settings(n->checkpoint, error) &&
                laip_checkpoint_notes_read(n->checkpoint, &text, &vocab, &notes, error) &&
                laip_config_parse(&n->config, n->checkpoint, text, error) &&
                choose(n, "precision", o->precision, error) && choose(n, "storage", o->storage, error) &&
                laip_corpus_open(&n->corpus, &n->config, vocab, error);
    free(text);
    free(vocab);
    if (!good)
        return false;
    size_t positions = (size_t)n->config.model.positions;
    if (!n->corpus.options.max_tokens || n->corpus.options.max_tokens > positions)
        n->corpus.options.max_tokens = positions;
    n->longest = n->corpus.options.max_tokens;
    return true;
}

void laip_network_enter(laip_network *n)
{
    laip_engine_enter(n->engine);
    laip_precision_set(n->engine->device, (laip_precision)n->config.precision);
}

void laip_network_leave(laip_network *n)
{
    laip_precision_set(n->engine->device, LAIP_PRECISION_FP32);
    laip_engine_leave(n->engine);
}

static bool load(laip_network *n, laip_error *error)
{
    laip_device *d = n->engine->device;
    const laip_model_config *m = &n->config.model;
    laip_score_sizes z = {n->batch, LAIP_SENTENCES, LAIP_SENTENCES * n->longest, n->longest};
    if (strcmp(n->config.gemm, "auto") != 0)
        laip_gemm_force(d, n->config.gemm);
    n->planes = 3 * (size_t)m->image_height * (size_t)m->image_width;
    if (!laip_model_create(&n->model, d, m, false, error) ||
        !laip_checkpoint_load(n->checkpoint, NULL, &n->model, "", error) ||
        !laip_scorer_create(&n->scorer, &n->model, &z, error))
        return false;
    const laip_param *p = n->model.temperature;
    laip_params_read(&n->model.params, p, &p->part[0], 0, &n->temperature);
    return laip_device_finish(d, error);
}

laip_status laip_network_open(laip_network **network, laip_engine *engine, const char *checkpoint,
                              const laip_network_options *options, laip_error *error)
{
    laip_network_options o = {.size = sizeof o};
    laip_error e;
    *network = NULL;
    if (!laip_take_options(&o, sizeof o, options, &e))
        return laip_tell(false, &e, error);
    laip_network *n = laip_alloc(1, sizeof *n);
    n->engine = engine;
    n->batch = o.batch ? o.batch : 16;
    char *absolute = realpath(checkpoint, NULL);
    n->checkpoint = laip_strdup(absolute ? absolute : checkpoint);
    free(absolute);
    laip_engine_enter(engine);
    bool good = fingerprint(n, &e) && read_settings(n, &o, &e) && load(n, &e);
    laip_engine_leave(engine);
    if (good)
        *network = n;
    else
        laip_network_close(n);
    return laip_tell(good, &e, error);
}

void laip_network_close(laip_network *n)
{
    if (!n)
        return;
    laip_engine_enter(n->engine);
    if (n->explains)
        laip_explainer_free(&n->explainer);
    if (n->scorer.plan)
        laip_scorer_free(&n->scorer);
    laip_model_free(&n->model);
    laip_engine_leave(n->engine);
    laip_corpus_close(&n->corpus);
    laip_config_free(&n->config);
    free(n->checkpoint);
    free(n);
}

void laip_network_describe(const laip_network *n, laip_network_info *info)
{
    const laip_model_config *m = &n->config.model;
    laip_network_info own = {.embed = (size_t)m->embed,
                             .image_height = m->image_height,
                             .image_width = m->image_width,
                             .grid_rows = m->image_height / m->patch,
                             .grid_cols = m->image_width / m->patch,
                             .longest = n->longest,
                             .temperature = n->temperature,
                             .checkpoint = n->checkpoint,
                             .fingerprint = n->fingerprint};
    laip_give_info(info, &own, sizeof own);
}

bool laip_network_tokens(const laip_network *n, const char *sentence, laip_tokens *t, laip_error *error)
{
    size_t length = strlen(sentence), known = 0;
    if (length > 100000)
        return laip_bad_input(error, "a sentence of %zu bytes, expected at most 100000", length);
    laip_tokenize(n->corpus.tokenizer, sentence, length, &n->corpus.options, t);
    if (t->cut)
        return laip_bad_input(error, "the sentence has %zu tokens, the model takes at most %zu: \"%.60s...\"",
                              t->count + t->cut, n->longest, sentence);
    size_t words = 0;
    for (size_t i = 0; i < t->count; i++) {
        words += t->word[i] >= 0;
        known += t->word[i] >= 0 && t->ids[i] != laip_tokenizer_special(n->corpus.tokenizer, LAIP_UNK);
    }
    if (!words)
        return laip_bad_input(error,
                              "the sentence is empty: expected words, as in \"a woman in a red coat\"");
    if (!known)
        return laip_bad_input(error, "no word of the sentence is in the model's vocabulary: \"%.100s\"",
                              sentence);
    return true;
}

void laip_network_planes(const laip_network *n, const laip_image *image, float *planes)
{
    laip_image small, stored = {0};
    if (n->config.compat_exif && image->orientation > 1) {
        laip_image_as_stored(image, &stored);
        image = &stored;
    }
    laip_image_resize_as((laip_pillow)n->config.augment.pillow, image, 0, 0, image->width, image->height,
                         n->config.model.image_height, n->config.model.image_width, &small);
    laip_image_normalise(&small, planes);
    laip_image_free(&small);
    laip_image_free(&stored);
}

bool laip_network_encode(laip_network *n, const float *planes, size_t count, float *features,
                         laip_error *error)
{
    size_t E = (size_t)n->config.model.embed;
    for (size_t i = 0; i < count; i += n->batch) {
        size_t some = count - i < n->batch ? count - i : n->batch;
        if (!laip_score_images(&n->scorer, planes + i * n->planes, some, features + i * E, error))
            return false;
    }
    return true;
}

typedef struct planes_job {
    const laip_network *n;
    const laip_photo *const *photos;
    float *planes;
} planes_job;

static void make_planes(void *context, size_t i)
{
    planes_job *j = context;
    laip_network_planes(j->n, &j->photos[i]->image, j->planes + i * j->n->planes);
}

laip_status laip_encode_photos(laip_network *n, const laip_photo *const *photos, size_t count,
                               float *features, laip_error *error)
{
    laip_error e;
    bool good = true;
    float *planes = laip_alloc(n->batch * n->planes, sizeof *planes);
    for (size_t i = 0; good && i < count; i += n->batch) {
        size_t some = count - i < n->batch ? count - i : n->batch;
        planes_job job = {n, photos + i, planes};
        laip_parallel_for(some, n->engine->threads, make_planes, &job);
        laip_network_enter(n);
        good = laip_network_encode(n, planes, some, features + i * (size_t)n->config.model.embed, &e);
        laip_network_leave(n);
    }
    free(planes);
    return laip_tell(good, &e, error);
}

static bool encode_some(laip_network *n, const char *const *sentences, size_t count, float *features,
                        laip_error *error)
{
    laip_tokens t = {0};
    int32_t *ids = laip_alloc(count * n->longest, sizeof *ids), begin[LAIP_SENTENCES + 1] = {0};
    bool good = true;
    for (size_t i = 0; good && i < count; i++) {
        good = laip_network_tokens(n, sentences[i], &t, error);
        if (good)
            memcpy(ids + begin[i], t.ids, t.count * sizeof *ids);
        begin[i + 1] = begin[i] + (int32_t)t.count;
    }
    laip_tokens_free(&t);
    if (good) {
        laip_network_enter(n);
        good = laip_score_texts(&n->scorer, ids, begin, count, features, NULL, error);
        laip_network_leave(n);
    }
    free(ids);
    return good;
}

laip_status laip_encode_sentences(laip_network *n, const char *const *sentences, size_t count,
                                  float *features, laip_error *error)
{
    laip_error e;
    bool good = true;
    for (size_t i = 0; good && i < count; i += LAIP_SENTENCES)
        good = encode_some(n, sentences + i, count - i < LAIP_SENTENCES ? count - i : LAIP_SENTENCES,
                           features + i * (size_t)n->config.model.embed, &e);
    return laip_tell(good, &e, error);
}

bool laip_network_states(laip_network *n, const laip_tokens *t, float *feature, float *states,
                         laip_error *error)
{
    int32_t begin[2] = {0, (int32_t)t->count};
    return laip_score_texts(&n->scorer, t->ids, begin, 1, feature, states, error);
}

/* Pictures are encoded a batch at a time, and then matched one by one. */
static bool match_some(laip_network *n, const float *states, size_t tokens, const float *text,
                       const float *planes, size_t count, float *features, float *encoded, laip_match *out,
                       laip_error *error)
{
    const laip_model_config *m = &n->config.model;
    size_t E = (size_t)m->embed, each = ((size_t)laip_patch_count(m) + 1) * (size_t)m->width;
    int32_t begin[2] = {0, (int32_t)tokens};
    float logits[2];
    if (!laip_score_images(&n->scorer, planes, count, features, error) ||
        !laip_score_tokens(&n->scorer, 0, count, encoded, error))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!laip_score_set_encoded_image(&n->scorer, encoded + i * each, error) ||
            !laip_score_match(&n->scorer, states, begin, 1, logits, error))
            return false;
        float cosine = 0;
        for (size_t c = 0; c < E; c++)
            cosine += text[c] * features[i * E + c];
        out[i] = (laip_match){.cosine = cosine, .log_odds = logits[1] - logits[0]};
        out[i].fused = n->config.eval_weight * out[i].log_odds + cosine / n->temperature;
    }
    return true;
}

bool laip_network_match(laip_network *n, const float *states, size_t tokens, const float *text,
                        const float *planes, size_t count, laip_match *matches, laip_error *error)
{
    const laip_model_config *m = &n->config.model;
    size_t each = ((size_t)laip_patch_count(m) + 1) * (size_t)m->width;
    float *features = laip_alloc(n->batch * (size_t)m->embed, sizeof *features);
    float *encoded = laip_alloc(n->batch * each, sizeof *encoded);
    bool good = true;
    for (size_t i = 0; good && i < count; i += n->batch)
        good = match_some(n, states, tokens, text, planes + i * n->planes,
                          count - i < n->batch ? count - i : n->batch, features, encoded, matches + i, error);
    free(features);
    free(encoded);
    return good;
}

laip_status laip_match_photos(laip_network *n, const char *sentence, const laip_photo *const *photos,
                              size_t count, laip_match *matches, laip_error *error)
{
    const laip_model_config *m = &n->config.model;
    laip_error e;
    laip_tokens t = {0};
    float *text = laip_alloc((size_t)m->embed, sizeof *text);
    float *states = laip_alloc(n->longest * (size_t)m->width, sizeof *states);
    float *planes = laip_alloc(n->batch * n->planes, sizeof *planes);
    bool good = laip_network_tokens(n, sentence, &t, &e);
    for (size_t i = 0; good && i < count; i += n->batch) {
        size_t some = count - i < n->batch ? count - i : n->batch;
        planes_job job = {n, photos + i, planes};
        laip_parallel_for(some, n->engine->threads, make_planes, &job);
        laip_network_enter(n);
        good = laip_network_states(n, &t, text, states, &e) &&
               laip_network_match(n, states, t.count, text, planes, some, matches + i, &e);
        laip_network_leave(n);
    }
    free(text);
    free(states);
    free(planes);
    laip_tokens_free(&t);
    return laip_tell(good, &e, error);
}
