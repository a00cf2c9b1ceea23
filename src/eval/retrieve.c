/* Retrieval by cosine, a caption at a time: nothing as large as captions times pictures is kept. */
#include "eval/internal.h"

#include "base/parallel.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

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

void laip_eval_sort(int32_t *pictures, float *scores, size_t count)
{
    scored *all = laip_alloc(count, sizeof *all);
    for (size_t i = 0; i < count; i++)
        all[i] = (scored){scores[i], pictures[i]};
    if (count)
        qsort(all, count, sizeof *all, better);
    for (size_t i = 0; i < count; i++) {
        pictures[i] = all[i].picture;
        scores[i] = all[i].score;
    }
    free(all);
}

static void sink(scored *heap, size_t count, size_t at)
{
    for (;;) {
        size_t worst = at, left = 2 * at + 1;
        for (size_t child = left; child < left + 2 && child < count; child++)
            if (better(&heap[child], &heap[worst]) > 0)
                worst = child;
        if (worst == at)
            return;
        scored swap = heap[at];
        heap[at] = heap[worst];
        heap[worst] = swap;
        at = worst;
    }
}

/* The best `count` of all [n], sorted, into best: a heap whose root is the worst of them. */
static void best_of(const scored *all, size_t n, scored *best, size_t count)
{
    memcpy(best, all, count * sizeof *best);
    for (size_t i = count / 2; i-- > 0;)
        sink(best, count, i);
    for (size_t i = count; count && i < n; i++)
        if (better(&all[i], &best[0]) < 0) {
            best[0] = all[i];
            sink(best, count, 0);
        }
    if (count)
        qsort(best, count, sizeof *best, better);
}

static int rising(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return x < y ? -1 : x > y;
}

/* The places of the pictures of the caption's person, rising. */
static size_t places_of(const laip_eval_run *e, size_t q, const scored *all, int32_t *places)
{
    size_t n = e->out->gallery, count = 0;
    for (size_t i = 0; i < n; i++) {
        if (e->out->gallery_person[i] != e->out->query_person[q])
            continue;
        int32_t place = 0;
        for (size_t j = 0; j < n; j++)
            place += better(&all[j], &all[i]) < 0;
        places[count++] = place;
    }
    if (count)
        qsort(places, count, sizeof *places, rising);
    return count;
}

/* Some captions, ranked side by side. */
typedef struct block {
    laip_eval_run *e;
    size_t first;
    int32_t *places; /* [block, gallery], count [block] of each caption */
    size_t *count;
    atomic_size_t broken; /* 1 + a caption with a score that is not finite */
} block;

static void rank_one(void *context, size_t i)
{
    block *b = context;
    laip_eval_run *e = b->e;
    size_t q = b->first + i, n = e->out->gallery, depth = e->out->depth, want = depth > e->k ? depth : e->k;
    scored *all = laip_alloc(n, sizeof *all), *best = laip_alloc(want, sizeof *best);
    const float *text = e->text_features + q * e->E;
    for (size_t p = 0; p < n; p++) {
        const float *image = e->image_features + p * e->E;
        float sum = 0;
        for (size_t c = 0; c < e->E; c++)
            sum += text[c] * image[c];
        all[p] = (scored){sum, (int32_t)p};
        if (!isfinite(sum))
            atomic_store(&b->broken, q + 1);
    }
    best_of(all, n, best, want);
    for (size_t c = 0; c < depth; c++) {
        e->out->ranking[q * depth + c] = best[c].picture;
        e->out->score[q * depth + c] = best[c].score;
    }
    for (size_t c = 0; c < e->k; c++) {
        e->candidates[q * e->k + c] = best[c].picture;
        e->cosine[q * e->k + c] = best[c].score;
    }
    int32_t *places = b->places + i * n;
    b->count[i] = places_of(e, q, all, places);
    e->hits[0][q] = laip_hits_of(places, b->count[i]);
    free(all);
    free(best);
}

static void keep_far(laip_eval_run *e, size_t q, const int32_t *places, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if ((size_t)places[i] < e->k)
            continue;
        void *array = e->far;
        laip_grow(&array, &e->far_capacity, e->far_count + 1, sizeof *e->far);
        e->far = array;
        e->far[e->far_count++] = places[i];
    }
    e->far_begin[q - e->query + 1] = e->far_count;
}

bool laip_eval_retrieve(laip_eval_run *e, laip_error *error)
{
    enum { BLOCK = 256 };
    size_t count[BLOCK] = {0}, n = e->out->gallery, queries = e->query_end - e->query;
    block b = {.e = e, .count = count};
    b.places = laip_alloc((queries < BLOCK ? queries : BLOCK) * n, sizeof *b.places);
    atomic_init(&b.broken, 0);
    for (b.first = e->query; b.first < e->query_end; b.first += BLOCK) {
        size_t some = e->query_end - b.first < BLOCK ? e->query_end - b.first : BLOCK;
        laip_parallel_for(some, e->threads, rank_one, &b);
        for (size_t i = 0; i < some; i++)
            keep_far(e, b.first + i, b.places + i * n, count[i]);
    }
    free(b.places);
    size_t broken = atomic_load(&b.broken);
    bool good = !broken || laip_failure(error,
                                        "the score of caption %zu with a picture is not a finite number: the "
                                        "model's features are not",
                                        broken - 1);
    if (!laip_eval_agree(e, good, error))
        return false;
    size_t *shares = laip_eval_places(e->ranks, e->d->caption_count, LAIP_EVAL_CAPTIONS);
    for (int r = 0; r <= e->ranks->size; r++)
        shares[r] *= e->k;
    laip_ranks_allgatherv_ints(e->ranks, e->candidates, shares);
    free(shares);
    return true;
}
