#include "data/order.h"

#include "base/memory.h"
#include "base/rng.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A caption as its distinct tokens in increasing order, and the weights of tokens. */
typedef struct bags {
    const laip_dataset *d;
    size_t *begin; /* [captions + 1] */
    int32_t *token;
    float *weight; /* [tokens]: inverse document frequency, squared */
    float *norm;   /* [captions] */
} bags;

static int by_number(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static bags make_bags(const laip_dataset *d, const laip_texts *t)
{
    size_t n = d->caption_count, used = 0, most = 0;
    const laip_token_sequences *c = &t->captions;
    bags b = {.d = d,
              .begin = laip_alloc(n + 1, sizeof *b.begin),
              .token = laip_alloc(c->begin[n] + 1, sizeof *b.token),
              .norm = laip_alloc(n, sizeof *b.norm)};
    for (size_t i = 0; i < n; i++) {
        size_t first = used, length = c->begin[i + 1] - c->begin[i];
        memcpy(b.token + used, c->ids + c->begin[i], length * sizeof *b.token);
        qsort(b.token + used, length, sizeof *b.token, by_number);
        for (size_t k = 0; k < length; k++)
            if (used == first || b.token[used - 1] != b.token[first + k])
                b.token[used++] = b.token[first + k];
        b.begin[i + 1] = used;
        if (used > first && (size_t)b.token[used - 1] + 1 > most)
            most = (size_t)b.token[used - 1] + 1;
    }
    b.weight = laip_alloc(most + 1, sizeof *b.weight);
    for (size_t k = 0; k < used; k++)
        b.weight[b.token[k]]++;
    for (size_t p = 0; p < most; p++) {
        float rare = b.weight[p] > 0 ? logf((float)n / b.weight[p]) : 0;
        b.weight[p] = rare * rare;
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = b.begin[i]; k < b.begin[i + 1]; k++)
            b.norm[i] += b.weight[b.token[k]];
        b.norm[i] = sqrtf(b.norm[i]);
    }
    return b;
}

static void free_bags(bags *b)
{
    free(b->begin);
    free(b->token);
    free(b->weight);
    free(b->norm);
}

static float likeness(const bags *b, uint32_t i, uint32_t j)
{
    size_t u = b->begin[i], v = b->begin[j];
    float sum = 0;
    while (u < b->begin[i + 1] && v < b->begin[j + 1]) {
        int32_t x = b->token[u], y = b->token[v];
        if (x == y)
            sum += b->weight[x];
        u += x <= y;
        v += y <= x;
    }
    return sum / (b->norm[j] + 1e-6f); /* of one i: its own norm changes no order */
}

static int32_t person(const bags *b, uint32_t caption)
{
    return b->d->pictures[b->d->captions[caption].picture].person;
}

/* Puts pairs order[0] … order[count − 1] into a chain, in place. */
static void chain(const bags *b, uint32_t *order, size_t count)
{
    for (size_t i = 0; i + 2 < count; i++) {
        size_t best = i + 1;
        float most = -1;
        for (size_t j = i + 1; j < count; j++) {
            float like = person(b, order[j]) == person(b, order[i]) ? -0.5f : likeness(b, order[i], order[j]);
            if (like > most) {
                most = like;
                best = j;
            }
        }
        uint32_t next = order[best];
        order[best] = order[i + 1];
        order[i + 1] = next;
    }
}

static void group_alike(uint32_t *order, const laip_dataset *d, const laip_texts *t, laip_rng *r,
                        size_t batch, size_t group)
{
    size_t n = d->caption_count;
    uint32_t whole = (uint32_t)(n / batch);
    bags b = make_bags(d, t);
    group = (group + batch - 1) / batch * batch;
    for (size_t i = 0; i < n; i += group)
        chain(&b, order + i, n - i < group ? n - i : group);
    free_bags(&b);
    uint32_t *place = laip_alloc(whole, sizeof *place), *old = laip_alloc(n, sizeof *old);
    memcpy(old, order, n * sizeof *old);
    for (uint32_t i = 0; i < whole; i++)
        place[i] = i;
    laip_rng_shuffle(r, place, whole);
    for (uint32_t i = 0; i < whole; i++)
        memcpy(order + (size_t)i * batch, old + (size_t)place[i] * batch, batch * sizeof *old);
    free(place);
    free(old);
}

void laip_order_make(uint32_t *order, const laip_dataset *d, const laip_texts *t, uint64_t seed,
                     uint64_t epoch, size_t batch, size_t group)
{
    uint32_t n = (uint32_t)d->caption_count;
    laip_rng r = laip_rng_stream(seed, epoch, 0, LAIP_SITE_ORDER);
    for (uint32_t i = 0; i < n; i++)
        order[i] = i;
    laip_rng_shuffle(&r, order, n);
    if (group > 1)
        group_alike(order, d, t, &r, batch, group);
}
