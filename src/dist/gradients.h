/* The sum of gradients over the ranks, beside the backward: a part of the network leaves as soon as its
 * gradients are complete, the last layers first, while the device goes on with those before them.
 *
 *   laip_gradients_begin(g)        before the rank's last micro-batch: g listens to its backward
 *   laip_gradients_end(g, …)       adds up, as parts become ready; afterwards the device has the sums
 */
#ifndef LAIP_DIST_GRADIENTS_H
#define LAIP_DIST_GRADIENTS_H

#include "dist/ranks.h"
#include "model/step.h"

typedef struct laip_gradients laip_gradients;

/* What an exchange took; seconds on this rank. */
typedef struct laip_gradient_times {
    double bytes;   /* of gradients, one copy of them */
    double busy;    /* while any sum was under way */
    double exposed; /* of these, after the device was through with the backward */
    double waited;  /* for the device, of which the host had nothing else to do */
    double through; /* laip_seconds when the device was through with the backward; 0 in a job of one rank */
} laip_gradient_times;

laip_gradients *laip_gradients_create(const laip_ranks *ranks, laip_step *step);
void laip_gradients_free(laip_gradients *g); /* NULL is fine */
/* The backward of the next laip_step_micro is the step's last on this rank. */
void laip_gradients_begin(laip_gradients *g);
/* Gradients become their sum over the ranks; where these share out the optimiser's moments, those that a rank
 * moves, and the others stay of no use.  A rank without micro-batches begins nothing, and calls this. */
bool laip_gradients_end(laip_gradients *g, laip_gradient_times *times, laip_error *error);
/* Told of each part's sum, from when to when (laip_seconds); NULL: nobody. */
typedef void laip_gradients_tell(void *context, const char *part, double from, double to, double bytes);
void laip_gradients_listen(laip_gradients *g, laip_gradients_tell *tell, void *context);

#endif
