/* A run from its start to its end: phases, one after another, and their steps. */
#include "train/train.h"

#include "base/log.h"
#include "base/memory.h"
#include "device/profiler.h"
#include "store/checkpoint.h"
#include "train/run.h"
#include "train/schedule.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REPORT_EVERY = 100 }; /* steps between two versions of the run's page */

/* Ends the steps of a phase before its last: for a signal, for the time, or, with the state saved first, for
 * this rank's or another's failure. */
static bool break_off(laip_run *r, int phase, uint64_t step, unsigned bits, bool *ended, laip_error *error)
{
    laip_error own = *error, saving;
    bool failed = own.status != LAIP_OK;
    *ended = true;
    laip_progress_end();
    bool good = laip_run_save(r, phase, step, bits & LAIP_STEP_FAILED ? &saving : error);
    if (good)
        laip_note("%s at step %llu of %llu: the state is in %s/last; --resume goes on with it",
                  bits & LAIP_STEP_FAILED ? "broken off"
                  : bits & LAIP_STEP_STOP ? "stopped by a signal"
                                          : "stopped for --time-limit",
                  (unsigned long long)r->done, (unsigned long long)r->total_steps, r->config->out);
    else if (bits & LAIP_STEP_FAILED)
        laip_warn("%s", saving.text);
    laip_ranks_barrier(r->ranks); /* nobody ends the job before the state is there */
    if (!(bits & LAIP_STEP_FAILED))
        return good;
    return failed ? (*error = own, false) : laip_failure(error, "%s", laip_ranks_elsewhere);
}

static bool validate_and_save(laip_run *r, int phase, uint64_t step, bool *shares, laip_error *error)
{
    double pause = laip_seconds();
    laip_error none;
    if (!laip_run_tell(r, true, error))
        return false;
    bool good = laip_validate(r, &r->config->phases[phase], error);
    if (!good && !r->shard) /* what was learned is kept, if this rank has it */
        (void)laip_run_save(r, phase, step, &none);
    good = good && laip_run_follow_speed(r, shares, error) && laip_run_save(r, phase, step, error) &&
           laip_run_report(r, &r->config->phases[phase], r->done < r->total_steps, error);
    r->started += laip_seconds() - pause; /* the rate is that of training */
    return good;
}

/* Begins a step, and tells the one before, which the device is through with. */
static bool take_step(laip_run *r, const laip_phase *p, laip_run_step *s, laip_error *error)
{
    double start = laip_seconds();
    laip_gradients_listen(r->gradients, r->trace ? laip_trace_gradients : NULL, r->trace);
    laip_trace_span(r->trace, "waits for data", start - s->waited, start);
    if (!laip_run_one_step(r, s, error) || !laip_run_tell(r, false, error))
        return false;
    double seconds = laip_seconds() - start + s->waited;
    laip_trace_span(r->trace, "step", start, laip_seconds());
    r->slowest = seconds > r->slowest ? seconds : r->slowest;
    r->done++;
    r->told = (laip_run_told){r->done, p, s->lr};
    r->images += (double)r->config->batch * r->config->micro_batches;
    return laip_run_log_time(r, seconds, s, error) && laip_trace_step(&r->trace, false, error);
}

static void close_loader(laip_run *r, laip_run_step *s)
{
    if (s->loader)
        r->skipped += laip_loader_skipped(s->loader);
    laip_loader_free(s->loader);
    free((void *)s->batches);
    s->loader = NULL;
    s->batches = NULL;
}

/* The loader of this rank's micro-batches from step `from` of a phase on; one that was there is closed. */
static bool open_loader(laip_run *r, int phase, uint64_t from, laip_run_step *s, laip_error *error)
{
    laip_loader_options o = laip_run_loader_options(r, &r->config->phases[phase]);
    o.seed += (uint64_t)phase << 32; /* a phase has an order and an augmentation of its own */
    close_loader(r, s);
    s->own = o.own_micro;
    s->first = o.first_micro;
    s->batches = laip_alloc(s->own, sizeof *s->batches);
    s->loader = laip_loader_create(&r->train.dataset, &r->train.texts, &o, from, error);
    return s->loader != NULL;
}

