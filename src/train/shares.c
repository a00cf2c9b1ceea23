/* Which rank takes how many of a step's micro-batches: equally many where devices are alike, else as their
 * speeds are, measured before the first step and kept in the run folder: a run that goes on keeps to them,
 * for the same bits. */
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "train/run.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The nearest whole shares of `count` that add up to it, each at least one where there are enough. */
static void divide(const double *speed, size_t ranks, size_t count, double *share)
{
    double all = 0;
    size_t given = 0, least = count >= ranks ? 1 : 0;
    for (size_t k = 0; k < ranks; k++)
        all += speed[k];
    for (size_t k = 0; k < ranks; k++) {
        size_t whole = (size_t)((double)count * speed[k] / all);
        share[k] = (double)(whole > least ? whole : least);
        given += (size_t)share[k];
    }
    for (; given != count; given += given < count ? 1 : (size_t)-1) {
        size_t best = 0; /* the one that is furthest from its due, and may give or take */
        double furthest = -1e30;
        for (size_t k = 0; k < ranks; k++) {
            double due = (double)count * speed[k] / all,
                   off = given < count ? due - share[k] : share[k] - due;
            if (off > furthest && (given < count || share[k] > (double)least)) {
                furthest = off;
                best = k;
            }
        }
        share[best] += given < count ? 1 : -1;
    }
}

/* Seconds of one micro-batch of this phase, nothing of the model being changed. */
static bool time_one(laip_run *r, int phase, double *seconds, laip_error *error)
{
    enum { ROUNDS = 3 }; /* the first compiles, and measures products */
    laip_loader_options o = laip_run_loader_options(r, &r->config->phases[phase]);
    const laip_batch *batch;
    o.first_micro = (size_t)r->ranks->rank % (size_t)r->config->micro_batches;
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

/* Those of a run that goes on with as many ranks. */
static bool read_shares(const laip_run *r, double *share)
{
    char *path = laip_run_path(r, "shares"), *text = NULL;
    size_t size, ranks = (size_t)r->ranks->size, k = 0, sum = 0;
    laip_error none;
    bool good = r->options->resume && access(path, F_OK) == 0 && laip_file_read(path, &text, &size, &none);
    char *at = text;
    for (; good && k < ranks; k++) {
        char *end;
        share[k] = (double)strtoul(at, &end, 10);
        good = end != at;
        sum += (size_t)share[k];
        at = end;
    }
    good = good && sum == (size_t)r->config->micro_batches && !at[strspn(at, " \n")];
    free(text);
    free(path);
    return good;
}

static bool write_shares(const laip_run *r, laip_error *error)
{
    char *path = laip_run_path(r, "shares");
    laip_str text = {0};
    for (int k = 0; k < r->ranks->size; k++)
        laip_str_addf(&text, "%s%.0f", k ? " " : "", r->share[k]);
    laip_str_adds(&text, "\n");
    bool good = r->ranks->rank || laip_file_write(path, text.text, text.length, error);
    free(text.text);
    free(path);
    return good;
}

bool laip_run_settle_shares(laip_run *r, int phase, laip_error *error)
{
    size_t ranks = (size_t)r->ranks->size;
    double seconds, *speed = laip_alloc(ranks, sizeof *speed);
    bool good = true, known = false;
    r->share = laip_alloc(ranks, sizeof *r->share);
    if (r->ranks->size > 1 && r->config->shares != LAIP_SHARES_EQUAL) {
        known = !laip_ranks_any(r->ranks, !read_shares(r, r->share));
        if (!known && (r->config->shares == LAIP_SHARES_MEASURED || !alike(r))) {
            good = laip_run_all(r, time_one(r, phase, &seconds, error), error);
            double own = 1 / seconds;
            laip_ranks_allgather(r->ranks, &own, sizeof own, speed);
            if (good)
                divide(speed, ranks, (size_t)r->config->micro_batches, r->share);
            known = good;
            for (size_t k = 0; good && k < ranks; k++)
                laip_note("rank %zu: %.1f pairs/s alone", k, speed[k] * r->config->batch);
        }
    }
    if (known) {
        r->own_ranks.weights = r->share;
        good = write_shares(r, error);
    }
    free(speed);
    return good;
}
