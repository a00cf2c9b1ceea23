/* Waiting for other ranks, and finding out which of them does not come: for the files of dist/ alone. */
#ifndef LAIP_DIST_JOB_H
#define LAIP_DIST_JOB_H

#include "dist/ranks.h"
#include <mpi.h>

typedef struct laip_ranks_job {
    int rank, size;
    char (*hosts)[LAIP_HOST_TEXT]; /* [size] */
    MPI_Comm talk;                 /* for the messages of those that wait: they must not meet others */
    uint64_t waits;                /* how often this rank has waited: the same on all of them */
    double patience;               /* seconds before a wait is looked into */
    uint64_t *told;                /* [size] the latest wait that each rank said it is in */
    uint64_t saying[2];            /* [0] is being sent */
} laip_ranks_job;

laip_ranks_job *laip_job_create(int rank, int size);
void laip_job_free(laip_ranks_job *job);
/* Until all of the requests are done.  Every rank must wait as often as the others, in the same order. */
void laip_job_wait(laip_ranks_job *job, MPI_Request *requests, int count);
/* Between two looks at what one has waited for, for so many seconds. */
void laip_job_rest(double waited);

#endif
