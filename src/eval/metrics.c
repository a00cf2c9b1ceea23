#include "eval/metrics.h"

#include "base/memory.h"
#include "base/rng.h"
#include <stdlib.h>

laip_metrics laip_metrics_of(const int32_t *ranking, size_t queries, size_t gallery,
                             const int32_t *query_person, const int32_t *gallery_person)
{
    laip_metrics m = {0};
    for (size_t q = 0; q < queries; q++) {
        size_t hits = 0, first = SIZE_MAX; /* no place: the gallery may be smaller than k */
        double precision = 0;
        for (size_t k = 0; k < gallery; k++) {
            if (gallery_person[ranking[q * gallery + k]] != query_person[q])
                continue;
            first = hits ? first : k;
            precision += (double)++hits / (double)(k + 1);
        }
        m.r1 += first < 1;
        m.r5 += first < 5;
        m.r10 += first < 10;
        m.map += hits ? precision / (double)hits : 0;
    }
    double scale = queries ? 100.0 / (double)queries : 0;
    return (laip_metrics){m.r1 * scale, m.r5 * scale, m.r10 * scale, m.map * scale};
}

laip_metrics laip_metrics_chance(size_t queries, size_t gallery, const int32_t *query_person,
                                 const int32_t *gallery_person)
{
    enum { DRAWS = 20 };
    laip_metrics sum = {0};
    uint32_t *order = laip_alloc(gallery, sizeof *order);
    int32_t *ranking = laip_alloc(queries * gallery, sizeof *ranking);
    for (int draw = 0; draw < DRAWS; draw++) {
        for (size_t q = 0; q < queries; q++) {
            laip_rng r = laip_rng_stream(1, (uint64_t)draw, q, LAIP_SITE_TEST);
            for (size_t i = 0; i < gallery; i++)
                order[i] = (uint32_t)i;
            laip_rng_shuffle(&r, order, (uint32_t)gallery);
            for (size_t i = 0; i < gallery; i++)
                ranking[q * gallery + i] = (int32_t)order[i];
        }
        laip_metrics m = laip_metrics_of(ranking, queries, gallery, query_person, gallery_person);
        sum.r1 += m.r1 / DRAWS;
        sum.r5 += m.r5 / DRAWS;
        sum.r10 += m.r10 / DRAWS;
        sum.map += m.map / DRAWS;
    }
    free(order);
    free(ranking);
    return sum;
}
