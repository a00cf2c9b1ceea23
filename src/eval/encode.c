/* Features of pictures and captions, shared out among the ranks. */
#include "eval/internal.h"

#include "base/log.h"
#include "base/parallel.h"
#include "data/assemble.h"

#include <pthread.h>
#include <stdlib.h>

typedef struct decode {
    laip_eval_run *e;
    size_t first;
    pthread_mutex_t lock;
    bool failed;
    laip_error error;
} decode;

static void decode_one(void *context, size_t i)
{
    decode *j = context;
    laip_eval_run *e = j->e;
    laip_error error;
    if (laip_picture_planes(e->d, j->first + i, e->model->sizes.image_height, e->model->sizes.image_width,
                            e->planes + i * e->pixels, &error))
        return;
    pthread_mutex_lock(&j->lock);
    if (!j->failed)
        j->error = error;
    j->failed = true;
    pthread_mutex_unlock(&j->lock);
}

bool laip_eval_decode(laip_eval_run *e, size_t first, size_t count, laip_error *error)
{
    decode j = {.e = e, .first = first};
    pthread_mutex_init(&j.lock, NULL);
    laip_parallel_for(count, e->threads, decode_one, &j);
    pthread_mutex_destroy(&j.lock);
    if (j.failed)
        *error = j.error;
    return !j.failed;
}

/* Features of the pictures in e->planes and, as far as there is room, all that the encoder made of them. */
static bool encode_batch(laip_eval_run *e, size_t first, size_t count, laip_error *error)
{
    size_t end = e->first + e->kept;
    end = first + count < end ? first + count : end;
    return laip_score_images(&e->scorer, e->planes, count, e->image_features + first * e->E, error) &&
           (first >= end || laip_score_tokens(&e->scorer, 0, end - first,
                                              e->tokens + (first - e->first) * e->token_floats, error));
}

static bool encode_images(laip_eval_run *e, laip_error *error)
{
    for (size_t i = e->first; i < e->last; i += LAIP_EVAL_IMAGES) {
        size_t count = e->last - i < LAIP_EVAL_IMAGES ? e->last - i : LAIP_EVAL_IMAGES;
        laip_progress("encoding pictures: %zu of %zu", i - e->first, e->last - e->first);
        if (!laip_eval_decode(e, i, count, error) || !encode_batch(e, i, count, error))
            return false;
    }
    return true;
}

/* Captions first … last − 1: features and states (NULL: none); states[0] is the first's. */
static bool encode_texts(laip_eval_run *e, size_t first, size_t last, float *states, laip_error *error)
{
    int32_t begin[LAIP_EVAL_CAPTIONS + 1];
    bool good = true;
    for (size_t i = first; good && i < last; i += LAIP_EVAL_CAPTIONS) {
        size_t count = last - i < LAIP_EVAL_CAPTIONS ? last - i : LAIP_EVAL_CAPTIONS;
        for (size_t j = 0; j <= count; j++)
            begin[j] = (int32_t)(e->begin[i + j] - e->begin[i]);
        good = laip_score_texts(&e->scorer, e->t->captions.ids + e->begin[i], begin, count,
                                e->text_features + i * e->E,
                                states ? states + (e->begin[i] - e->begin[first]) * e->D : NULL, error);
    }
    return good;
}

static void multiply(size_t *places, int ranks, size_t by)
{
    for (int k = 0; k <= ranks; k++)
        places[k] *= by;
}

bool laip_eval_encode(laip_eval_run *e, laip_error *error)
{
    float *states = e->states ? e->states + e->begin[e->query] * e->D : NULL;
    bool good = encode_texts(e, e->query, e->query_end, states, error) && encode_images(e, error);
    if (!laip_eval_agree(e, good, error))
        return false;
    size_t *images = laip_eval_places(e->ranks, e->d->picture_count, LAIP_EVAL_IMAGES),
           *texts = laip_eval_places(e->ranks, e->d->caption_count, LAIP_EVAL_CAPTIONS);
    multiply(images, e->ranks->size, e->E);
    multiply(texts, e->ranks->size, e->E);
    laip_ranks_allgatherv(e->ranks, e->image_features, images);
    laip_ranks_allgatherv(e->ranks, e->text_features, texts);
    free(images);
    free(texts);
    return true;
}

bool laip_eval_states(laip_eval_run *e, size_t first, size_t last, float *states, laip_error *error)
{
    size_t *places = laip_eval_places(e->ranks, last - first, LAIP_EVAL_CAPTIONS);
    size_t from = first + places[e->ranks->rank], to = first + places[e->ranks->rank + 1];
    bool good = states == e->states || /* made with the features */
                encode_texts(e, from, to, states + (e->begin[from] - e->begin[first]) * e->D, error);
    good = laip_eval_agree(e, good, error);
    for (int k = 0; k <= e->ranks->size; k++)
        places[k] = (e->begin[first + places[k]] - e->begin[first]) * e->D;
    if (good)
        laip_ranks_allgatherv(e->ranks, states, places);
    free(places);
    return good;
}
