/* A rank that has waited for long tells all others in which wait it is, and listens to what they say.  After
 * a while it knows who waits with it; those that have said nothing are the ones that are waited for. */
#include "dist/job.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/str.h"

#include <sched.h>
#include <stdlib.h>
#include <time.h>

enum { TAG = 1, LISTEN = 2 };

laip_ranks_job *laip_job_create(int rank, int size)
{
    laip_ranks_job *j = laip_alloc(1, sizeof *j);
    const char *patience = getenv("LAIP_STALL_SECONDS");
    char own[MPI_MAX_PROCESSOR_NAME + 1] = "", name[LAIP_HOST_TEXT] = "";
    int length;
    j->rank = rank;
    j->size = size;
    j->patience = patience ? strtod(patience, NULL) : 0;
    if (!(j->patience > 0))
        j->patience = 60;
    j->hosts = laip_alloc((size_t)size, sizeof *j->hosts);
    j->told = laip_alloc((size_t)size, sizeof *j->told);
    MPI_Get_processor_name(own, &length);
    for (int i = 0; i < LAIP_HOST_TEXT - 1 && own[i]; i++)
        name[i] = own[i];
    MPI_Comm_dup(MPI_COMM_WORLD, &j->talk);
    MPI_Allgather(name, LAIP_HOST_TEXT, MPI_CHAR, j->hosts, LAIP_HOST_TEXT, MPI_CHAR, MPI_COMM_WORLD);
    return j;
}

void laip_job_free(laip_ranks_job *j)
{
    if (!j)
        return;
    MPI_Comm_free(&j->talk);
    free(j->hosts);
    free(j->told);
    free(j);
}

static void tell(laip_ranks_job *j)
{
    j->saying[0] = j->waits;
    for (int k = 0; k < j->size; k++) {
        MPI_Request q;
        if (k == j->rank)
            continue;
        MPI_Isend(&j->saying[0], 1, MPI_UINT64_T, k, TAG, j->talk, &q);
        MPI_Request_free(&q); /* eight bytes leave at once; those of an earlier wait are worth nothing now */
    }
}

static void listen(laip_ranks_job *j)
{
    int there = 1;
    MPI_Status status;
    while (MPI_Iprobe(MPI_ANY_SOURCE, TAG, j->talk, &there, &status) == MPI_SUCCESS && there) {
        uint64_t wait;
        MPI_Recv(&wait, 1, MPI_UINT64_T, status.MPI_SOURCE, TAG, j->talk, MPI_STATUS_IGNORE);
        if (wait > j->told[status.MPI_SOURCE])
            j->told[status.MPI_SOURCE] = wait;
    }
}

/* The first of those that wait says who is missing. */
static void report(laip_ranks_job *j, double seconds)
{
    laip_str names = {0};
    int missing = 0, first = j->rank;
    for (int k = 0; k < j->size; k++)
        if (k != j->rank && j->told[k] >= j->waits)
            first = k < first ? k : first;
        else if (k != j->rank && missing++ < 8)
            laip_str_addf(&names, "%srank %d on %s", names.length ? ", " : "", k, j->hosts[k]);
    if (first == j->rank && missing)
        laip_warn("%s: %s not come to where the others have waited for %.0f s; stopped, cut off or slow",
                  laip_str_text(&names), missing > 1 ? "have" : "has", seconds);
    else if (first == j->rank)
        laip_warn("all %d ranks have waited for each other for %.0f s: nothing comes through the network",
                  j->size, seconds);
    free(names.text);
}

void laip_job_rest(double waited)
{
    static const struct timespec pause = {0, 50000};
    if (waited < 1) /* what comes soon is met at once; else the cores are left to who computes */
        sched_yield();
    else
        nanosleep(&pause, NULL);
}

void laip_job_wait(laip_ranks_job *j, MPI_Request *requests, int count)
{
    int done = 0, stage = 0, reports = 0;
    double start = laip_seconds(), next = j->patience;
    j->waits++;
    for (;;) {
        MPI_Testall(count, requests, &done, MPI_STATUSES_IGNORE);
        if (done)
            break;
        double waited = laip_seconds() - start;
        if (stage == 0 && waited > next) {
            tell(j);
            stage = 1;
        } else if (stage == 1) {
            listen(j);
            if (waited > next + LISTEN) {
                report(j, waited);
                reports++;
                next = 2 * waited;
                stage = 0;
            }
        }
        laip_job_rest(waited);
    }
    if (reports && laip_seconds() - start > j->patience)
        laip_note("the ranks go on, after %.0f s", laip_seconds() - start);
}
