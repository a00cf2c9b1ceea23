/* Search: scores by the device's product, a block of pictures at a time; the best of each query by a heap. */
#include "search/index.h"

#include "base/parallel.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 32768, QUERIES = 64 }; /* pictures, and queries, of one product */

static void upload(laip_index *x, laip_mat to, size_t first, size_t count)
{
    size_t E = x->embed, some = 1024;
    float *rows = laip_alloc(some * E, sizeof *rows);
    for (size_t i = 0; i < count; i += some) {
        size_t n = count - i < some ? count - i : some;
        for (size_t k = 0; k < n; k++)
            memcpy(rows + k * E, x->pictures[first + i + k].features, E * sizeof *rows);
        laip_mat_write_at(x->engine->device, to, i * E, n * E, rows);
    }
    free(rows);
}

/* As many blocks on the device as find room in a quarter of its memory; one more for what does not. */
static bool load(laip_index *x, laip_engine *engine, laip_error *error)
{
    laip_device *d = engine->device;
    size_t all = (x->picture_count + BLOCK - 1) / BLOCK, bytes = BLOCK * x->embed * sizeof(float);
    if (x->engine)
        return laip_device_ok(d, error);
    size_t room = laip_device_traits(d)->memory / 4 / bytes;
    x->engine = engine;
    x->block_count = all < room ? all : room;
    x->blocks = laip_alloc(x->block_count, sizeof *x->blocks);
    for (size_t b = 0; b < x->block_count; b++) {
        size_t left = x->picture_count - b * BLOCK, count = left < BLOCK ? left : BLOCK;
        x->blocks[b] = laip_mat_create(d, count, x->embed);
        if (!laip_device_ok(d, error))
            return false;
        upload(x, x->blocks[b], b * BLOCK, count);
    }
    if (x->block_count < all)
        x->stream = laip_mat_create(d, BLOCK, x->embed);
    x->queries = laip_mat_create(d, QUERIES, x->embed);
    x->scores = laip_mat_create(d, QUERIES, BLOCK);
    return laip_device_ok(d, error);
}

static bool better(const laip_hit *a, const laip_hit *b)
{
    return a->score > b->score || (a->score == b->score && a->picture < b->picture);
}