static bool run_phase(laip_run *r, int index, uint64_t from, bool *ended, laip_error *error)
{
    const laip_config *c = r->config;
    const laip_phase *p = &c->phases[index];
    laip_loader_options o = laip_run_loader_options(r, p);
    uint64_t steps = laip_run_phase_steps(r, p),
             per_epoch = laip_loader_steps_per_epoch(&r->train.dataset, &o);
    uint64_t every = c->eval_every ? (uint64_t)c->eval_every : per_epoch, offset = (uint64_t)index << 40;
    laip_run_step s = {0};
    bool good = open_loader(r, index, from, &s, error);
    for (uint64_t i = from; good && !*ended && i < steps; i++) {
        error->status = LAIP_OK;
        s.lr = laip_schedule(p, i, steps);
        s.mu = laip_momentum_of(c, r->done);
        s.key = offset + i;
        s.t = i + 1;
        unsigned bits = laip_run_begin_step(r, &s, error);
        if (bits) {
            good = break_off(r, index, i, bits, ended, error);
            break;
        }
        bool shares = false;
        good = take_step(r, p, &s, error);
        if (good && r->done % REPORT_EVERY == 0)
            good = laip_run_tell(r, true, error) && laip_run_report(r, p, true, error);
        if (good && ((i + 1) % every == 0 || i + 1 == steps))
            good = validate_and_save(r, index, i + 1, &shares, error);
        if (good && shares && i + 1 < steps)
            good = open_loader(r, index, i + 1, &s, error);
    }
    laip_progress_end();
    close_loader(r, &s);
    if (r->skipped)
        laip_note("%zu damaged pictures were passed over", r->skipped);
    r->skipped = 0;
    return good;
}

/* The next phase's buffers: weights and queues go on, the optimiser begins anew. */
static bool next_step(laip_run *r, int phase, laip_error *error)
{
    laip_queue *q = &r->step.queue;
    size_t count = q->slots * q->image.cols, slots = q->slots, pointer = q->pointer;
    float *image = laip_alloc(count, sizeof *image), *text = laip_alloc(count, sizeof *text);
    int32_t *person = laip_alloc(slots, sizeof *person);
    laip_scaling scaling = laip_optimiser_scaling(&r->step.optimiser);
    scaling.skipped = 0;
    laip_queue_read(q, q->image, image);
    laip_queue_read(q, q->text, text);
    memcpy(person, q->person + q->batch, slots * sizeof *person);
    laip_gradients_free(r->gradients);
    laip_step_free(&r->step);
    r->gradients = NULL;
    laip_params_zero_moments(&r->model.params);
    bool good = laip_run_open_step(r, phase, error);
    if (good)
        laip_optimiser_set_scaling(&r->step.optimiser, scaling);
    if (good && slots) {
        laip_queue_write(q, q->image, image);
        laip_queue_write(q, q->text, text);
        memcpy(q->person + q->batch, person, slots * sizeof *person);
        q->pointer = pointer;
    }
    free(image);
    free(text);
    free(person);
    return good;
}

static bool open_log(laip_run *r, const char *name, laip_log *log, laip_error *error)
{
    uint64_t last;
    char *path = laip_run_path(r, name);
    bool good = laip_log_open(log, path, r->done, &last, error);
    if (good && last < r->done)
        laip_warn("%s: has no lines of steps %llu to %llu", path, (unsigned long long)last + 1,
                  (unsigned long long)r->done);
    free(path);
    return good;
}

/* Encoders first, then what a checkpoint has. */
static bool load_weights(laip_run *r, laip_error *error)
{
    const laip_config *c = r->config;
    return (!*c->init_vit || laip_pretrained_vit(c->init_vit, &r->model, error)) &&
           (!*c->init_bert || laip_pretrained_bert(c->init_bert, &r->model, error)) &&
           (!*c->checkpoint ||
            laip_checkpoint_load(c->checkpoint, c->init_key, &r->model, c->allow_missing, error));
}

/* The model as it begins, or as the state at path has it. */
static bool begin(laip_run *r, const char *path, int phase, laip_error *error)
{
    laip_config *c = r->config;
    laip_model_free(&r->model); /* it was declared only */
    if (!laip_model_create(&r->model, r->device, &c->model, true, error))
        return false;
    if (c->model.shard_ranks > 1)
        r->shard = laip_shard_create(r->ranks, &r->model.params);
    laip_params_initialise(&r->model.params, &r->model.table, (uint64_t)c->seed, c->deviation,
                           c->loss.temperature);
    laip_params_copy_average(&r->model.params);
    if (path)
        return laip_run_open_step(r, phase, error) && laip_run_read_state(r, path, error);
    return load_weights(r, error) && laip_run_open_step(r, phase, error) &&
           (!c->init_queue || !*c->checkpoint ||
            laip_checkpoint_load_queue(c->checkpoint, c->init_key, &r->step.queue, error));
}

