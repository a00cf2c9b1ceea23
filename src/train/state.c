/* What is saved of a run, and how it goes on.
 *
 * last/state.safetensors is the newest state, last/state-STEP.safetensors are those before it, as many as the
 * setting `keep` wants; last/products.R says which product serves which shapes on rank R. */
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "ops/gemm/gemm.h"
#include "store/checkpoint.h"
#include "train/run.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Which products this rank's device serves how: a run that goes on keeps to it, for the same bits. */
static char *products_path(const laip_run *r)
{
    char name[48];
    snprintf(name, sizeof name, "last/products.%d", r->ranks->rank);
    return laip_run_path(r, name);
}

static char *state_path(const laip_run *r, uint64_t step)
{
    char name[64];
    snprintf(name, sizeof name, "last/state-%llu.safetensors", (unsigned long long)step);
    return laip_run_path(r, name);
}

/* The steps of the states before the newest, falling; free() releases them. */
static size_t older_states(const laip_run *r, uint64_t **steps)
{
    char *last = laip_run_path(r, "last");
    DIR *d = opendir(last);
    size_t count = 0, capacity = 0;
    *steps = NULL;
    for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
        unsigned long long step;
        int used = 0;
        if (sscanf(e->d_name, "state-%llu.safetensors%n", &step, &used) != 1 || !used || e->d_name[used])
            continue;
        void *array = *steps;
        laip_grow(&array, &capacity, count + 1, sizeof **steps);
        *steps = array;
        size_t at = count++;
        for (; at && (*steps)[at - 1] < step; at--)
            (*steps)[at] = (*steps)[at - 1];
        (*steps)[at] = step;
    }
    if (d)
        closedir(d);
    free(last);
    return count;
}

/* The newest state becomes one before it: a second name, as its own is about to be taken. */
static bool set_aside(laip_run *r, const char *path, laip_error *error)
{
    if (r->saved == UINT64_MAX || r->config->keep < 2 || !r->saved_is_newest || access(path, F_OK) != 0)
        return true;
    char *old = state_path(r, r->saved);
    unlink(old);
    bool good = link(path, old) == 0 || rename(path, old) == 0 || /* a file system without links */
                laip_failure(error, "%s: cannot be written: %s", old, strerror(errno));
    free(old);
    return good;
}

/* Those that are too many, and those of a future that --resume=STEP has left. */
static void drop_states(const laip_run *r)
{
    uint64_t *steps;
    size_t count = older_states(r, &steps), kept = 0;
    for (size_t i = 0; i < count; i++) {
        char *path = state_path(r, steps[i]);
        if (steps[i] >= r->done || ++kept >= (size_t)r->config->keep)
            unlink(path);
        free(path);
    }
    free(steps);
}

bool laip_run_save(laip_run *r, int phase, uint64_t phase_step, laip_error *error)
{
    if (r->saved == r->done && r->saved_phase == phase)
        return true;
    if (!laip_run_tell(r, true, error))
        return false;
    double start = laip_seconds();
    laip_checkpoint_notes notes = {.config = r->yaml.text,
                                   .vocab = r->corpus.vocab,
                                   .step = phase_step,
                                   .phase = phase,
                                   .best = r->best,
                                   .data = r->data};
    char *path = laip_run_path(r, "last/state.safetensors"), *products = products_path(r);
    bool good = laip_gemm_choices_write(r->device, products, error);
    if (good && !r->ranks->rank)
        good = laip_log_sync(&r->metrics, error) && laip_log_sync(&r->timing, error) &&
               set_aside(r, path, error);
    if (r->shard)
        good = laip_run_all(r, good, error);
    if (good && r->ranks->rank)
        laip_checkpoint_contribute(&r->model);
    else if (good)
        good = laip_checkpoint_save(path, &r->model, &r->step, &notes, error);
    if (good) {
        r->saved = r->done;
        r->saved_phase = phase;
        r->saved_is_newest = true;
        r->saving = laip_seconds() - start;
    }
    if (good && !r->ranks->rank)
        drop_states(r);
    free(path);
    free(products);
    return good;
}

/* last/state.safetensors, or the one of --resume=STEP; where the newest is missing, the one before it.  NULL:
 * there is none. */