/* A heap of at most `top` hits, the worst of them first. */
static void offer(laip_hit *heap, size_t *count, size_t top, laip_hit hit)
{
    size_t i;
    if (*count < top) {
        for (i = (*count)++; i && better(&heap[(i - 1) / 2], &hit); i = (i - 1) / 2)
            heap[i] = heap[(i - 1) / 2];
        heap[i] = hit;
        return;
    }
    if (!better(&hit, &heap[0]))
        return;
    for (i = 0; 2 * i + 1 < top;) {
        size_t child = 2 * i + 1;
        if (child + 1 < top && better(&heap[child], &heap[child + 1]))
            child++;
        if (!better(&hit, &heap[child]))
            break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = hit;
}

typedef struct selection {
    const float *scores;
    size_t count, first, top;
    laip_hit *hits;
    size_t *found;
} selection;

static void select_best(void *context, size_t q)
{
    selection *s = context;
    const float *score = s->scores + q * s->count;
    for (size_t i = 0; i < s->count; i++)
        offer(s->hits + q * s->top, &s->found[q], s->top,
              (laip_hit){.picture = s->first + i, .cosine = score[i], .score = score[i]});
}

static int best_first(const void *a, const void *b)
{
    return better(a, b) ? -1 : better(b, a);
}

/* Up to QUERIES queries against all pictures. */
static bool search_some(laip_index *x, laip_engine *engine, const float *queries, size_t count, selection *s,
                        laip_error *error)
{
    laip_device *d = engine->device;
    float *scores = laip_alloc(count * BLOCK, sizeof *scores);
    bool good = load(x, engine, error);
    if (good)
        laip_mat_write(d, laip_rows(x->queries, count), queries);
    for (size_t first = 0, b = 0; good && first < x->picture_count; first += BLOCK, b++) {
        size_t left = x->picture_count - first, some = left < BLOCK ? left : BLOCK;
        laip_mat block = b < x->block_count ? x->blocks[b] : laip_rows(x->stream, some);
        laip_mat product = laip_rows(x->scores, count);
        product.cols = some;
        if (b >= x->block_count)
            upload(x, block, first, some);
        laip_gemm(d, false, true, 1, laip_rows(x->queries, count), block, 0, product, NULL);
        laip_mat_read(d, product, scores);
        good = laip_device_ok(d, error);
        s->scores = scores;
        s->count = some;
        s->first = first;
        if (good)
            laip_parallel_for(count, engine->threads, select_best, s);
    }
    free(scores);
    return good;
}

laip_status laip_index_search(laip_index *x, laip_network *n, const float *queries, size_t count, size_t top,
                              laip_hit *hits, size_t *found, laip_error *error)
{
    laip_error e;
    if (laip_index_check(x, n, &e) != LAIP_OK)
        return laip_tell(false, &e, error);
    bool good = true;
    if (count)
        memset(found, 0, count * sizeof *found);
    if (!top || !x->picture_count)
        return LAIP_OK;
    laip_engine_enter(n->engine);
    for (size_t i = 0; good && i < count; i += QUERIES) {
        selection s = {.top = top, .hits = hits + i * top, .found = found + i};
        good = search_some(x, n->engine, queries + i * x->embed, count - i < QUERIES ? count - i : QUERIES,
                           &s, &e);
    }
    laip_engine_leave(n->engine);
    for (size_t q = 0; good && q < count; q++)
        qsort(hits + q * top, found[q], sizeof *hits, best_first);
    return laip_tell(good, &e, error);
}

/* The pictures of a few hits, read and decoded. */
typedef struct reading {
    const laip_index *x;
    const laip_network *n;
    laip_hit *hits;
    float *planes;
} reading;

static void read_hit(void *context, size_t i)
{
    reading *r = context;
    laip_hit *hit = &r->hits[i];
    laip_image image;
    laip_error error;
    void *data;
    size_t size;
    const char *type;
    hit->matched = 0;
    if (laip_index_read(r->x, hit->picture, &data, &size, &type, &error) != LAIP_OK)
        return;
    if (laip_image_decode(data, size, "picture", true, &image, &error)) {
        laip_network_planes(r->n, &image, r->planes + i * r->n->planes);
        laip_image_free(&image);
        hit->matched = 1;
    }
    free(data);
}

/* Matches those of `count` hits that can be read; their planes are moved together. */
static bool match_hits(reading *r, laip_network *n, const float *states, size_t tokens, const float *text,
                       size_t count, laip_error *error)
{
    laip_match *matches = laip_alloc(count, sizeof *matches);
    size_t some = 0;
    for (size_t i = 0; i < count; i++)
        if (r->hits[i].matched) {
            if (some != i)
                memmove(r->planes + some * n->planes, r->planes + i * n->planes, n->planes * sizeof(float));
            some++;
        }
    bool good = laip_network_match(n, states, tokens, text, r->planes, some, matches, error);
    for (size_t i = 0, k = 0; good && i < count; i++)
        if (r->hits[i].matched) {
            r->hits[i].log_odds = matches[k].log_odds;
            r->hits[i].score = matches[k++].fused;
        }
    free(matches);
    return good;
}

static int matched_first(const void *a, const void *b)
{
    const laip_hit *x = a, *y = b;
    if (x->matched != y->matched)
        return x->matched ? -1 : 1;
    return best_first(a, b);
}

laip_status laip_index_rerank(laip_index *x, laip_network *n, const char *sentence, laip_hit *hits,
                              size_t count, laip_error *error)
{
    const laip_model_config *m = &n->config.model;
    laip_error e;
    laip_tokens t = {0};
    if (laip_index_check(x, n, &e) != LAIP_OK || !laip_network_tokens(n, sentence, &t, &e)) {
        laip_tokens_free(&t);
        return laip_tell(false, &e, error);
    }
    float *text = laip_alloc((size_t)m->embed, sizeof *text);
    float *states = laip_alloc(t.count * (size_t)m->width, sizeof *states);
    float *planes = laip_alloc(n->batch * n->planes, sizeof *planes);
    laip_network_enter(n);
    bool good = laip_network_states(n, &t, text, states, &e);
    laip_network_leave(n);
    for (size_t i = 0; good && i < count; i += n->batch) {
        size_t some = count - i < n->batch ? count - i : n->batch;
        reading r = {x, n, hits + i, planes};
        laip_parallel_for(some, n->engine->threads, read_hit, &r);
        laip_network_enter(n); /* others have their turn between batches */
        good = match_hits(&r, n, states, t.count, text, some, &e);
        laip_network_leave(n);
    }
    if (good && count)
        qsort(hits, count, sizeof *hits, matched_first);
    free(text);
    free(states);
    free(planes);
    laip_tokens_free(&t);
    return laip_tell(good, &e, error);
}
