/* Matching of candidates, picture by picture: an image's keys and values are projected once for all captions
 * that have it among their k best.  The states of captions are kept a block at a time. */
#include "eval/internal.h"

#include "base/log.h"

#include <stdlib.h>
#include <string.h>

/* The captions of a block that have each of this rank's pictures, and at which of their places. */
typedef struct lists {
    size_t *begin; /* [own pictures + 1] */
    int32_t *query, *place;
} lists;

static lists make_lists(const laip_eval_run *e, size_t first, size_t last)
{
    size_t own = e->last - e->first;
    lists l = {.begin = laip_alloc(own + 2, sizeof *l.begin)};
    for (size_t i = first * e->k; i < last * e->k; i++) {
        size_t p = (size_t)e->candidates[i];
        if (p >= e->first && p < e->last)
            l.begin[p - e->first + 2]++;
    }
    for (size_t p = 0; p < own; p++)
        l.begin[p + 2] += l.begin[p + 1];
    l.query = laip_alloc(l.begin[own + 1], sizeof *l.query);
    l.place = laip_alloc(l.begin[own + 1], sizeof *l.place);
    for (size_t i = first * e->k; i < last * e->k; i++) {
        size_t p = (size_t)e->candidates[i];
        if (p < e->first || p >= e->last)
            continue;
        size_t at = l.begin[p - e->first + 1]++;
        l.query[at] = (int32_t)(i / e->k);
        l.place[at] = (int32_t)(i % e->k);
    }
    return l;
}

/* `count` captions from the list's `at` on with the image that was set. */
static bool match_some(laip_eval_run *e, const lists *l, size_t at, size_t count, size_t first,
                       const float *states, float *packed, laip_error *error)
{
    int32_t begin[LAIP_EVAL_CAPTIONS + 1];
    float logits[LAIP_EVAL_CAPTIONS][2];
    begin[0] = 0;
    for (size_t j = 0; j < count; j++) {
        size_t q = (size_t)l->query[at + j], rows = e->begin[q + 1] - e->begin[q];
        memcpy(packed + (size_t)begin[j] * e->D, states + (e->begin[q] - e->begin[first]) * e->D,
               rows * e->D * sizeof *states);
        begin[j + 1] = begin[j] + (int32_t)rows;
    }
    if (!laip_score_match(&e->scorer, packed, begin, count, logits[0], error))
        return false;
    for (size_t j = 0; j < count; j++)
        memcpy(e->logits + 2 * ((size_t)l->query[at + j] * e->k + (size_t)l->place[at + j]), logits[j],
               sizeof logits[j]);
    return true;
}

static bool match_picture(laip_eval_run *e, const lists *l, size_t picture, const float *planes, size_t first,
                          const float *states, float *packed, laip_error *error)
{
    size_t at = l->begin[picture - e->first], end = l->begin[picture - e->first + 1];
    bool good = true;
    if (at < end)
        good = picture < e->first + e->kept
                   ? laip_score_set_encoded_image(&e->scorer,
                                                  e->tokens + (picture - e->first) * e->token_floats, error)
                   : laip_score_set_image(&e->scorer, planes, error);
    e->out->pairs += end - at;
    for (size_t some; good && at < end; at += some) {
        some = end - at < LAIP_EVAL_CAPTIONS ? end - at : LAIP_EVAL_CAPTIONS;
        good = match_some(e, l, at, some, first, states, packed, error);
    }
    return good;
}

static bool match_block(laip_eval_run *e, size_t first, size_t last, const float *states, laip_error *error)
{
    lists l = make_lists(e, first, last);
    float *packed = laip_alloc(LAIP_EVAL_CAPTIONS * e->t->captions.longest, e->D * sizeof *packed);
    bool good = true;
    for (size_t i = e->first; good && i < e->last; i += LAIP_EVAL_IMAGES) {
        size_t count = e->last - i < LAIP_EVAL_IMAGES ? e->last - i : LAIP_EVAL_IMAGES;
        laip_progress("matching: picture %zu of %zu", i - e->first, e->last - e->first);
        if (i + count > e->first + e->kept)
            good = laip_eval_decode(e, i, count, error);
        for (size_t j = 0; good && j < count; j++)
            good = match_picture(e, &l, i + j, e->planes + j * e->pixels, first, states, packed, error);
    }
    free(packed);
    free(l.begin);
    free(l.query);
    free(l.place);
    return good;
}

bool laip_eval_match(laip_eval_run *e, laip_error *error)
{
    size_t queries = e->d->caption_count, block = laip_eval_block(e->t, e->D), most = 0;
    for (size_t q = 0; q < queries; q += block) {
        size_t end = q + block < queries ? q + block : queries;
        most = e->begin[end] - e->begin[q] > most ? e->begin[end] - e->begin[q] : most;
    }
    float *states = e->states ? e->states : laip_alloc(most * e->D, sizeof *states);
    bool good = true;
    for (size_t q = 0; good && q < queries; q += block) {
        size_t end = q + block < queries ? q + block : queries;
        good = laip_eval_states(e, q, end, states, error);
        good = good && laip_eval_agree(e, match_block(e, q, end, states, error), error);
    }
    if (!e->states)
        free(states);
    if (good) /* a pair is matched by one rank; the others have zeros there */
        laip_ranks_sum(e->ranks, e->logits, 2 * queries * e->k);
    return good;
}
