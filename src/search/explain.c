/* laip_explain: the maps of a sentence's noun phrases, the mean over their words, each masked in turn. */
#include "search/engine.h"

#include <stdlib.h>
#include <string.h>

enum { PHRASES = 32 }; /* masked phrases that go through the network at once */

struct laip_explanation {
    size_t count, patches;
    int rows, cols;
    size_t *begin, *end; /* [count] */
    float *maps[3];      /* [count, patches] */
};

/* Masked phrases waiting for the network. */
typedef struct queue {
    laip_network *n;
    laip_explanation *x;
    int32_t *ids, *target, begin[PHRASES + 1];
    size_t phrase[PHRASES];
    float share[PHRASES]; /* 1 / words of the phrase */
    size_t count;
    float *maps[3]; /* [PHRASES, patches] */
} queue;

static bool flush(queue *q, laip_error *error)
{
    size_t P = q->x->patches;
    if (!q->count)
        return true;
    if (!laip_explain_phrases(&q->n->explainer, q->ids, q->target, q->begin, q->count, q->maps[0], q->maps[1],
                              q->maps[2], error))
        return false;
    for (size_t j = 0; j < q->count; j++)
        for (int k = 0; k < 3; k++)
            for (size_t i = 0; i < P; i++)
                q->x->maps[k][q->phrase[j] * P + i] += q->share[j] * q->maps[k][j * P + i];
    q->count = 0;
    return true;
}

/* One phrase, with each of its words masked. */
static bool add_phrase(queue *q, size_t phrase, const laip_tokens *t, laip_error *error)
{
    int32_t mask = laip_tokenizer_special(q->n->corpus.tokenizer, LAIP_MASK), words = 0;
    for (size_t k = 0; k < t->count; k++)
        if (t->word[k] >= words)
            words = t->word[k] + 1;
    for (int32_t w = 0; w < words; w++) {
        if (q->count == PHRASES && !flush(q, error))
            return false;
        int32_t *at = q->begin + q->count;
        for (size_t k = 0; k < t->count; k++) {
            bool masked = t->word[k] == w;
            q->ids[*at + (int32_t)k] = masked ? mask : t->ids[k];
            q->target[*at + (int32_t)k] = masked ? t->ids[k] : -1;
        }
        at[1] = at[0] + (int32_t)t->count;
        q->phrase[q->count] = phrase;
        q->share[q->count++] = 1.0f / (float)words;
    }
    return true;
}

static bool make_explainer(laip_network *n, laip_error *error)
{
    if (n->explains)
        return true;
    laip_explainer_sizes z = {PHRASES, PHRASES * n->longest, n->longest};
    laip_loss_config loss = n->config.loss;
    loss.bidiratt_attention = LAIP_ATTENTION_BOTH; /* whichever the network was trained with */
    n->explains = laip_explainer_create(&n->explainer, &n->model, &loss, &z, error);
    return n->explains;
}

/* The phrases of the sentence, or all of it where there is none. */
static void find_phrases(const laip_network *n, const char *sentence, laip_explanation *x)
{
    laip_spans spans = {0};
    laip_tokens t = {0};
    size_t length = strlen(sentence);
    laip_phrases(n->corpus.phraser, sentence, length, &spans);
    x->begin = laip_alloc(spans.count + 1, sizeof *x->begin);
    x->end = laip_alloc(spans.count + 1, sizeof *x->end);
    for (size_t i = 0; i < spans.count; i++) {
        laip_tokenize(n->corpus.tokenizer, sentence + spans.start[i], spans.end[i] - spans.start[i],
                      &n->corpus.options, &t);
        if (t.count <= (n->corpus.options.sep ? 2u : 1u))
            continue; /* nothing in it that the network sees */
        x->begin[x->count] = spans.start[i];
        x->end[x->count++] = spans.end[i];
    }
    if (!x->count)
        x->end[x->count++] = length;
    laip_spans_free(&spans);
    laip_tokens_free(&t);
}

