/* Captions with what was found for them, as part of a page. */
#ifndef LAIP_REPORT_SAMPLES_H
#define LAIP_REPORT_SAMPLES_H

#include "base/str.h"
#include "eval/attention.h"
#include "eval/evaluate.h"

enum { LAIP_SAMPLE_BEST = 10 }; /* pictures a caption */

/* Captions in the order of how well they were answered: by the place of the first right picture, then by the
 * average precision.  order [queries], best first. */
void laip_samples_order(const laip_evaluation *e, uint32_t *order);
/* The place, from 1, of the first picture of the right person; 0: there is none. */
size_t laip_samples_place(const laip_evaluation *e, size_t query);
/* A caption and its best pictures, those of the right person framed. */
void laip_samples_add(laip_str *page, const laip_evaluation *e, const laip_dataset *d, size_t query);
/* Where its phrases look in its own picture: forward, backward and both, a row a phrase. */
bool laip_samples_attention(laip_str *page, laip_attention_reader *reader, size_t query, laip_error *error);
/* `count` captions, evenly spread over the split. */
void laip_samples_spread(laip_str *page, const laip_evaluation *e, const laip_dataset *d, size_t count);

#endif
