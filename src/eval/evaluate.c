#include "eval/evaluate.h"

#include "base/log.h"
#include "eval/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void laip_eval_division(const laip_ranks *ranks, int rank, size_t count, size_t each, size_t *first,
                        size_t *last)
{
    laip_ranks_division(ranks, rank, (count + each - 1) / each, first, last);
    *first = *first * each < count ? *first * each : count;
    *last = *last * each < count ? *last * each : count;
}

size_t *laip_eval_places(const laip_ranks *ranks, size_t count, size_t each)
{
    size_t *places = laip_alloc((size_t)ranks->size + 1, sizeof *places), first;
    for (int k = 0; k < ranks->size; k++)
        laip_eval_division(ranks, k, count, each, &first, &places[k + 1]);
    return places;
}

bool laip_eval_agree(const laip_eval_run *e, bool good, laip_error *error)
{
    if (!laip_ranks_any(e->ranks, !good))
        return true;
    return good ? laip_failure(error, "%s", laip_ranks_elsewhere) : false;
}

size_t laip_eval_block(const laip_texts *t, size_t width)
{
    size_t batch = LAIP_EVAL_CAPTIONS * t->captions.longest * width * sizeof(float),
           batches = ((size_t)512 << 20) / (batch ? batch : 1);
    return LAIP_EVAL_CAPTIONS * (batches ? batches : 1);
}

static size_t depth_of(size_t queries, size_t gallery, size_t k)
{
    size_t least = k > 100 ? k : 100;
    bool all = queries * gallery <= (size_t)16 << 20; /* eight bytes each */
    return all || gallery < least ? gallery : least;
}

/* The whole gallery with the scores of the k best, the others all alike; the places of the person's pictures.
 */
static size_t rank_all(laip_eval_run *e, size_t q, bool fused, const int32_t *pictures, const float *scores,
                       laip_eval_scored *all, int32_t *places, bool shown)
{
    laip_evaluation *o = e->out;
    size_t n = o->gallery, count = 0;
    for (size_t i = 0; i < n; i++)
        all[i] = (laip_eval_scored){fused ? -INFINITY : -100, (int32_t)i};
    for (size_t i = 0; i < e->k; i++)
        all[pictures[i]].score = scores[i];
    laip_eval_sort_as_torch(all, n);
    for (size_t i = 0; i < n; i++)
        if (o->gallery_person[all[i].picture] == o->query_person[q])
            places[count++] = (int32_t)i;
    for (size_t i = 0; shown && i < o->depth; i++) {
        o->ranking[q * o->depth + i] = all[i].picture;
        o->score[q * o->depth + i] = all[i].score;
    }
    return count;
}

/* This rank's captions in their new order, by matching or by both; into the result where that is the one that
 * is shown. */
static bool rank_again(laip_eval_run *e, bool fused, float temperature, laip_error *error)
{
    laip_evaluation *o = e->out;
    int32_t *pictures = laip_alloc(e->k, sizeof *pictures), *places = laip_alloc(o->gallery, sizeof *places);
    float *scores = laip_alloc(e->k, sizeof *scores);
    laip_eval_scored *all = e->how.plain_tail && e->k ? laip_alloc(o->gallery, sizeof *all) : NULL;
    bool good = true;
    for (size_t q = e->query; good && q < e->query_end; q++) {
        const size_t *far = e->far_begin + (q - e->query);
        size_t count = 0;
        for (size_t i = 0; i < e->k; i++) {
            const float *logit = e->logits + 2 * (q * e->k + i);
            pictures[i] = e->candidates[q * e->k + i];
            scores[i] = fused ? e->how.weight * (logit[1] - logit[0]) + e->cosine[q * e->k + i] / temperature
                              : logit[1];
            if (!isfinite(scores[i]))
                good = laip_failure(error, "the score of caption %zu with picture %d is not a finite number",
                                    q, (int)pictures[i]);
        }
        bool shown = fused == e->how.fused;
        laip_eval_sort(pictures, scores, e->k);
        for (size_t i = 0; i < e->k; i++)
            if (o->gallery_person[pictures[i]] == o->query_person[q])
                places[count++] = (int32_t)i;
        if (all)
            count = rank_all(e, q, fused, pictures, scores, all, places, shown);
        for (size_t i = far[0]; !all && i < far[1]; i++)
            places[count++] = e->far[i];
        e->hits[1 + fused][q] = laip_hits_of(places, count);
        if (shown && !all) {
            memcpy(o->ranking + q * o->depth, pictures, e->k * sizeof *pictures);
            memcpy(o->score + q * o->depth, scores, e->k * sizeof *scores);
        }
    }
    free(pictures);
    free(places);
    free(scores);
    free(all);
    return good;
}

