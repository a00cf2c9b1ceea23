#include "dist/ranks.h"

#include "base/log.h"
#include "base/memory.h"
#include "dist/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

/* Sums travel in segments: whole gradients at once were twice as slow. */
enum { SEGMENT = 4 << 20 };

/* Whether a launcher started this process as one of a job's, by the variables that theirs give (Open MPI,
 * MPICH and Slurm): a process of its own has no use for MPI. */
static bool launched(void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "MPI_LOCALRANKID"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (getenv(names[i]))
            return true;
    return false;
}

const char laip_ranks_elsewhere[] = "another rank has failed";

bool laip_ranks_begin(laip_ranks *r, int *argc, char ***argv, laip_error *error)
{
    int given;
    *r = (laip_ranks){.size = 1, .local_size = 1};
    if (!launched())
        return true;
    if (MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &given) != MPI_SUCCESS ||
        given < MPI_THREAD_FUNNELED)
        return laip_failure(error, "MPI_Init_thread: MPI cannot be used beside threads here");
    MPI_Comm node;
    MPI_Comm_rank(MPI_COMM_WORLD, &r->rank);
    MPI_Comm_size(MPI_COMM_WORLD, &r->size);
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, r->rank, MPI_INFO_NULL, &node);
    MPI_Comm_rank(node, &r->local_rank);
    MPI_Comm_size(node, &r->local_size);
    MPI_Comm_free(&node);
    laip_log_quiet(r->rank > 0);
    if (r->size > 1)
        r->job = laip_job_create(r->rank, r->size);
    return true;
}

void laip_ranks_end(laip_ranks *r)
{
    laip_job_free(r->job);
    r->job = NULL;
    if (launched())
        MPI_Finalize();
}

void laip_ranks_abort(const laip_ranks *r, const char *program, const laip_error *error)
{
    laip_progress_end();
    if (r->size > 1 && strcmp(error->text, laip_ranks_elsewhere) == 0)
        MPI_Barrier(MPI_COMM_WORLD); /* the one that failed never comes: it ends all */
    if (r->size > 1)
        fprintf(stderr, "%s: rank %d: %s\n", program, r->rank, error->text);
    else
        fprintf(stderr, "%s: %s\n", program, error->text);
    fflush(stderr);
    if (r->size > 1)
        MPI_Abort(MPI_COMM_WORLD, error->status);
    if (launched())
        MPI_Finalize();
    exit(error->status);
}

const char *laip_ranks_host(const laip_ranks *r, int rank)
{
    static struct utsname name;
    if (r->job)
        return r->job->hosts[rank];
    return uname(&name) == 0 ? name.nodename : "this host";
}

void laip_ranks_sum(const laip_ranks *r, float *values, size_t count)
{
    for (size_t i = 0; r->size > 1 && i < count; i += SEGMENT) {
        MPI_Request q;
        MPI_Iallreduce(MPI_IN_PLACE, values + i, (int)(count - i < SEGMENT ? count - i : SEGMENT), MPI_FLOAT,
                       MPI_SUM, MPI_COMM_WORLD, &q);
        laip_job_wait(r->job, &q, 1);
    }
}

void laip_ranks_sum_doubles(const laip_ranks *r, double *values, size_t count)
{
    MPI_Request q;
    if (r->size == 1)
        return;
    MPI_Iallreduce(MPI_IN_PLACE, values, (int)count, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD, &q);
    laip_job_wait(r->job, &q, 1);
}

static void allgatherv(const laip_ranks *r, void *values, const size_t *first, MPI_Datatype type)
{
    if (r->size == 1)
        return;
    MPI_Request q;
    int *counts = laip_alloc((size_t)r->size, sizeof *counts),
        *places = laip_alloc((size_t)r->size, sizeof *places);
    for (int k = 0; k < r->size; k++) {
        counts[k] = (int)(first[k + 1] - first[k]);
        places[k] = (int)first[k];
    }
    MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, values, counts, places, type, MPI_COMM_WORLD, &q);
    laip_job_wait(r->job, &q, 1);
    free(counts);
    free(places);
}

void laip_ranks_allgatherv(const laip_ranks *r, float *values, const size_t *first)
{
    allgatherv(r, values, first, MPI_FLOAT);
}

void laip_ranks_allgatherv_ints(const laip_ranks *r, int32_t *values, const size_t *first)
{
    allgatherv(r, values, first, MPI_INT32_T);
}

void laip_ranks_allgatherv_items(const laip_ranks *r, void *values, size_t bytes, const size_t *first)
{
    MPI_Datatype type;
    if (r->size == 1)
        return;
    MPI_Type_contiguous((int)bytes, MPI_BYTE, &type);
    MPI_Type_commit(&type);
    allgatherv(r, values, first, type);
    MPI_Type_free(&type);
}

void laip_ranks_allgather(const laip_ranks *r, const void *own, size_t bytes, void *all)
{
    MPI_Request q;
    if (r->size == 1) {
        memcpy(all, own, bytes);
        return;
    }
    MPI_Iallgather(own, (int)bytes, MPI_BYTE, all, (int)bytes, MPI_BYTE, MPI_COMM_WORLD, &q);
    laip_job_wait(r->job, &q, 1);
}

