/* The ranks of a job: one drives one device.  All of MPI stays behind this header.
 *
 * A program that was not started by mpirun is a job of one rank, and nothing here costs it anything.
 *
 * Whoever waits for the others for longer than LAIP_STALL_SECONDS (of the environment; 60) looks who is
 * missing, and the first of those that wait names the ranks that have not come, with their hosts. */
#ifndef LAIP_DIST_RANKS_H
#define LAIP_DIST_RANKS_H

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

typedef struct laip_ranks {
    int rank, size;
    int local_rank, local_size; /* among the ranks of this node: which of its devices is meant */
    const double *weights;      /* [size] of their shares of work; NULL: equal ones */
    struct laip_ranks_job *job; /* NULL in a job of one rank */
} laip_ranks;

enum { LAIP_HOST_TEXT = 64 };

/* Before any OpenCL context is made.  On rank 0 alone notes and progress are shown from now on. */
bool laip_ranks_begin(laip_ranks *r, int *argc, char ***argv, laip_error *error);
void laip_ranks_end(laip_ranks *r);
/* The text of an error of which another rank tells: whoever has it says nothing, and waits for the end. */
extern const char laip_ranks_elsewhere[];
/* Ends the whole job at once with this rank's line last, and the error's status. */
void laip_ranks_abort(const laip_ranks *r, const char *program, const laip_error *error);
const char *laip_ranks_host(const laip_ranks *r, int rank); /* its name */

/* values[i] becomes the sum over all ranks, in an order that depends on their number alone. */
void laip_ranks_sum(const laip_ranks *r, float *values, size_t count);
void laip_ranks_sum_doubles(const laip_ranks *r, double *values, size_t count);
/* Rank k holds elements first[k] … first[k+1] of values; afterwards every rank holds all of them. */
void laip_ranks_allgatherv(const laip_ranks *r, float *values, const size_t *first);
void laip_ranks_allgatherv_ints(const laip_ranks *r, int32_t *values, const size_t *first);
/* The same of elements of `bytes` bytes each. */
void laip_ranks_allgatherv_items(const laip_ranks *r, void *values, size_t bytes, const size_t *first);
/* all [size × bytes] receives every rank's `own`, in the ranks' order. */
void laip_ranks_allgather(const laip_ranks *r, const void *own, size_t bytes, void *all);
/* Of each value one rank has the bits, the others have 0: rank 0 has all of them, bit for bit. */
void laip_ranks_merge(const laip_ranks *r, float *values, size_t count);
void laip_ranks_broadcast(const laip_ranks *r, void *data, size_t bytes); /* rank 0's */
char *laip_ranks_broadcast_text(const laip_ranks *r, const char *text);   /* rank 0's; free() releases it */
size_t laip_ranks_min(const laip_ranks *r, size_t value);                 /* of all ranks' values */
unsigned laip_ranks_any(const laip_ranks *r, unsigned bits);              /* those that any rank has */
void laip_ranks_barrier(const laip_ranks *r);                             /* until all have come here */

/* A sum under way: values belong to it until laip_ranks_sum_wait has returned, which every rank must call, in
 * the same order; laip_ranks_sum_test says whether it is done, and carries it on. */
typedef struct laip_ranks_request laip_ranks_request;
laip_ranks_request *laip_ranks_sum_begin(const laip_ranks *r, float *values, size_t count);
/* The same, but of first[k] … first[k + 1] − 1 rank k alone has the sum; elsewhere nothing useful stays. */
laip_ranks_request *laip_ranks_sum_parts_begin(const laip_ranks *r, float *values, const size_t *first);
bool laip_ranks_sum_test(const laip_ranks *r, laip_ranks_request *request);
void laip_ranks_sum_wait(const laip_ranks *r, laip_ranks_request *request);
void laip_ranks_sum_free(laip_ranks_request *request);

/* Rank k's share of `count` parts of the work: first … last − 1, as equal, or as near to the weights, as can
 * be.
 */
void laip_ranks_division(const laip_ranks *r, int rank, size_t count, size_t *first, size_t *last);

#endif
