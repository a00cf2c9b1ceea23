/* How a step's micro-batches are shared out among ranks of unequal speed. */
#ifndef LAIP_DIST_SHARES_H
#define LAIP_DIST_SHARES_H

#include <stdbool.h>
#include <stddef.h>

/* share [ranks] receives whole numbers that add up to count, with which the slowest rank is through as early
 * as can be; speed [ranks] in micro-batches a second.  A rank that would only keep the others waiting gets
 * none. */
void laip_shares_divide(const double *speed, size_t ranks, size_t count, double *share);
/* Seconds until the last rank is through. */
double laip_shares_seconds(const double *speed, size_t ranks, const double *share);
/* What to do by newly measured speeds: share becomes another division where that takes a tenth less time, and
 * stays otherwise; whether it did.  A speed of 0 is not known: such a rank keeps its share. */
bool laip_shares_follow(const double *speed, size_t ranks, double *share);

#endif
