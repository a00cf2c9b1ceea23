#include "eval/evaluate.h"

#include "base/log.h"
#include "base/parallel.h"
#include "data/assemble.h"
#include "model/score.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { IMAGES = 16, CAPTIONS = 256 };

typedef struct evaluation {
    laip_model *model;
    const laip_dataset *d;
    const laip_texts *t;
    laip_scorer scorer;
    laip_evaluation *out;
    size_t k, E, D, pixels;
    float weight;
    int threads;
    const laip_ranks *ranks;
    float *image_features, *text_features, *states, *planes;
    float *tokens; /* [kept, N, D]: pictures first … first + kept − 1 of this rank's, encoded */
    size_t first, last, kept, token_floats;
    int32_t *ids, *begin; /* of all captions, packed */
    float *retrieval;     /* [queries, gallery] */
    int32_t *rank_of;     /* [queries, gallery]: the place of a picture by retrieval */
    int32_t *candidates;  /* [queries, k]: the first by retrieval */
    float *logits;        /* [queries, k, 2]: of matching, in the order of retrieval */
} evaluation;

typedef struct decode {
    evaluation *e;
    size_t first;
    pthread_mutex_t lock;
    bool failed;
    laip_error error;
} decode;

static void decode_one(void *context, size_t i)
{
    decode *j = context;
    evaluation *e = j->e;
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

/* Pictures first … first + count − 1 into e->planes, by all threads. */
static bool decode_batch(evaluation *e, size_t first, size_t count, laip_error *error)
{
    decode j = {.e = e, .first = first};
    pthread_mutex_init(&j.lock, NULL);
    laip_parallel_for(count, e->threads, decode_one, &j);
    pthread_mutex_destroy(&j.lock);
    if (j.failed)
        *error = j.error;
    return !j.failed;
}

/* Features of the pictures in e->planes, and, of those that this rank will match and has room for, all that
 * the encoder made of them. */
static bool encode_batch(evaluation *e, size_t first, size_t count, laip_error *error)
{
    size_t begin = first > e->first ? first : e->first, end = e->first + e->kept;
    end = first + count < end ? first + count : end;
    return laip_score_images(&e->scorer, e->planes, count, e->image_features + first * e->E, error) &&
           (begin >= end || laip_score_tokens(&e->scorer, begin - first, end - begin,
                                              e->tokens + (begin - e->first) * e->token_floats, error));
}

static bool encode_images(evaluation *e, laip_error *error)
{
    size_t n = e->d->picture_count;
    for (size_t i = 0; i < n; i += IMAGES) {
        size_t count = n - i < IMAGES ? n - i : IMAGES;
        laip_progress("encoding pictures: %zu of %zu", i, n);
        if (!decode_batch(e, i, count, error) || !encode_batch(e, i, count, error))
            return false;
    }
    return true;
}

static bool encode_texts(evaluation *e, laip_error *error)
{
    size_t n = e->d->caption_count;
    for (size_t i = 0; i < n; i += CAPTIONS) {
        size_t count = n - i < CAPTIONS ? n - i : CAPTIONS;
        if (!laip_score_texts(&e->scorer, e->ids, e->begin + i, count, e->text_features + i * e->E,
                              e->states + (size_t)e->begin[i] * e->D, error))
            return false;
    }
    return true;
}

static void retrieval_scores(void *context, size_t q)
{
    evaluation *e = context;
    size_t n = e->d->picture_count;
    for (size_t i = 0; i < n; i++) {
        float sum = 0;
        for (size_t c = 0; c < e->E; c++)
            sum += e->text_features[q * e->E + c] * e->image_features[i * e->E + c];
        e->retrieval[q * n + i] = sum;
    }
}

typedef struct scored {
    float score;
    int32_t picture;
} scored;

static int better(const void *a, const void *b)
{
    const scored *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return x->picture < y->picture ? -1 : x->picture > y->picture;
}

static void sort_places(int32_t *ranking, float *score, size_t count)
{
    scored *all = laip_alloc(count, sizeof *all);
    for (size_t i = 0; i < count; i++)
        all[i] = (scored){score[i], ranking[i]};
    if (count)
        qsort(all, count, sizeof *all, better);
    for (size_t i = 0; i < count; i++) {
        ranking[i] = all[i].picture;
        score[i] = all[i].score;
    }
    free(all);
}

static void rank_by_retrieval(void *context, size_t q)
{
    evaluation *e = context;
    size_t n = e->d->picture_count;
    int32_t *ranking = e->out->ranking + q * n;
    retrieval_scores(e, q);
    for (size_t i = 0; i < n; i++)
        ranking[i] = (int32_t)i;
    memcpy(e->out->score + q * n, e->retrieval + q * n, n * sizeof *e->retrieval);
    sort_places(ranking, e->out->score + q * n, n);
    for (size_t i = 0; i < n; i++)
        e->rank_of[q * n + (size_t)ranking[i]] = (int32_t)i;
    memcpy(e->candidates + q * e->k, ranking, e->k * sizeof *ranking);
}

/* The captions that have this picture among their k best, matched with it. */
static bool match_picture(evaluation *e, size_t picture, const float *planes, laip_error *error)
{
    size_t n = e->d->picture_count, queries = e->d->caption_count, count = 0;
    size_t *who = laip_alloc(queries, sizeof *who);
    for (size_t q = 0; q < queries; q++)
        if ((size_t)e->rank_of[q * n + picture] < e->k)
            who[count++] = q;
    bool good = true, near = picture < e->first + e->kept;
    if (count)
        good = near ? laip_score_set_encoded_image(&e->scorer,
                                                   e->tokens + (picture - e->first) * e->token_floats, error)
                    : laip_score_set_image(&e->scorer, planes, error);
    int32_t begin[CAPTIONS + 1];
    float logits[CAPTIONS][2];
    float *states = laip_alloc(CAPTIONS * e->t->captions.longest, e->D * sizeof *states);
    for (size_t i = 0; good && i < count; i += CAPTIONS) {
        size_t some = count - i < CAPTIONS ? count - i : CAPTIONS;
        begin[0] = 0;
        for (size_t j = 0; j < some; j++) {
            size_t q = who[i + j], rows = (size_t)(e->begin[q + 1] - e->begin[q]);
            memcpy(states + (size_t)begin[j] * e->D, e->states + (size_t)e->begin[q] * e->D,
                   rows * e->D * sizeof *states);
            begin[j + 1] = begin[j] + (int32_t)rows;
        }
        good = laip_score_match(&e->scorer, states, begin, some, logits[0], error);
        for (size_t j = 0; good && j < some; j++)
            memcpy(e->logits + 2 * (who[i + j] * e->k + (size_t)e->rank_of[who[i + j] * n + picture]),
                   logits[j], sizeof logits[j]);
    }
    e->out->pairs += count;
    free(states);
    free(who);
    return good;
}

static bool match_all(evaluation *e, laip_error *error)
{
    for (size_t i = e->first; i < e->last; i += IMAGES) {
        size_t count = e->last - i < IMAGES ? e->last - i : IMAGES;
        laip_progress("matching: picture %zu of %zu", i - e->first, e->last - e->first);
        if (i + count > e->first + e->kept && !decode_batch(e, i, count, error))
            return false;
        for (size_t j = 0; j < count; j++)
            if (!match_picture(e, i + j, e->planes + j * e->pixels, error))
                return false;
    }
    if (e->ranks->size > 1) /* a pair is matched by one rank; the others have zeros there */
        for (size_t q = 0; q < e->d->caption_count; q++)
            laip_ranks_sum(e->ranks, e->logits + 2 * q * e->k, 2 * e->k);
    return true;
}

/* The candidates of all captions in their new order. */
static laip_metrics rank_again(evaluation *e, bool fused)
{
    laip_evaluation *o = e->out;
    size_t n = o->gallery;
    float temperature;
    const laip_param *p = e->model->temperature;
    laip_params_read(&e->model->params, p, &p->part[0], 0, &temperature);
    for (size_t q = 0; q < o->queries; q++) {
        for (size_t i = 0; i < e->k; i++) {
            const float *logit = e->logits + 2 * (q * e->k + i);
            int32_t picture = e->candidates[q * e->k + i];
            o->ranking[q * n + i] = picture;
            o->score[q * n + i] = fused ? e->weight * (logit[1] - logit[0]) +
                                              e->retrieval[q * n + (size_t)picture] / temperature
                                        : logit[1];
        }
        sort_places(o->ranking + q * n, o->score + q * n, e->k);
    }
    return laip_metrics_of(o->ranking, o->queries, n, o->query_person, o->gallery_person);
}

static size_t token_floats(const laip_model_config *m)
{
    return ((size_t)laip_patch_count(m) + 1) * (size_t)m->width;
}

/* Of `count` pictures, those whose tokens find room: 1.8 MB a picture at full size. */
static size_t pictures_kept(const laip_model_config *m, laip_reranking how, size_t count)
{
    size_t most = how.k ? how.image_cache / sizeof(float) / token_floats(m) : 0;
    return count < most ? count : most;
}

size_t laip_evaluation_image_cache(void)
{
    return (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE) / 4;
}

static void prepare(evaluation *e, laip_reranking how)
{
    laip_evaluation *o = e->out;
    size_t n = e->d->picture_count, queries = e->d->caption_count;
    e->image_features = laip_alloc(n * e->E, sizeof(float));
    e->text_features = laip_alloc(queries * e->E, sizeof(float));
    e->states = laip_alloc(e->t->captions.begin[queries] * e->D, sizeof(float));
    e->planes = laip_alloc(IMAGES * e->pixels, sizeof(float));
    e->retrieval = laip_alloc(queries * n, sizeof(float));
    e->rank_of = laip_alloc(queries * n, sizeof(int32_t));
    e->candidates = laip_alloc(queries * e->k, sizeof(int32_t));
    e->logits = laip_alloc(queries * e->k, 2 * sizeof(float));
    e->begin = laip_alloc(queries + 1, sizeof *e->begin);
    e->ids = e->t->captions.ids;
    for (size_t q = 0; q <= queries; q++)
        e->begin[q] = (int32_t)e->t->captions.begin[q];
    o->ranking = laip_alloc(queries * n, sizeof *o->ranking);
    o->score = laip_alloc(queries * n, sizeof *o->score);
    o->query_person = laip_alloc(queries, sizeof *o->query_person);
    o->gallery_person = laip_alloc(n, sizeof *o->gallery_person);
    for (size_t q = 0; q < queries; q++)
        o->query_person[q] = e->d->pictures[e->d->captions[q].picture].person;
    for (size_t i = 0; i < n; i++)
        o->gallery_person[i] = e->d->pictures[i].person;
    laip_ranks_division(e->ranks, e->ranks->rank, n, &e->first, &e->last);
    e->token_floats = token_floats(&e->model->sizes);
    how.image_cache /= (size_t)e->ranks->size;
    e->kept = pictures_kept(&e->model->sizes, how, e->last - e->first);
    e->tokens = laip_alloc(e->kept * e->token_floats, sizeof(float));
}

static laip_score_sizes sizes_for(const laip_texts *texts)
{
    return (laip_score_sizes){.images = IMAGES,
                              .captions = CAPTIONS,
                              .rows = CAPTIONS * texts->captions.longest,
                              .longest = texts->captions.longest};
}

size_t laip_evaluation_bytes(laip_model *model, const laip_dataset *d, const laip_texts *texts,
                             laip_reranking how, size_t *host)
{
    const laip_model_config *m = &model->sizes;
    size_t n = d->picture_count, queries = d->caption_count, E = (size_t)m->embed;
    laip_score_sizes z = sizes_for(texts);
    /* as prepare() takes them: features, states, pixels of a batch; two scores, two places a pair; a place
     * and two logits a candidate; tokens of pictures */
    size_t floats = (n + queries) * E + texts->captions.begin[queries] * (size_t)m->width +
                    IMAGES * 3 * (size_t)m->image_height * (size_t)m->image_width + 4 * n * queries +
                    3 * queries * (how.k < n ? how.k : n) + pictures_kept(m, how, n) * token_floats(m);
    *host = floats * sizeof(float);
    return laip_scorer_bytes(model, &z);
}

bool laip_evaluate(laip_model *model, const laip_dataset *d, const laip_texts *texts, laip_reranking how,
                   int threads, const laip_ranks *ranks, laip_evaluation *out, laip_error *error)
{
    const laip_model_config *m = &model->sizes;
    evaluation e = {.model = model,
                    .d = d,
                    .t = texts,
                    .out = out,
                    .k = how.k < d->picture_count ? how.k : d->picture_count,
                    .weight = how.weight,
                    .E = (size_t)m->embed,
                    .D = (size_t)m->width,
                    .threads = threads,
                    .ranks = ranks,
                    .pixels = 3 * (size_t)m->image_height * (size_t)m->image_width};
    *out = (laip_evaluation){.queries = d->caption_count, .gallery = d->picture_count};
    if (!d->caption_count)
        return laip_bad_input(error, "the split to evaluate on has no captions");
    laip_score_sizes z = sizes_for(texts);
    double start = laip_seconds();
    prepare(&e, how);
    bool good = laip_scorer_create(&e.scorer, model, &z, error) && encode_texts(&e, error) &&
                encode_images(&e, error);
    out->seconds_encode = laip_seconds() - start;
    if (good) {
        laip_parallel_for(d->caption_count, threads, rank_by_retrieval, &e);
        out->retrieval =
            laip_metrics_of(out->ranking, out->queries, out->gallery, out->query_person, out->gallery_person);
        start = laip_seconds();
        good = !e.k || match_all(&e, error);
        out->seconds_match = laip_seconds() - start;
    }
    if (good) { /* the one that stays comes last */
        laip_metrics *by[] = {&out->rerank, &out->fused};
        *by[!how.fused] = rank_again(&e, !how.fused);
        *by[how.fused] = rank_again(&e, how.fused);
    }
    laip_scorer_free(&e.scorer);
    float *floats[] = {e.image_features, e.text_features, e.states, e.planes,
                       e.retrieval,      e.logits,        e.tokens};
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++)
        free(floats[i]);
    free(e.rank_of);
    free(e.candidates);
    free(e.begin);
    return good;
}

void laip_evaluation_free(laip_evaluation *e)
{
    free(e->ranking);
    free(e->score);
    free(e->query_person);
    free(e->gallery_person);
    *e = (laip_evaluation){0};
}
