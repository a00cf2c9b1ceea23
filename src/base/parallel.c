#define _GNU_SOURCE /* sched_getaffinity */
#include "base/parallel.h"

#include "base/memory.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

typedef struct job {
    atomic_size_t next;
    size_t count;
    void (*body)(void *, size_t);
    void *context;
} job;

int laip_core_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int n = CPU_COUNT(&set);
    return n > 0 ? n : 1;
}

static void *work(void *argument)
{
    job *j = argument;
    for (size_t i; (i = atomic_fetch_add(&j->next, 1)) < j->count;)
        j->body(j->context, i);
    return NULL;
}

void laip_parallel_for(size_t count, int threads, void (*body)(void *, size_t), void *context)
{
    job j = {.count = count, .body = body, .context = context};
    if (threads <= 0)
        threads = laip_core_count();
    if ((size_t)threads > count)
        threads = count ? (int)count : 1;
    pthread_t *others = laip_alloc((size_t)threads, sizeof *others);
    int started = 0;
    while (started < threads - 1 && pthread_create(&others[started], NULL, work, &j) == 0)
        started++; /* fewer threads than asked for is slower, not wrong */
    work(&j);
    for (int i = 0; i < started; i++)
        pthread_join(others[i], NULL);
    free(others);
}