static bool fill(laip_explanation *x, laip_network *n, const char *sentence, const float *planes,
                 laip_error *error)
{
    queue q = {.n = n, .x = x};
    laip_tokens t = {0};
    bool good = make_explainer(n, error) && laip_explain_image(&n->explainer, planes, error);
    q.ids = laip_alloc(PHRASES * n->longest, sizeof *q.ids);
    q.target = laip_alloc(PHRASES * n->longest, sizeof *q.target);
    for (int k = 0; k < 3; k++)
        q.maps[k] = laip_alloc(PHRASES * x->patches, sizeof(float));
    for (size_t i = 0; good && i < x->count; i++) {
        laip_tokenize(n->corpus.tokenizer, sentence + x->begin[i], x->end[i] - x->begin[i],
                      &n->corpus.options, &t);
        good = add_phrase(&q, i, &t, error);
    }
    good = good && flush(&q, error);
    for (int k = 0; k < 3; k++)
        free(q.maps[k]);
    free(q.ids);
    free(q.target);
    laip_tokens_free(&t);
    return good;
}

/* From the picture as stored, which the network saw, to the upright one. */
static void turn_maps(laip_explanation *x, int orientation)
{
    int rows = x->rows, cols = x->cols;
    if (laip_orientation_swaps(orientation)) {
        x->rows = cols;
        x->cols = rows;
    }
    for (int k = 0; k < 3; k++) {
        float *maps = laip_alloc(x->count * x->patches, sizeof *maps);
        for (size_t i = 0; i < x->count; i++)
            for (int r = 0; r < x->rows; r++)
                for (int c = 0; c < x->cols; c++) {
                    int column, row;
                    laip_orientation_source(orientation, x->cols, x->rows, c, r, &column, &row);
                    maps[i * x->patches + (size_t)(r * x->cols + c)] =
                        x->maps[k][i * x->patches + (size_t)(row * cols + column)];
                }
        free(x->maps[k]);
        x->maps[k] = maps;
    }
}

laip_status laip_explain(laip_explanation **explanation, laip_network *n, const char *sentence,
                         const laip_photo *photo, laip_error *error)
{
    laip_error e;
    laip_tokens t = {0};
    *explanation = NULL;
    bool good = laip_network_tokens(n, sentence, &t, &e);
    laip_tokens_free(&t);
    if (!good)
        return laip_tell(false, &e, error);
    const laip_model_config *m = &n->config.model;
    laip_explanation *x = laip_alloc(1, sizeof *x);
    x->rows = m->image_height / m->patch;
    x->cols = m->image_width / m->patch;
    x->patches = (size_t)laip_patch_count(m);
    find_phrases(n, sentence, x);
    for (int k = 0; k < 3; k++)
        x->maps[k] = laip_alloc(x->count * x->patches, sizeof(float));
    float *planes = laip_alloc(n->planes, sizeof *planes);
    laip_network_planes(n, &photo->image, planes);
    laip_network_enter(n);
    good = fill(x, n, sentence, planes, &e);
    laip_network_leave(n);
    free(planes);
    if (n->config.compat_exif && photo->image.orientation > 1)
        turn_maps(x, photo->image.orientation);
    if (good)
        *explanation = x;
    else
        laip_explanation_close(x);
    return laip_tell(good, &e, error);
}

size_t laip_explanation_count(const laip_explanation *x)
{
    return x->count;
}

void laip_explanation_phrase(const laip_explanation *x, size_t i, laip_phrase_view *view)
{
    laip_phrase_view own = {.rows = x->rows, .cols = x->cols};
    if (i < x->count) {
        own.begin = x->begin[i];
        own.end = x->end[i];
        own.forward = x->maps[0] + i * x->patches;
        own.backward = x->maps[1] + i * x->patches;
        own.both = x->maps[2] + i * x->patches;
    }
    laip_give_info(view, &own, sizeof own);
}

void laip_explanation_close(laip_explanation *x)
{
    if (!x)
        return;
    for (int k = 0; k < 3; k++)
        free(x->maps[k]);
    free(x->begin);
    free(x->end);
    free(x);
}