static bool train_phases(laip_run *r, laip_error *error)
{
    int first = 0;
    uint64_t from = 0;
    char *path = NULL;
    bool ended = false;
    bool good = laip_run_open_folder(r, error) &&
                laip_run_all(r, laip_run_find_state(r, &path, &first, &from, error), error) &&
                laip_run_divide_batch(r, error) && laip_run_check_memory(r, error);
    if (good) {
        laip_config_write(r->config, &r->yaml);
        for (int i = 0; i < r->config->phase_count; i++)
            r->total_steps += laip_run_phase_steps(r, &r->config->phases[i]);
        good = laip_run_all(r, begin(r, path, first, error), error) && laip_run_describe(r, error) &&
               laip_run_settle_shares(r, first, error);
        if (good)
            laip_run_introduce(r);
    }
    free(path);
    if (good && !r->ranks->rank)
        good = open_log(r, "metrics.jsonl", &r->metrics, error) &&
               open_log(r, "timing.jsonl", &r->timing, error) && laip_run_report_begin(r, error);
    if (good && r->options->trace)
        good = laip_trace_open(&r->trace, r->options->trace, r->ranks, r->device, error);
    r->started = laip_seconds();
    r->saving = 1 + (double)laip_model_bytes(&r->model, r->device) / 2e8; /* until it is measured */
    for (int i = first; good && !ended && i < r->config->phase_count; i++, from = 0)
        good = (i == first || next_step(r, i, error)) && run_phase(r, i, from, &ended, error);
    if (good && !ended)
        laip_note("done: the model is %s/best.safetensors, how it went %s/report/index.html; next: "
                  "laip-eval --checkpoint %s/best.safetensors --data %s",
                  r->config->out, r->config->out, r->config->out, r->config->annotations);
    good = good && laip_trace_step(&r->trace, true, error);
    if (good)
        laip_run_tidy(r);
    return good;
}

static bool print_plan(laip_run *r, laip_error *error)
{
    laip_loader_options options[LAIP_PHASES];
    laip_memory m = laip_run_memory(r);
    laip_str text = {0};
    if (!laip_run_divide_batch(r, error))
        return false;
    for (int i = 0; i < r->config->phase_count; i++)
        options[i] = laip_run_loader_options(r, &r->config->phases[i]);
    laip_memory_describe(&m, options, &text);
    uint64_t steps = 0;
    for (int i = 0; i < r->config->phase_count; i++)
        steps += laip_run_phase_steps(r, &r->config->phases[i]);
    laip_str_addf(&text, "steps of all phases                           %14llu\n", (unsigned long long)steps);
    if (!r->ranks->rank)
        r->options->print(text.text);
    free(text.text);
    return laip_device_ok(r->device, error) && laip_run_check_memory(r, error);
}

static bool print_profile(laip_run *r, laip_error *error)
{
    const laip_profiler_line *lines;
    laip_str text = {0};
    size_t count;
    if (!laip_profiler_read(r->device, &lines, &count, error))
        return false;
    for (size_t i = 0; i < count; i++)
        laip_str_addf(&text, "%9.3f s %9llu launches %9.1f us each  %s%s%s\n", lines[i].seconds,
                      (unsigned long long)lines[i].count, 1e6 * lines[i].seconds / (double)lines[i].count,
                      lines[i].part, *lines[i].part ? ": " : "", lines[i].kernel);
    r->options->print(laip_str_text(&text));
    free(text.text);
    return true;
}

static void close_run(laip_run *r)
{
    laip_log_close(&r->metrics);
    laip_log_close(&r->timing);
    laip_gradients_free(r->gradients);
    laip_step_free(&r->step);
    laip_shard_free(r->shard);
    laip_model_free(&r->model);
    laip_split_close(&r->train);
    laip_split_close(&r->val);
    laip_corpus_close(&r->corpus);
    laip_device_close(r->device);
    free(r->yaml.text);
    free(r->samples.text);
    free(r->share);
    free(r->speed);
    laip_tensorboard_close(&r->events);
    if (r->lock >= 0)
        close(r->lock);
}

bool laip_train(laip_config *config, const laip_ranks *ranks, const laip_train_options *options,
                laip_error *error)
{
    laip_run r = {.config = config,
                  .own_ranks = *ranks,
                  .options = options,
                  .best = -1,
                  .lock = -1,
                  .saved = UINT64_MAX,
                  .metrics = {.fd = -1},
                  .timing = {.fd = -1}};
    r.ranks = &r.own_ranks;
    bool good = laip_config_check(config, error) && laip_run_same_config(&r, error) &&
                laip_run_open_device(&r, error);
    if (good && options->profile)
        good = laip_profiler_start(r.device, true, error);
    good = good && laip_run_open_data(&r, error) && laip_run_same_data(&r, error) &&
           (options->plan ? print_plan(&r, error) : train_phases(&r, error));
    if (good && options->profile && !ranks->rank)
        good = print_profile(&r, error);
    close_run(&r);
    return good;
}