static bool rerank(laip_eval_run *e, laip_error *error)
{
    const laip_param *p = e->model->temperature;
    float temperature;
    laip_params_read(&e->model->params, p, &p->part[0], 0, &temperature);
    bool good = laip_device_ok(e->model->device, error) && rank_again(e, false, temperature, error) &&
                rank_again(e, true, temperature, error);
    return laip_eval_agree(e, good, error);
}

/* What each rank found for its captions becomes everyone's. */
static void exchange_results(laip_eval_run *e)
{
    laip_evaluation *o = e->out;
    size_t *places = laip_eval_places(e->ranks, o->queries, LAIP_EVAL_CAPTIONS),
           *scaled = laip_alloc((size_t)e->ranks->size + 1, sizeof *scaled);
    laip_metrics *of[] = {&o->retrieval, &o->rerank, &o->fused};
    for (int i = 0; i < 3; i++) {
        laip_ranks_allgatherv_items(e->ranks, e->hits[i], sizeof *e->hits[i], places);
        *of[i] = laip_metrics_mean(e->hits[i], o->queries);
        o->hits[i] = e->hits[i];
        e->hits[i] = NULL;
    }
    for (int k = 0; k <= e->ranks->size; k++)
        scaled[k] = places[k] * o->depth;
    laip_ranks_allgatherv_ints(e->ranks, o->ranking, scaled);
    laip_ranks_allgatherv(e->ranks, o->score, scaled);
    double pairs = (double)o->pairs;
    laip_ranks_sum_doubles(e->ranks, &pairs, 1);
    o->pairs = (size_t)pairs;
    free(places);
    free(scaled);
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

static void prepare_result(laip_evaluation *o, const laip_dataset *d, size_t k)
{
    *o = (laip_evaluation){.queries = d->caption_count, .gallery = d->picture_count};
    o->depth = depth_of(o->queries, o->gallery, k);
    o->ranking = laip_alloc(o->queries * o->depth, sizeof *o->ranking);
    o->score = laip_alloc(o->queries * o->depth, sizeof *o->score);
    o->query_person = laip_alloc(o->queries, sizeof *o->query_person);
    o->gallery_person = laip_alloc(o->gallery, sizeof *o->gallery_person);
    for (size_t q = 0; q < o->queries; q++)
        o->query_person[q] = d->pictures[d->captions[q].picture].person;
    for (size_t i = 0; i < o->gallery; i++)
        o->gallery_person[i] = d->pictures[i].person;
}

static void prepare(laip_eval_run *e)
{
    size_t n = e->d->picture_count, queries = e->d->caption_count;
    laip_eval_division(e->ranks, e->ranks->rank, n, LAIP_EVAL_IMAGES, &e->first, &e->last);
    laip_eval_division(e->ranks, e->ranks->rank, queries, LAIP_EVAL_CAPTIONS, &e->query, &e->query_end);
    e->begin = e->t->captions.begin;
    e->image_features = laip_alloc(n * e->E, sizeof(float));
    e->text_features = laip_alloc(queries * e->E, sizeof(float));
    if (e->k && laip_eval_block(e->t, e->D) >= queries)
        e->states = laip_alloc(e->begin[queries] * e->D, sizeof(float));
    e->planes = laip_alloc(LAIP_EVAL_IMAGES * e->pixels, sizeof(float));
    e->candidates = laip_alloc(queries * e->k, sizeof(int32_t));
    e->cosine = laip_alloc(queries * e->k, sizeof(float));
    e->logits = laip_alloc(queries * e->k, 2 * sizeof(float));
    e->far_begin = laip_alloc(e->query_end - e->query + 1, sizeof *e->far_begin);
    for (int i = 0; i < 3; i++)
        e->hits[i] = laip_alloc(queries, sizeof *e->hits[i]);
    e->token_floats = token_floats(&e->model->sizes);
    e->how.image_cache /= (size_t)e->ranks->size;
    e->kept = pictures_kept(&e->model->sizes, e->how, e->last - e->first);
    e->tokens = laip_alloc(e->kept * e->token_floats, sizeof(float));
}

static laip_score_sizes sizes_for(const laip_texts *texts)
{
    return (laip_score_sizes){.images = LAIP_EVAL_IMAGES,
                              .captions = LAIP_EVAL_CAPTIONS,
                              .rows = LAIP_EVAL_CAPTIONS * texts->captions.longest,
                              .longest = texts->captions.longest};
}

size_t laip_evaluation_bytes(laip_model *model, const laip_dataset *d, const laip_texts *texts,
                             laip_reranking how, size_t *host)
{
    const laip_model_config *m = &model->sizes;
    size_t n = d->picture_count, queries = d->caption_count, E = (size_t)m->embed;
    size_t k = how.k < n ? how.k : n, block = laip_eval_block(texts, (size_t)m->width);
    laip_score_sizes z = sizes_for(texts);
    size_t rows = block >= queries ? texts->captions.begin[queries] : block * texts->captions.longest;
    /* as prepare() takes them: features, states of a block, pixels of a batch; the result's place and score;
     * a place, a cosine and two logits a candidate; tokens of pictures */
    size_t floats = (n + queries) * E + (k ? rows * (size_t)m->width : 0) +
                    (size_t)LAIP_EVAL_IMAGES * 3 * (size_t)m->image_height * (size_t)m->image_width +
                    2 * queries * depth_of(queries, n, k) + 4 * queries * k +
                    pictures_kept(m, how, n) * token_floats(m);
    *host = floats * sizeof(float);
    return laip_scorer_bytes(model, &z);
}

static void release(laip_eval_run *e)
{
    laip_scorer_free(&e->scorer);
    void *all[] = {e->image_features, e->text_features, e->states,    e->planes, e->candidates,
                   e->cosine,         e->logits,        e->far_begin, e->far,    e->hits[0],
                   e->hits[1],        e->hits[2],       e->tokens};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

bool laip_evaluate(laip_model *model, const laip_dataset *d, const laip_texts *texts, laip_reranking how,
                   int threads, const laip_ranks *ranks, laip_evaluation *out, laip_error *error)
{
    const laip_model_config *m = &model->sizes;
    laip_eval_run e = {.model = model,
                       .d = d,
                       .t = texts,
                       .out = out,
                       .how = how,
                       .k = how.k < d->picture_count ? how.k : d->picture_count,
                       .E = (size_t)m->embed,
                       .D = (size_t)m->width,
                       .threads = threads,
                       .ranks = ranks,
                       .pixels = 3 * (size_t)m->image_height * (size_t)m->image_width};
    *out = (laip_evaluation){.queries = 0};
    if (!d->caption_count)
        return laip_bad_input(error, "the split to evaluate on has no captions");
    laip_score_sizes z = sizes_for(texts);
    double start = laip_seconds();
    prepare_result(out, d, e.k);
    prepare(&e);
    bool good = laip_eval_agree(&e, laip_scorer_create(&e.scorer, model, &z, error), error) &&
                laip_eval_encode(&e, error);
    out->seconds_encode = laip_seconds() - start;
    good = good && laip_eval_retrieve(&e, error);
    start = laip_seconds();
    good = good && (!e.k || laip_eval_match(&e, error));
    out->seconds_match = laip_seconds() - start;
    good = good && rerank(&e, error);
    if (good)
        exchange_results(&e);
    if (good && how.keeps) {
        out->embed = e.E;
        out->k = e.k;
        out->image_features = e.image_features;
        out->text_features = e.text_features;
        out->candidates = e.candidates;
        out->logits = e.logits;
        e.image_features = e.text_features = e.logits = NULL;
        e.candidates = NULL;
    }
    release(&e);
    return good;
}

void laip_evaluation_free(laip_evaluation *e)
{
    free(e->ranking);
    free(e->score);
    free(e->query_person);
    free(e->gallery_person);
    for (int i = 0; i < 3; i++)
        free(e->hits[i]);
    free(e->image_features);
    free(e->text_features);
    free(e->candidates);
    free(e->logits);
    *e = (laip_evaluation){0};
}
