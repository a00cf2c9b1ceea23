/* The loader's threads and its ring of slots; what a micro-batch holds is in assemble.c. */
#include "data/loader.h"

#include "base/log.h"
#include "base/parallel.h"
#include "data/assemble.h"

#include <pthread.h>
#include <stdlib.h>

typedef struct slot {
    laip_assembled a;
    uint64_t ready; /* 1 + the job that it holds; 0: none */
    bool good;      /* else error says what is wrong with it */
    laip_error error;
} slot;

struct laip_loader {
    laip_assembly assembly;
    uint64_t first_step, next_job, taken; /* jobs are own micro-batches, counted from the first step's */
    slot *slots;
    size_t slot_count;
    pthread_t *threads;
    int thread_count;
    pthread_mutex_t lock;
    pthread_cond_t filled, freed;
    bool stop;
};

static void *work(void *argument)
{
    laip_loader *l = argument;
    size_t own = l->assembly.options.own_micro;
    pthread_mutex_lock(&l->lock);
    for (;;) {
        /* The last `own` that were taken, a whole step's, are still in use. */
        while (!l->stop && l->next_job + own >= l->taken + l->slot_count)
            pthread_cond_wait(&l->freed, &l->lock);
        if (l->stop)
            break;
        uint64_t job = l->next_job++;
        slot *s = &l->slots[job % l->slot_count];
        s->ready = 0;
        pthread_mutex_unlock(&l->lock);
        s->good = laip_assemble(&l->assembly, &s->a, l->first_step + job / own,
                                l->assembly.options.first_micro + job % own, &s->error);
        pthread_mutex_lock(&l->lock);
        s->ready = job + 1;
        pthread_cond_broadcast(&l->filled);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

laip_loader *laip_loader_create(const laip_dataset *d, const laip_texts *t, const laip_loader_options *o,
                                uint64_t first_step, laip_error *error)
{
    if (laip_loader_steps_per_epoch(d, o) == 0) {
        laip_bad_input(error, "the training split has %zu pairs, expected at least a global batch of %d",
                       d->caption_count, o->batch * o->micro_batches);
        return NULL;
    }
    laip_loader *l = laip_alloc(1, sizeof *l);
    laip_assembly_begin(&l->assembly, d, t, o);
    l->first_step = first_step;
    l->thread_count = o->threads > 0 ? o->threads : laip_core_count();
    l->slot_count = o->own_micro + (size_t)l->thread_count + 2;
    l->slots = laip_alloc(l->slot_count, sizeof *l->slots);
    l->threads = laip_alloc((size_t)l->thread_count, sizeof *l->threads);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->filled, NULL);
    pthread_cond_init(&l->freed, NULL);
    int started = 0;
    if (o->own_micro == 0) /* a rank without a share of the step prepares nothing */
        l->thread_count = 0;
    while (started < l->thread_count && pthread_create(&l->threads[started], NULL, work, l) == 0)
        started++;
    l->thread_count = started;
    if (!started && o->own_micro) {
        laip_failure(error, "no thread could be started to read pictures");
        laip_loader_free(l);
        return NULL;
    }
    return l;
}

void laip_loader_free(laip_loader *l)
{
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_cond_broadcast(&l->freed);
    pthread_mutex_unlock(&l->lock);
    for (int i = 0; i < l->thread_count; i++)
        pthread_join(l->threads[i], NULL);
    for (size_t i = 0; i < l->slot_count; i++)
        laip_assembled_free(&l->slots[i].a);
    laip_assembly_end(&l->assembly);
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->filled);
    pthread_cond_destroy(&l->freed);
    free(l->slots);
    free(l->threads);
    free(l);
}

bool laip_loader_next(laip_loader *l, const laip_batch **batch, laip_error *error)
{
    pthread_mutex_lock(&l->lock);
    uint64_t job = l->taken;
    slot *s = &l->slots[job % l->slot_count];
    while (s->ready != job + 1)
        pthread_cond_wait(&l->filled, &l->lock);
    bool good = s->good;
    if (good)
        *batch = &s->a.batch;
    else
        *error = s->error;
    l->taken++;
    pthread_cond_broadcast(&l->freed);
    pthread_mutex_unlock(&l->lock);
    return good;
}

size_t laip_loader_skipped(const laip_loader *l)
{
    return laip_assembly_skipped(&l->assembly);
}

size_t laip_loader_steps_per_epoch(const laip_dataset *d, const laip_loader_options *o)
{
    return d->caption_count / ((size_t)o->batch * (size_t)o->micro_batches);
}

static int falling(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* The sum of the `most` largest of count values, which are sorted. */
static size_t top(size_t *values, size_t count, size_t most)
{
    size_t sum = 0;
    if (count)
        qsort(values, count, sizeof *values, falling);
    for (size_t i = 0; i < most && i < count; i++)
        sum += values[i];
    return sum;
}

laip_loader_sizes laip_loader_most(const laip_texts *t, const laip_loader_options *o)
{
    size_t n = t->captions.count, b = (size_t)o->batch;
    size_t *rows = laip_alloc(n, sizeof *rows), *phrases = laip_alloc(n, sizeof *phrases),
           *tokens = laip_alloc(n, sizeof *rows);
    for (size_t i = 0; i < n; i++) {
        size_t first = t->first_phrase[i], last = t->first_phrase[i + 1];
        rows[i] = t->captions.begin[i + 1] - t->captions.begin[i];
        phrases[i] = last - first;
        tokens[i] = last > first ? t->phrases.begin[last] - t->phrases.begin[first] : 0;
    }
    laip_loader_sizes z = {.caption_rows = top(rows, n, b), .longest_caption = t->captions.longest};
    if (o->phrases) {
        z.phrases = top(phrases, n, b);
        z.phrase_rows = top(tokens, n, b);
        z.longest_phrase = t->phrases.longest;
        size_t few = b * (size_t)o->phrases_per_caption;
        if (few && few < z.phrases) {
            z.phrases = few;
            z.phrase_rows = few * z.longest_phrase < z.phrase_rows ? few * z.longest_phrase : z.phrase_rows;
        }
    }
    free(rows);
    free(phrases);
    free(tokens);
    return z;
}
