#include "dist/ranks.h"

#include "base/log.h"
#include "base/memory.h"

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

/* Sums travel in pieces: whole gradients at once were twice as slow. */
enum { PIECE = 4 << 20 };

bool laip_ranks_begin(laip_ranks *r, int *argc, char ***argv, laip_error *error)
{
    int given;
    *r = (laip_ranks){.size = 1};
    if (MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &given) != MPI_SUCCESS ||
        given < MPI_THREAD_FUNNELED)
        return laip_failure(error, "MPI_Init_thread: MPI cannot be used beside threads here");
    MPI_Comm node;
    MPI_Comm_rank(MPI_COMM_WORLD, &r->rank);
    MPI_Comm_size(MPI_COMM_WORLD, &r->size);
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, r->rank, MPI_INFO_NULL, &node);
    MPI_Comm_rank(node, &r->local_rank);
    MPI_Comm_free(&node);
    laip_log_quiet(r->rank > 0);
    return true;
}

void laip_ranks_end(laip_ranks *r)
{
    (void)r;
    MPI_Finalize();
}

void laip_ranks_abort(const laip_ranks *r, const char *program, const laip_error *error)
{
    laip_progress_end();
    if (r->size > 1)
        fprintf(stderr, "%s: rank %d: %s\n", program, r->rank, error->text);
    else
        fprintf(stderr, "%s: %s\n", program, error->text);
    fflush(stderr);
    if (r->size > 1)
        MPI_Abort(MPI_COMM_WORLD, error->status);
    MPI_Finalize();
    exit(error->status);
}

void laip_ranks_sum(const laip_ranks *r, float *values, size_t count)
{
    for (size_t i = 0; r->size > 1 && i < count; i += PIECE)
        MPI_Allreduce(MPI_IN_PLACE, values + i, (int)(count - i < PIECE ? count - i : PIECE), MPI_FLOAT,
                      MPI_SUM, MPI_COMM_WORLD);
}

void laip_ranks_sum_doubles(const laip_ranks *r, double *values, size_t count)
{
    if (r->size > 1)
        MPI_Allreduce(MPI_IN_PLACE, values, (int)count, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
}

static void share(const laip_ranks *r, void *values, const size_t *first, MPI_Datatype type)
{
    if (r->size == 1)
        return;
    int *counts = laip_alloc((size_t)r->size, sizeof *counts),
        *places = laip_alloc((size_t)r->size, sizeof *places);
    for (int k = 0; k < r->size; k++) {
        counts[k] = (int)(first[k + 1] - first[k]);
        places[k] = (int)first[k];
    }
    MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, values, counts, places, type, MPI_COMM_WORLD);
    free(counts);
    free(places);
}

void laip_ranks_allgatherv(const laip_ranks *r, float *values, const size_t *first)
{
    share(r, values, first, MPI_FLOAT);
}

void laip_ranks_allgatherv_ints(const laip_ranks *r, int32_t *values, const size_t *first)
{
    share(r, values, first, MPI_INT32_T);
}

size_t laip_ranks_min(const laip_ranks *r, size_t value)
{
    uint64_t least = value;
    if (r->size > 1)
        MPI_Allreduce(MPI_IN_PLACE, &least, 1, MPI_UINT64_T, MPI_MIN, MPI_COMM_WORLD);
    return (size_t)least;
}

void laip_ranks_barrier(const laip_ranks *r)
{
    if (r->size > 1)
        MPI_Barrier(MPI_COMM_WORLD);
}

void laip_ranks_division(const laip_ranks *r, int rank, size_t count, size_t *first, size_t *last)
{
    *first = count * (size_t)rank / (size_t)r->size;
    *last = count * ((size_t)rank + 1) / (size_t)r->size;
}
