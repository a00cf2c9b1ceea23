/* Retrieval metrics (src/model/README.md, 5): R@k, the share of captions with a picture of the right person
 * among the first k; AP of a caption over all pictures of its person; mAP their mean. */
#ifndef LAIP_EVAL_METRICS_H
#define LAIP_EVAL_METRICS_H

#include <stddef.h>
#include <stdint.h>

typedef struct laip_metrics {
    double r1, r5, r10, map; /* per cent */
} laip_metrics;

/* What a caption's ranking comes to. */
typedef struct laip_hits {
    double precision; /* average over the pictures of its person; 0 where there are none */
    int64_t first;    /* place of the first of them; -1: none */
} laip_hits;
/* From the places of the pictures of its person, rising. */
laip_hits laip_hits_of(const int32_t *places, size_t count);
laip_metrics laip_metrics_mean(const laip_hits *hits, size_t queries);

/* ranking [queries, gallery]: for each caption the pictures from best to worst. */
laip_metrics laip_metrics_of(const int32_t *ranking, size_t queries, size_t gallery,
                             const int32_t *query_person, const int32_t *gallery_person);
/* What a ranking in random order gives on average. */
laip_metrics laip_metrics_chance(size_t queries, size_t gallery, const int32_t *query_person,
                                 const int32_t *gallery_person);

#endif