void laip_ranks_merge(const laip_ranks *r, float *values, size_t count)
{
    for (size_t i = 0; r->size > 1 && i < count; i += SEGMENT) {
        MPI_Request q;
        const void *from = r->rank ? (const void *)(values + i) : MPI_IN_PLACE;
        MPI_Ireduce(from, values + i, (int)(count - i < SEGMENT ? count - i : SEGMENT), MPI_UINT32_T, MPI_BOR,
                    0, MPI_COMM_WORLD, &q);
        laip_job_wait(r->job, &q, 1);
    }
}

void laip_ranks_broadcast(const laip_ranks *r, void *data, size_t bytes)
{
    MPI_Request q;
    if (r->size == 1)
        return;
    MPI_Ibcast(data, (int)bytes, MPI_BYTE, 0, MPI_COMM_WORLD, &q);
    laip_job_wait(r->job, &q, 1);
}

char *laip_ranks_broadcast_text(const laip_ranks *r, const char *text)
{
    uint64_t length = strlen(text);
    laip_ranks_broadcast(r, &length, sizeof length);
    char *copy = laip_alloc(length + 1, 1);
    if (!r->rank)
        memcpy(copy, text, length);
    laip_ranks_broadcast(r, copy, length);
    return copy;
}

size_t laip_ranks_min(const laip_ranks *r, size_t value)
{
    uint64_t least = value;
    MPI_Request q;
    if (r->size > 1) {
        MPI_Iallreduce(MPI_IN_PLACE, &least, 1, MPI_UINT64_T, MPI_MIN, MPI_COMM_WORLD, &q);
        laip_job_wait(r->job, &q, 1);
    }
    return (size_t)least;
}

unsigned laip_ranks_any(const laip_ranks *r, unsigned bits)
{
    MPI_Request q;
    if (r->size > 1) {
        MPI_Iallreduce(MPI_IN_PLACE, &bits, 1, MPI_UNSIGNED, MPI_BOR, MPI_COMM_WORLD, &q);
        laip_job_wait(r->job, &q, 1);
    }
    return bits;
}

void laip_ranks_barrier(const laip_ranks *r)
{
    MPI_Request q;
    if (r->size > 1) {
        MPI_Ibarrier(MPI_COMM_WORLD, &q);
        laip_job_wait(r->job, &q, 1);
    }
}

struct laip_ranks_request {
    MPI_Request *segments;
    size_t count;
};

laip_ranks_request *laip_ranks_sum_begin(const laip_ranks *r, float *values, size_t count)
{
    laip_ranks_request *q = laip_alloc(1, sizeof *q);
    size_t segments = r->size > 1 ? (count + SEGMENT - 1) / SEGMENT : 0;
    q->segments = laip_alloc(segments, sizeof *q->segments);
    for (; q->count < segments; q->count++) {
        size_t at = q->count * SEGMENT;
        MPI_Iallreduce(MPI_IN_PLACE, values + at, (int)(count - at < SEGMENT ? count - at : SEGMENT),
                       MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD, &q->segments[q->count]);
    }
    return q;
}

laip_ranks_request *laip_ranks_sum_parts_begin(const laip_ranks *r, float *values, const size_t *first)
{
    laip_ranks_request *q = laip_alloc(1, sizeof *q);
    size_t segments = 0;
    for (int k = 0; r->size > 1 && k < r->size; k++)
        segments += (first[k + 1] - first[k] + SEGMENT - 1) / SEGMENT;
    q->segments = laip_alloc(segments, sizeof *q->segments);
    for (int k = 0; r->size > 1 && k < r->size; k++)
        for (size_t at = first[k]; at < first[k + 1]; at += SEGMENT) {
            size_t left = first[k + 1] - at;
            const void *from = r->rank == k ? MPI_IN_PLACE : (const void *)(values + at);
            MPI_Ireduce(from, values + at, (int)(left < SEGMENT ? left : SEGMENT), MPI_FLOAT, MPI_SUM, k,
                        MPI_COMM_WORLD, &q->segments[q->count++]);
        }
    return q;
}

bool laip_ranks_sum_test(const laip_ranks *r, laip_ranks_request *q)
{
    int done = 1;
    (void)r;
    if (q->count)
        MPI_Testall((int)q->count, q->segments, &done, MPI_STATUSES_IGNORE);
    return done != 0;
}

void laip_ranks_sum_wait(const laip_ranks *r, laip_ranks_request *q)
{
    if (q->count)
        laip_job_wait(r->job, q->segments, (int)q->count);
}

void laip_ranks_sum_free(laip_ranks_request *q)
{
    free(q->segments);
    free(q);
}

void laip_ranks_division(const laip_ranks *r, int rank, size_t count, size_t *first, size_t *last)
{
    *first = count * (size_t)rank / (size_t)r->size;
    *last = count * ((size_t)rank + 1) / (size_t)r->size;
    if (!r->weights)
        return;
    double before = 0, all = 0;
    for (int k = 0; k < r->size; k++) {
        before += k < rank ? r->weights[k] : 0;
        all += r->weights[k];
    }
    *first = (size_t)((double)count * before / all + 0.5);
    *last = rank + 1 == r->size ? count : (size_t)((double)count * (before + r->weights[rank]) / all + 0.5);
}