static bool choose_state(const laip_run *r, char **path, laip_error *error)
{
    const laip_train_options *o = r->options;
    uint64_t *steps;
    size_t count = older_states(r, &steps);
    *path = o->resume_step < 0 ? laip_run_path(r, "last/state.safetensors")
                               : state_path(r, (uint64_t)o->resume_step);
    bool there = access(*path, F_OK) == 0, good = true;
    if (!there && o->resume_step >= 0) {
        laip_str list = {0};
        for (size_t i = 0; i < count; i++)
            laip_str_addf(&list, "%s%llu", i ? ", " : "", (unsigned long long)steps[i]);
        good = laip_bad_input(error, "--resume=%ld: %s has no such state, expected one of: %s",
                              o->resume_step, r->config->out, count ? list.text : "none before the newest");
        free(list.text);
    } else if (!there) {
        free(*path);
        *path = count ? state_path(r, steps[0]) : NULL;
    }
    free(steps);
    return good;
}

/* A run that was broken off before its first state has left its configuration alone. */
static bool read_written_config(const laip_run *r, char **text, laip_error *error)
{
    char *path = laip_run_path(r, "config.yaml");
    size_t size;
    bool good =
        access(path, F_OK) != 0 ? (*text = laip_strdup(""), true) : laip_file_read(path, text, &size, error);
    free(path);
    return good;
}

/* Whether this run's configuration may go on with what another has begun. */
static bool accepts(laip_run *r, const char *path, const char *text, uint64_t data, laip_error *error)
{
    laip_config *c = r->config, old;
    laip_str differences = {0};
    const char *const names[] = {" there", " now"};
    laip_config_defaults(&old);
    bool good = !*text || laip_config_parse(&old, path, text, error);
    if (good && *text) {
        if (c->micro == LAIP_MICRO_AUTO &&
            (long)c->batch * c->micro_batches == (long)old.batch * old.micro_batches) {
            c->batch = old.batch; /* what auto came to */
            c->micro_batches = old.micro_batches;
            c->micro = LAIP_MICRO_GIVEN;
        }
        laip_config_differences(&old, c, data == 0, names, &differences);
        if (differences.length)
            good =
                laip_bad_input(error, "%s: was saved by a run with other settings, expected the same: %.700s",
                               path, differences.text);
        else if (data && data != r->data)
            good = laip_bad_input(error,
                                  "%s: was saved by a run whose data (captions, names of pictures, persons, "
                                  "vocabulary) are not those of %s",
                                  path, c->annotations);
    }
    free(differences.text);
    laip_config_free(&old);
    return good;
}

static bool within_phases(const laip_run *r, const char *path, int phase, uint64_t step, laip_error *error)
{
    const laip_config *c = r->config;
    if (phase < 0 || phase >= c->phase_count)
        return laip_bad_input(error, "%s: its phase is %d, expected 0 to %d", path, phase,
                              c->phase_count - 1);
    uint64_t steps = laip_run_phase_steps(r, &c->phases[phase]);
    return step <= steps || laip_bad_input(error, "%s: its step is %llu, expected at most %llu of phase %d",
                                           path, (unsigned long long)step, (unsigned long long)steps, phase);
}

bool laip_run_find_state(laip_run *r, char **path, int *phase, uint64_t *from, laip_error *error)
{
    char *text = NULL, *vocab = NULL;
    laip_checkpoint_notes notes = {0};
    *phase = 0;
    *from = 0;
    *path = NULL;
    r->saved = UINT64_MAX;
    if (!r->options->resume)
        return true;
    bool good = choose_state(r, path, error);
    if (good && !*path) {
        good = read_written_config(r, &text, error) && accepts(r, r->config->out, text, 0, error);
        if (good)
            laip_note("%s: no state was saved there; the run begins at step 0", r->config->out);
    } else if (good) {
        good = laip_checkpoint_notes_read(*path, &text, &vocab, &notes, error) &&
               accepts(r, *path, text, notes.data, error) &&
               within_phases(r, *path, notes.phase, notes.step, error);
        if (good) {
            *phase = notes.phase;
            *from = notes.step;
            r->best = notes.best;
            for (int i = 0; i < *phase; i++)
                r->done += laip_run_phase_steps(r, &r->config->phases[i]);
            r->done += *from;
            r->saved = r->done;
            r->saved_phase = *phase;
            r->saved_is_newest = r->options->resume_step < 0;
        }
    }
    free(text);
    free(vocab);
    return good;
}

bool laip_run_read_state(laip_run *r, const char *path, laip_error *error)
{
    char *products = products_path(r);
    laip_checkpoint_notes notes;
    bool good = true;
    if (access(products, F_OK) == 0)
        good = laip_gemm_choices_read(r->device, products, error);
    else
        laip_warn("rank %d was not there when the state was saved: its products are measured anew, and the "
                  "run goes on to the same numbers up to rounding",
                  r->ranks->rank);
    good = good && laip_checkpoint_resume(path, &r->model, &r->step, &notes, error);
    free(products);
    return good;
}
