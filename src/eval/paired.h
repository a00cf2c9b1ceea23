/* Whether one row of an experiment is better than another: paired differences of accuracies, their bootstrap
 * intervals, and Holm's correction for several claims (Holm 1979; Efron and Tibshirani 1993, 13.3).
 *
 * A row was trained several times.  A run is known by its seed, from which it began together with the same
 * seed's runs of the other rows, and by its repetition.  Each run is counted on the same units (families,
 * persons): of so many captions so many are right.  A resample draws seeds with replacement, of each seed its
 * repetitions, and units; the same draw serves both sides of a difference, so that what they share cancels.
 * With fewer than about five seeds such intervals are too short; `seeds` tells how many there were. */
#ifndef LAIP_EVAL_PAIRED_H
#define LAIP_EVAL_PAIRED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A row's runs.  Runs of equal seed and repetition are paired between rows. */
typedef struct laip_paired_run {
    int32_t seed, repetition;
    double *right; /* [units] captions that are right */
} laip_paired_run;

typedef struct laip_paired_row {
    const char *name;
    laip_paired_run *runs;
    size_t count;
} laip_paired_row;

typedef struct laip_paired_units {
    size_t count;
    const double *captions; /* [count] of each */
} laip_paired_units;

typedef struct laip_paired_difference {
    size_t seeds, runs;     /* that both sides have */
    double mean, low, high; /* points of per cent; the interval holds 95 % of the resamples */
    double p;               /* two-sided: twice the smaller share of resamples beyond 0, at most 1 */
} laip_paired_difference;

/* Accuracy of a run, and the mean over a row's runs, in per cent. */
double laip_paired_accuracy(const laip_paired_units *units, const laip_paired_run *run);
double laip_paired_mean(const laip_paired_units *units, const laip_paired_row *row);
/* a − b over the runs that both have; seeds 0: there are none.  The same stream gives the same interval. */
laip_paired_difference laip_paired_compare(const laip_paired_units *units, const laip_paired_row *a,
                                           const laip_paired_row *b, size_t draws, uint64_t stream);
/* Holm: p [count] is replaced by what may be compared with 0.05 whatever the number of claims. */
void laip_paired_holm(double *p, size_t count);

/* Of fewer seeds than these nothing is concluded: how much seeds differ is not known. */
enum { LAIP_PAIRED_SEEDS = 3 };
enum laip_paired_verdict {
    LAIP_PAIRED_OPEN,     /* neither */
    LAIP_PAIRED_BETTER,   /* corrected p < 0.05, and above 0 */
    LAIP_PAIRED_WORSE,    /* and below 0 */
    LAIP_PAIRED_NO_EFFECT /* the interval lies within ± margin */
};
enum laip_paired_verdict laip_paired_judge(const laip_paired_difference *d, double p, double margin);

#endif
