#include "eval/paired.h"

#include "base/memory.h"
#include "base/rng.h"
#include <math.h>
#include <stdlib.h>

double laip_paired_accuracy(const laip_paired_units *u, const laip_paired_run *run)
{
    double right = 0, captions = 0;
    for (size_t i = 0; i < u->count; i++) {
        right += run->right[i];
        captions += u->captions[i];
    }
    return captions > 0 ? 100 * right / captions : 0;
}

double laip_paired_mean(const laip_paired_units *u, const laip_paired_row *row)
{
    double sum = 0;
    for (size_t i = 0; i < row->count; i++)
        sum += laip_paired_accuracy(u, &row->runs[i]);
    return row->count ? sum / (double)row->count : 0;
}

/* The runs that both rows have: differences of counts, and where each seed's begin. */
typedef struct pairs {
    const laip_paired_run **a, **b; /* [count], by seed */
    size_t count, seeds, *first;    /* [seeds + 1] */
} pairs;

static int by_seed(const void *x, const void *y)
{
    const laip_paired_run *a = *(const laip_paired_run *const *)x, *b = *(const laip_paired_run *const *)y;
    if (a->seed != b->seed)
        return a->seed < b->seed ? -1 : 1;
    return (a->repetition > b->repetition) - (a->repetition < b->repetition);
}

static const laip_paired_run *partner(const laip_paired_row *row, const laip_paired_run *of)
{
    for (size_t i = 0; i < row->count; i++)
        if (row->runs[i].seed == of->seed && row->runs[i].repetition == of->repetition)
            return &row->runs[i];
    return NULL;
}

static pairs pair_up(const laip_paired_row *a, const laip_paired_row *b)
{
    pairs p = {.a = laip_alloc(a->count + 1, sizeof *p.a),
               .b = laip_alloc(a->count + 1, sizeof *p.b),
               .first = laip_alloc(a->count + 2, sizeof *p.first)};
    for (size_t i = 0; i < a->count; i++)
        if (partner(b, &a->runs[i]))
            p.a[p.count++] = &a->runs[i];
    qsort(p.a, p.count, sizeof *p.a, by_seed);
    for (size_t i = 0; i < p.count; i++) {
        p.b[i] = partner(b, p.a[i]);
        if (!i || p.a[i]->seed != p.a[i - 1]->seed)
            p.first[p.seeds++] = i;
    }
    p.first[p.seeds] = p.count;
    return p;
}

static void free_pairs(pairs *p)
{
    free(p->a);
    free(p->b);
    free(p->first);
}

/* Of one resample: mean over the drawn runs of the difference on the drawn units. */
static double resample(const laip_paired_units *u, const pairs *p, uint32_t *times, uint64_t stream,
                       uint64_t draw)
{
    laip_rng r = laip_rng_stream(stream, 0, draw, LAIP_SITE_TEST);
    double captions = 0, sum = 0;
    size_t runs = 0;
    for (size_t i = 0; i < u->count; i++)
        times[i] = 0;
    for (size_t i = 0; i < u->count; i++)
        times[laip_rng_below(&r, (uint32_t)u->count)]++;
    for (size_t i = 0; i < u->count; i++)
        captions += times[i] * u->captions[i];
    for (size_t s = 0; s < p->seeds; s++) {
        size_t seed = laip_rng_below(&r, (uint32_t)p->seeds), n = p->first[seed + 1] - p->first[seed];
        for (size_t k = 0; k < n; k++, runs++) {
            size_t at = p->first[seed] + laip_rng_below(&r, (uint32_t)n);
            double right = 0;
            for (size_t i = 0; i < u->count; i++)
                right += times[i] * (p->a[at]->right[i] - p->b[at]->right[i]);
            sum += captions > 0 ? 100 * right / captions : 0;
        }
    }
    return sum / (double)runs;
}

static int by_size(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

/* The value below which a share of sorted ones lies, between neighbours in proportion. */
static double quantile(const double *sorted, size_t count, double share)
{
    double at = share * (double)(count - 1);
    size_t low = (size_t)at, high = low + 1 < count ? low + 1 : low;
    return sorted[low] + (at - (double)low) * (sorted[high] - sorted[low]);
}

laip_paired_difference laip_paired_compare(const laip_paired_units *u, const laip_paired_row *a,
                                           const laip_paired_row *b, size_t draws, uint64_t stream)
{
    pairs p = pair_up(a, b);
    laip_paired_difference d = {.seeds = p.seeds, .runs = p.count, .p = 1};
    double *values = laip_alloc(draws + 1, sizeof *values);
    uint32_t *times = laip_alloc(u->count + 1, sizeof *times);
    size_t below = 0, above = 0;
    for (size_t i = 0; i < p.count; i++)
        d.mean += (laip_paired_accuracy(u, p.a[i]) - laip_paired_accuracy(u, p.b[i])) / (double)p.count;
    for (size_t i = 0; p.count && u->count && i < draws; i++) {
        values[i] = resample(u, &p, times, stream, i);
        below += values[i] <= 0;
        above += values[i] >= 0;
    }
    if (p.count && u->count && draws) {
        qsort(values, draws, sizeof *values, by_size);
        d.low = quantile(values, draws, 0.025);
        d.high = quantile(values, draws, 0.975);
        /* one more than was seen: a p of 0 is not shown by any number of draws */
        d.p = fmin(1, 2 * (double)((below < above ? below : above) + 1) / (double)(draws + 1));
    }
    free(values);
    free(times);
    free_pairs(&p);
    return d;
}

void laip_paired_holm(double *p, size_t count)
{
    bool *done = laip_alloc(count + 1, sizeof *done);
    double most = 0;
    for (size_t k = 0; k < count; k++) {
        size_t least = count;
        for (size_t i = 0; i < count; i++)
            if (!done[i] && (least == count || p[i] < p[least]))
                least = i;
        most = fmax(most, fmin(1, (double)(count - k) * p[least]));
        p[least] = most;
        done[least] = true;
    }
    free(done);
}

enum laip_paired_verdict laip_paired_judge(const laip_paired_difference *d, double p, double margin)
{
    if (d->seeds < LAIP_PAIRED_SEEDS)
        return LAIP_PAIRED_OPEN;
    if (p < 0.05 && (d->low > 0 || d->high < 0))
        return d->mean > 0 ? LAIP_PAIRED_BETTER : LAIP_PAIRED_WORSE;
    return d->low > -margin && d->high < margin ? LAIP_PAIRED_NO_EFFECT : LAIP_PAIRED_OPEN;
}
