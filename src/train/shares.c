/* Which rank takes how many of a step's micro-batches: equally many where devices are alike, else as their
 * speeds are, measured before the first step and again, from the steps themselves, whenever a state is saved.
 *
 * The file `shares` of the run folder has a line for each time: STEP: SHARE SHARE …, those of the steps after
 * STEP.  A run that goes on from a state takes the shares that it had there, and comes to those that it had
 * later, for the same bits; what is not in the file is measured. */
#include "dist/shares.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "train/run.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Seconds of one micro-batch of this phase, nothing of the model being changed. */
static bool time_one(laip_run *r, int phase, double *seconds, laip_error *error)
{
    enum { ROUNDS = 5 }; /* the first compiles, and measures products */
    laip_loader_options o = laip_run_loader_options(r, &r->config->phases[phase]);
    const laip_batch *batch;
    o.first_micro = 0; /* the same work on all ranks */
    o.own_micro = 1;
    laip_loader *loader = laip_loader_create(&r->train.dataset, &r->train.texts, &o, 0, error);
    bool good = loader && laip_loader_next(loader, &batch, error);
    *seconds = 1e30;
    for (int i = 0; good && i < ROUNDS; i++) {
        double start = laip_seconds();
        laip_step_begin(&r->step, 1);
        laip_step_momentum(&r->step, batch, o.first_micro);
        good =
            laip_step_micro(&r->step, batch, o.first_micro, 0, error) && laip_device_finish(r->device, error);
        double taken = laip_seconds() - start;
        *seconds = i && taken < *seconds ? taken : *seconds;
        laip_ranks_barrier(r->ranks); /* all at once, as they may share a processor */
    }
    laip_loader_free(loader);
    return good;
}

static bool alike(const laip_run *r)
{
    enum { TEXT = 800 };
    const laip_traits *t = laip_device_traits(r->device);
    size_t ranks = (size_t)r->ranks->size;
    char own[TEXT] = "", (*all)[TEXT] = laip_alloc(ranks, TEXT);
    bool same = true;
    snprintf(own, sizeof own, "%s|%s|%s|%d", t->name, t->platform, t->driver, t->units);
    laip_ranks_allgather(r->ranks, own, TEXT, all);
    for (size_t k = 1; k < ranks; k++)
        same = same && strcmp(all[k], all[0]) == 0;
    free(all);
    return same;
}

/* The line of `at` in the text of a file of shares, or with `before` the last of none after it, if it has as
 * many shares as there are ranks and they add up; from: where it begins, or one after it would. */
static bool find_shares(const laip_run *r, const char *text, uint64_t at, bool before, double *share,
                        size_t *from)
{
    bool found = false;
    *from = 0;
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        char *c;
        uint64_t step = strtoull(line, &c, 10);
        double sum = 0;
        size_t ranks = (size_t)r->ranks->size, k = 0;
        if (c == line || *c != ':' || step > at)
            break;
        *from = (size_t)(line - text) + strcspn(line, "\n") + 1;
        if (step < at && !before)
            continue;
        for (c++; k < ranks && *c == ' '; k++)
            sum += share[k] = (double)strtoul(c, &c, 10);
        found = k == ranks && *c == '\n' && sum == (double)r->config->micro_batches;
    }
    return found;
}

/* Rank 0's text of the file, on all ranks; "" where there is none. */
static char *read_file(const laip_run *r)
{
    char *path = laip_run_path(r, "shares"), *text = NULL;
    size_t size;
    laip_error none;
    if (r->ranks->rank || access(path, F_OK) != 0 || !laip_file_read(path, &text, &size, &none))
        text = NULL;
    char *all = laip_ranks_broadcast_text(r->ranks, text ? text : "");
    free(text);
    free(path);
    return all;
}

