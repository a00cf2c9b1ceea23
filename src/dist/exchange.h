/* What ranks exchange in a step: keys before the losses, gradients after them. */
#ifndef LAIP_DIST_EXCHANGE_H
#define LAIP_DIST_EXCHANGE_H

#include "dist/ranks.h"
#include "model/step.h"

/* Every rank made the momentum features of its own micro-batches (its division of them): afterwards all have
 * all of them, with the persons. */
void laip_exchange_keys(const laip_ranks *r, laip_step *s);
/* Gradients become their sum over the ranks, after the backward (beside it: dist/gradients.h). */
bool laip_exchange_gradients(const laip_ranks *r, laip_step *s, laip_error *error);

#endif
