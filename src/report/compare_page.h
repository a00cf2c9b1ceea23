/* The page of an experiment: rows with their means by every metric, and paired differences with their
 * intervals. */
#ifndef LAIP_REPORT_COMPARE_PAGE_H
#define LAIP_REPORT_COMPARE_PAGE_H

#include "base/error.h"
#include "base/str.h"
#include "eval/paired.h"

/* One difference a − b; claim is the one that it belongs to, or NULL. */
typedef struct laip_compared {
    const char *claim, *a, *b;
    laip_paired_difference d;
    double p; /* Holm's, of the claim; without one the difference's own */
    enum laip_paired_verdict verdict;
} laip_compared;

typedef struct laip_compare_page {
    const char *title, *metric; /* of the differences */
    size_t rows, metrics, differences, units;
    double margin;
    const char *const *row_names, *const *metric_names;
    const double *mean, *spread; /* [rows, metrics]; spread: standard deviation over the runs */
    const size_t *runs;          /* [rows] */
    const laip_compared *compared;
} laip_compare_page;

extern const char
    *const laip_paired_verdict_names[]; /* in the enum's order: open, better, worse, no effect */

/* FOLDER/index.html; the folder is made. */
bool laip_compare_page_write(const laip_compare_page *page, const char *folder, laip_error *error);

#endif