/* Writes what stays of the file, and a line for the steps after r->done. */
static bool write_file(const laip_run *r, const char *text, size_t keep, laip_error *error)
{
    char *path = laip_run_path(r, "shares");
    laip_str all = {0};
    laip_str_add(&all, text, keep < strlen(text) ? keep : strlen(text));
    laip_str_addf(&all, "%llu:", (unsigned long long)r->done);
    for (int k = 0; k < r->ranks->size; k++)
        laip_str_addf(&all, " %.0f", r->share[k]);
    laip_str_adds(&all, "\n");
    bool good = r->ranks->rank || laip_file_write(path, all.text, all.length, error);
    free(all.text);
    free(path);
    return laip_run_all(r, good, error);
}

static bool measure(laip_run *r, int phase, laip_error *error)
{
    double seconds;
    if (!laip_run_all(r, time_one(r, phase, &seconds, error), error))
        return false;
    double own = 1 / seconds;
    laip_ranks_allgather(r->ranks, &own, sizeof own, r->speed);
    for (int k = 0; k < r->ranks->size; k++)
        laip_note("rank %d: %.3g pairs/s when all are at work", k, r->speed[k] * r->config->batch);
    laip_shares_divide(r->speed, (size_t)r->ranks->size, (size_t)r->config->micro_batches, r->share);
    return true;
}

bool laip_run_settle_shares(laip_run *r, int phase, laip_error *error)
{
    size_t ranks = (size_t)r->ranks->size, keep;
    r->share = laip_alloc(ranks, sizeof *r->share);
    r->speed = laip_alloc(ranks, sizeof *r->speed);
    if (ranks == 1 || r->config->shares == LAIP_SHARES_EQUAL)
        return true;
    char *text = read_file(r);
    bool good = true, known = find_shares(r, text, r->done, true, r->share, &keep);
    r->shares_follow = known || r->config->shares == LAIP_SHARES_MEASURED || !alike(r);
    if (r->shares_follow && !known) /* lines of later steps are of another number of ranks */
        good = measure(r, phase, error) && write_file(r, text, keep, error);
    if (r->shares_follow)
        r->own_ranks.weights = r->share;
    free(text);
    return good;
}

void laip_run_pace(laip_run *r, double seconds, size_t own)
{
    if (own) /* the first ones compile */
        r->pace[r->paces++ % LAIP_PACES] = seconds / (double)own;
}

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Micro-batches a second of the steps since the last time; 0: too few. */
static double own_speed(laip_run *r)
{
    enum { FEWEST = 3 };
    size_t n = r->paces < LAIP_PACES ? r->paces : LAIP_PACES;
    r->paces = 0;
    if (n < FEWEST)
        return 0;
    qsort(r->pace, n, sizeof *r->pace, rising);
    return 1 / r->pace[n / 2];
}

static void tell_shares(const laip_run *r)
{
    laip_str text = {0};
    for (int k = 0; k < r->ranks->size; k++)
        laip_str_addf(&text, "%s%.0f", k ? ", " : "", r->share[k]);
    laip_note("speeds have changed: from step %llu on the ranks take %s micro-batches",
              (unsigned long long)r->done + 1, text.text);
    free(text.text);
}

bool laip_run_follow_speed(laip_run *r, bool *changed, laip_error *error)
{
    size_t ranks = (size_t)r->ranks->size, keep;
    *changed = false;
    if (ranks == 1 || !r->shares_follow)
        return true;
    double own = own_speed(r), *speed = laip_alloc(ranks, sizeof *speed),
           *old = laip_alloc(ranks, sizeof *old);
    char *text = read_file(r);
    bool good = true;
    laip_ranks_allgather(r->ranks, &own, sizeof own, speed);
    for (size_t k = 0; k < ranks; k++)
        speed[k] = r->speed[k] = speed[k] > 0 ? speed[k] : r->speed[k];
    memcpy(old, r->share, ranks * sizeof *old);
    if (!find_shares(r, text, r->done, false, r->share, &keep)) { /* else the run was here before */
        memcpy(r->share, old, ranks * sizeof *old);
        laip_shares_follow(speed, ranks, r->share);
        good = write_file(r, text, keep, error);
    }
    *changed = memcmp(old, r->share, ranks * sizeof *old) != 0;
    if (*changed)
        tell_shares(r);
    free(text);
    free(old);
    free(speed);
    return good;
}
