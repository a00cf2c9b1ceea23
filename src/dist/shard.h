/* The optimiser's moments shared out among the ranks (setting shard): each holds its part of them, receives
 * the sums of its part of the gradients, moves its part of the weights and gives it to the others.  Of what a
 * training holds, two of the five copies of the parameters are divided by the number of ranks. */
#ifndef LAIP_DIST_SHARD_H
#define LAIP_DIST_SHARD_H

#include "dist/ranks.h"
#include "model/params.h"

/* For parameters that were created with a share for each of the ranks; until it is freed they ask each other
 * for what they need.  It must go before the parameters do. */
laip_shard *laip_shard_create(const laip_ranks *ranks, laip_params *params);
void laip_shard_free(laip_shard *shard); /* NULL is fine */

#endif
