/* A picture of an evaluation for people: how training went, and captions with the pictures found for them. */
#ifndef LAIP_REPORT_CONTACT_SHEET_H
#define LAIP_REPORT_CONTACT_SHEET_H

#include "eval/evaluate.h"

/* R@1 on the validation split as training went. */
typedef struct laip_curve {
    size_t count;
    double *step, *retrieval, *rerank, *fused; /* percent */
} laip_curve;

/* The curve in a run's metrics.jsonl; none (count 0) where there is no such file or no evaluation in it.
 * Freed by laip_curve_free. */
laip_curve laip_curve_read(const char *path);
void laip_curve_free(laip_curve *curve);

/* Writes a PNG: the curve, unless it has fewer than two points, and `count` captions spread evenly over the
 * split, each with its best pictures, green where they show the person meant. */
bool laip_contact_sheet_write(const char *path, const laip_evaluation *e, const laip_dataset *d, size_t count,
                              const laip_curve *curve, laip_error *error);

#endif
