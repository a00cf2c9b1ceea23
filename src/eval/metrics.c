#include "eval/metrics.h"

#include "base/memory.h"
#include "base/rng.h"
#include <stdbool.h>
#include <stdlib.h>

laip_hits laip_hits_of(const int32_t *places, size_t count)
{
    laip_hits h = {.first = count ? places[0] : -1};
    for (size_t i = 0; i < count; i++)
        h.precision += (double)(i + 1) / (double)(places[i] + 1);
    h.precision = count ? h.precision / (double)count : 0;
    return h;
}

laip_metrics laip_metrics_mean(const laip_hits *hits, size_t queries)
{
    laip_metrics m = {0};
    for (size_t q = 0; q < queries; q++) {
        bool found = hits[q].first >= 0;
        m.r1 += found && hits[q].first < 1;
        m.r5 += found && hits[q].first < 5;
        m.r10 += found && hits[q].first < 10;
        m.map += hits[q].precision;
    }
    double scale = queries ? 100.0 / (double)queries : 0;
    return (laip_metrics){m.r1 * scale, m.r5 * scale, m.r10 * scale, m.map * scale};
}

laip_metrics laip_metrics_of(const int32_t *ranking, size_t queries, size_t gallery,
                             const int32_t *query_person, const int32_t *gallery_person)
{
    laip_hits *hits = laip_alloc(queries, sizeof *hits);
    int32_t *places = laip_alloc(gallery, sizeof *places);
    for (size_t q = 0; q < queries; q++) {
        size_t count = 0;
        for (size_t k = 0; k < gallery; k++)
            if (gallery_person[ranking[q * gallery + k]] == query_person[q])
                places[count++] = (int32_t)k;
        hits[q] = laip_hits_of(places, count);
    }
    laip_metrics m = laip_metrics_mean(hits, queries);
    free(hits);
    free(places);
    return m;
}

laip_metrics laip_metrics_chance(size_t queries, size_t gallery, const int32_t *query_person,
                                 const int32_t *gallery_person)
{
    enum { DRAWS = 20 };
    laip_metrics sum = {0};
    laip_hits *hits = laip_alloc(queries, sizeof *hits);
    uint32_t *order = laip_alloc(gallery, sizeof *order);
    int32_t *places = laip_alloc(gallery, sizeof *places);
    for (int draw = 0; draw < DRAWS; draw++) {
        for (size_t q = 0; q < queries; q++) {
            laip_rng r = laip_rng_stream(1, (uint64_t)draw, q, LAIP_SITE_TEST);
            size_t count = 0;
            for (size_t i = 0; i < gallery; i++)
                order[i] = (uint32_t)i;
            laip_rng_shuffle(&r, order, (uint32_t)gallery);
            for (size_t i = 0; i < gallery; i++)
                if (gallery_person[order[i]] == query_person[q])
                    places[count++] = (int32_t)i;
            hits[q] = laip_hits_of(places, count);
        }
        laip_metrics m = laip_metrics_mean(hits, queries);
        sum.r1 += m.r1 / DRAWS;
        sum.r5 += m.r5 / DRAWS;
        sum.r10 += m.r10 / DRAWS;
        sum.map += m.map / DRAWS;
    }
    free(hits);
    free(order);
    free(places);
    return sum;
}
