#include "train/train.h"

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "data/loader.h"
#include "device/profiler.h"
#include "dist/exchange.h"
#include "ops/gemm.h"
#include "store/checkpoint.h"
#include "train/memory.h"
#include "train/run.h"
#include "train/schedule.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REPORT_EVERY = 100 }; /* steps between two versions of the run's page */

char *laip_run_path(const laip_run *r, const char *name)
{
    return laip_path_join(r->config->out, name);
}

static laip_loader_options loader_options(const laip_run *r, const laip_phase *p)
{
    const laip_config *c = r->config;
    laip_loader_options o = {.height = c->model.image_height,
                             .width = c->model.image_width,
                             .batch = c->batch,
                             .micro_batches = c->micro_batches,
                             .seed = (uint64_t)c->seed,
                             .group = (size_t)p->group,
                             .augment = c->augment,
                             .phrases_per_caption = p->phrases_per_caption,
                             .phrases = p->weight[LAIP_LOSS_BIDIRATT] > 0 || p->weight[LAIP_LOSS_MPM] > 0,
                             .mlm = p->weight[LAIP_LOSS_MLM] > 0,
                             .mask = laip_tokenizer_special(r->corpus.tokenizer, LAIP_MASK),
                             .vocab = (int)laip_tokenizer_size(r->corpus.tokenizer),
                             .skip_bad = c->skip_bad_images != 0,
                             .threads = c->threads,
                             .cache_bytes = (size_t)c->cache_mb << 20};
    size_t last;
    laip_ranks_division(r->ranks, r->ranks->rank, (size_t)c->micro_batches, &o.first_micro, &last);
    o.own_micro = last - o.first_micro;
    return o;
}

static laip_memory memory_of(laip_run *r)
{
    return (laip_memory){r->device, &r->model, r->config, &r->train.texts, (size_t)r->ranks->size};
}

static uint64_t phase_steps(const laip_run *r, const laip_phase *p)
{
    laip_loader_options o = loader_options(r, p);
    return p->steps ? (uint64_t)p->steps
                    : (uint64_t)p->epochs * laip_loader_steps_per_epoch(&r->train.dataset, &o);
}

static bool open_val(laip_run *r, laip_error *error)
{
    const laip_config *c = r->config;
    const char *file = *c->val_annotations ? c->val_annotations : c->annotations;
    return !*c->val_split ||
           laip_split_open(&r->val, &r->corpus, c, file, c->images, c->val_split, false, error);
}

static bool wants_phrases(const laip_config *c)
{
    for (int i = 0; i < c->phase_count; i++)
        if (c->phases[i].weight[LAIP_LOSS_BIDIRATT] > 0 || c->phases[i].weight[LAIP_LOSS_MPM] > 0)
            return true;
    return false;
}

static bool open_data(laip_run *r, laip_error *error)
{
    laip_config *c = r->config;
    bool phrases = wants_phrases(c);
    if (!laip_corpus_open(&r->corpus, c, NULL, error) ||
        !laip_split_open(&r->train, &r->corpus, c, c->annotations, c->images, c->train_split, phrases,
                         error) ||
        !open_val(r, error))
        return false;
    laip_note("data: %zu training pairs of %zu pictures, %zu phrases%s, %zu validation captions; %zu tokens",
              r->train.dataset.caption_count, r->train.dataset.picture_count, r->train.texts.phrases.count,
              phrases ? "" : " (no loss wants any)", r->val.dataset.caption_count,
              laip_tokenizer_size(r->corpus.tokenizer));
    for (int i = 0; i < c->phase_count; i++)
        r->total_steps += phase_steps(r, &c->phases[i]);
    return true;
}

static void all_loader_options(const laip_run *r, laip_loader_options *options)
{
    for (int i = 0; i < r->config->phase_count; i++)
        options[i] = loader_options(r, &r->config->phases[i]);
}

/* batch.micro: auto. The same on every rank, as the smallest device decides; the run folder keeps what came
 * of it. */
static bool divide_batch(laip_run *r, laip_error *error)
{
    laip_config *c = r->config;
    laip_loader_options options[LAIP_PHASES];
    laip_memory m = memory_of(r);
    if (c->micro != LAIP_MICRO_AUTO)
        return true;
    all_loader_options(r, options);
    size_t global = (size_t)c->batch * (size_t)c->micro_batches;
    size_t largest = laip_ranks_min(r->ranks, laip_memory_largest(&m, options));
    size_t size = laip_memory_divide(global, largest, m.ranks);
    if (!size)
        return laip_bad_input(error,
                              "batch.micro: %zu pairs of a step cannot be shared out among %zu ranks in "
                              "micro-batches of at most %zu, the most that fits",
                              global, m.ranks, largest);
    c->batch = (int)size;
    c->micro_batches = (int)(global / size);
    c->micro = LAIP_MICRO_GIVEN;
    laip_note("micro-batches of %d pairs, %d a step; the largest that fits has %zu", c->batch,
              c->micro_batches, largest);
    return true;
}

static bool print_plan(laip_run *r, laip_error *error)
{
    laip_loader_options options[LAIP_PHASES];
    laip_memory m = memory_of(r);
    all_loader_options(r, options);
    laip_memory_print(&m, options);
    return laip_device_ok(r->device, error);
}

static void write_losses(laip_run *r, uint64_t step, const laip_phase *p, float lr, const laip_losses *v)
{
    if (r->ranks->rank)
        return;
    fprintf(r->metrics, "{\"step\":%llu,\"phase\":\"%s\",\"lr\":%.9g", (unsigned long long)step, p->name,
            (double)lr);
    if (r->config->model.storage == LAIP_STORE_HALF)
        fprintf(r->metrics, ",\"loss_scale\":%.9g", (double)r->step.scaling.scale);
    for (int i = 0; i < LAIP_LOSSES; i++)
        fprintf(r->metrics, ",\"%s\":%.9g", laip_loss_names[i], v->value[i]);
    fprintf(r->metrics, ",\"total\":%.9g}\n", v->total);
}

/* One step: all of this rank's micro-batches.  sums receives the losses, averaged over the global batch. */
static bool one_step(laip_run *r, laip_loader *loader, size_t own, size_t first, uint64_t step, float mu,
                     float lr, uint64_t t, laip_losses *sums, laip_error *error)
{
    const laip_batch **batches = laip_alloc(own, sizeof *batches);
    laip_step *s = &r->step;
    bool good = true;
    *sums = (laip_losses){0};
    if (own > 1)
        laip_step_keep_packed(s);
    laip_step_begin(s, mu);
    for (size_t i = 0; good && i < own; i++) {
        good = laip_loader_next(loader, &batches[i], error);
        if (good)
            laip_step_momentum(s, batches[i], first + i);
    }
    if (good)
        laip_exchange_keys(r->ranks, s);
    for (size_t i = 0; good && i < own; i++) {
        laip_losses v = {0};
        good = laip_step_micro(s, batches[i], first + i, step, &v, error);
        for (int k = 0; k < LAIP_LOSSES; k++)
            sums->value[k] += v.value[k] / (double)s->sizes.micro_batches;
        sums->total += v.total / (double)s->sizes.micro_batches;
    }
    free(batches);
    if (!good)
        return false;
    laip_exchange_gradients(r->ranks, s);
    laip_ranks_sum_doubles(r->ranks, sums->value, LAIP_LOSSES);
    laip_ranks_sum_doubles(r->ranks, &sums->total, 1);
    laip_optimiser_config o = r->config->optimiser;
    o.lr = lr;
    return laip_step_end(s, &o, t, error);
}

/* Which products this rank's device serves how: a run that goes on keeps to it, for the same bits. */
static char *products_path(const laip_run *r)
{
    char name[48];
    snprintf(name, sizeof name, "last/products.%d", r->ranks->rank);
    return laip_run_path(r, name);
}

static bool save_state(laip_run *r, int phase, uint64_t phase_step, laip_error *error)
{
    laip_checkpoint_notes notes = {r->yaml.text, r->corpus.vocab, phase_step, phase, r->best};
    char *path = laip_run_path(r, "last/state.safetensors"), *products = products_path(r);
    bool good = laip_gemm_choices_write(r->device, products, error) &&
                (r->ranks->rank || laip_checkpoint_save(path, &r->model, &r->step, &notes, error));
    free(path);
    free(products);
    return good;
}

static void show(laip_run *r, const laip_phase *p, const laip_losses *v)
{
    double taken = laip_seconds() - r->started, rate = r->images / taken;
    double left = taken / (double)r->done * (double)(r->total_steps - r->done);
    laip_str terms = {0};
    for (int i = 0; i < LAIP_LOSSES; i++)
        if (p->weight[i] > 0)
            laip_str_addf(&terms, "%s%s %.3f", terms.length ? " " : "", laip_loss_names[i], v->value[i]);
    laip_progress("%s, step %llu of %llu: loss %.3f (%s), %.1f pairs/s, %d:%02d left", p->name,
                  (unsigned long long)r->done, (unsigned long long)r->total_steps, v->total,
                  laip_str_text(&terms), rate, (int)left / 60, (int)left % 60);
    free(terms.text);
}

static bool run_phase(laip_run *r, int index, uint64_t from, laip_error *error)
{
    const laip_config *c = r->config;
    const laip_phase *p = &c->phases[index];
    laip_loader_options o = loader_options(r, p);
    uint64_t steps = phase_steps(r, p), per_epoch = laip_loader_steps_per_epoch(&r->train.dataset, &o);
    uint64_t every = c->eval_every ? (uint64_t)c->eval_every : per_epoch, offset = (uint64_t)index << 40;
    laip_losses sums;
    o.seed += (uint64_t)index << 32; /* a phase has an order and an augmentation of its own */
    laip_loader *loader = laip_loader_create(&r->train.dataset, &r->train.texts, &o, from, error);
    bool good = loader != NULL;
    for (uint64_t i = from; good && i < steps; i++) {
        float lr = laip_schedule(p, i, steps), mu = laip_momentum_of(c, r->done);
        double start = laip_seconds();
        good = one_step(r, loader, o.own_micro, o.first_micro, offset + i, mu, lr, i + 1, &sums, error);
        if (!good)
            break;
        r->done++;
        r->images += (double)c->batch * c->micro_batches;
        write_losses(r, r->done, p, lr, &sums);
        if (!r->ranks->rank)
            fprintf(r->timing, "{\"step\":%llu,\"seconds\":%.6f,\"gflop\":%.4f}\n",
                    (unsigned long long)r->done, laip_seconds() - start,
                    laip_device_counters(r->device)->flops * 1e-9);
        laip_device_reset_counters(r->device);
        show(r, p, &sums);
        if (r->done % REPORT_EVERY == 0)
            good = laip_run_report(r, p, true, error);
        if (good && ((i + 1) % every == 0 || i + 1 == steps)) {
            double pause = laip_seconds();
            good = laip_validate(r, p, error) && save_state(r, index, i + 1, error) &&
                   laip_run_report(r, p, r->done < r->total_steps, error);
            r->started += laip_seconds() - pause; /* the rate is that of training */
        }
    }
    laip_progress_end();
    if (loader && laip_loader_skipped(loader))
        laip_note("%zu damaged pictures were passed over", laip_loader_skipped(loader));
    laip_loader_free(loader);
    return good;
}

static bool open_step(laip_run *r, int phase, laip_error *error)
{
    laip_loader_options o = loader_options(r, &r->config->phases[phase]);
    laip_memory m = memory_of(r);
    laip_step_sizes z = laip_memory_sizes(&m, &o);
    laip_loss_config loss = laip_config_losses(r->config, &r->config->phases[phase]);
    return laip_memory_check(&m, phase, &o, error) &&
           laip_step_create(&r->step, &r->model, &loss, &z, (uint64_t)r->config->seed, error);
}

static bool open_folder(laip_run *r, laip_error *error)
{
    char *last = laip_run_path(r, "last"), *config = laip_run_path(r, "config.yaml"),
         *vocab = laip_run_path(r, "vocab.txt");
    laip_config_write(r->config, &r->yaml);
    bool good = r->ranks->rank || (laip_make_folders(last, error) &&
                                   laip_file_write(config, r->yaml.text, r->yaml.length, error) &&
                                   laip_file_write(vocab, r->corpus.vocab, strlen(r->corpus.vocab), error));
    free(last);
    free(config);
    free(vocab);
    return good;
}

/* Opens a log of lines that begin {"step":N; those after step r->done, of a run that was broken off, are
 * dropped. */
static bool open_log(laip_run *r, const char *name, FILE **file, laip_error *error)
{
    char *path = laip_run_path(r, name), *text = NULL;
    laip_str kept = {0};
    laip_error none;
    size_t size;
    if (r->done && laip_file_read(path, &text, &size, &none))
        for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
            unsigned long long step;
            if (sscanf(line, "{\"step\":%llu", &step) == 1 && step <= r->done)
                laip_str_add(&kept, line, (size_t)(end + 1 - line));
        }
    bool good = laip_file_write(path, laip_str_text(&kept), kept.length, error);
    if (good && !(*file = fopen(path, "a")))
        good = laip_failure(error, "%s: cannot be written", path);
    if (good)
        setvbuf(*file, NULL, _IOLBF, 0); /* who follows the run sees whole lines at once */
    free(text);
    free(kept.text);
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

static bool start(laip_run *r, bool resume, int *phase, uint64_t *from, laip_error *error)
{
    laip_config *c = r->config;
    laip_params_initialise(&r->model.params, &r->model.table, (uint64_t)c->seed, c->deviation,
                           c->loss.temperature);
    laip_params_copy_average(&r->model.params);
    *phase = 0;
    *from = 0;
    if (!resume)
        return load_weights(r, error) && open_step(r, 0, error) &&
               (!c->init_queue || !*c->checkpoint ||
                laip_checkpoint_load_queue(c->checkpoint, c->init_key, &r->step.queue, error));
    char *path = laip_run_path(r, "last/state.safetensors"), *config, *vocab;
    laip_checkpoint_notes notes = {0};
    laip_safetensors file;
    bool good = laip_safetensors_open(&file, path, error);
    if (good) {
        const char *at = laip_safetensors_metadata(&file, "phase");
        *phase = at ? (int)strtol(at, NULL, 10) : 0;
        laip_safetensors_close(&file);
    }
    good = good && laip_checkpoint_notes_read(path, &config, &vocab, from, error);
    if (good) {
        if (strcmp(config, r->yaml.text) != 0)
            good = laip_bad_input(
                error, "%s: was saved by a run with another config; --resume goes on with its own", path);
        free(config);
        free(vocab);
    }
    char *products = products_path(r);
    good = good && laip_gemm_choices_read(r->device, products, error) && open_step(r, *phase, error) &&
           laip_checkpoint_resume(path, &r->model, &r->step, &notes, error);
    r->best = notes.best;
    free(path);
    free(products);
    for (int i = 0; i < *phase; i++)
        r->done += phase_steps(r, &c->phases[i]);
    r->done += *from;
    return good;
}

static void close_run(laip_run *r)
{
    if (r->metrics)
        fclose(r->metrics);
    if (r->timing)
        fclose(r->timing);
    laip_step_free(&r->step);
    laip_model_free(&r->model);
    laip_split_close(&r->train);
    laip_split_close(&r->val);
    laip_corpus_close(&r->corpus);
    laip_device_close(r->device);
    free(r->yaml.text);
    free(r->samples.text);
}

/* The next phase's buffers: weights and queues go on, the optimiser begins anew. */
static bool next_step(laip_run *r, int phase, laip_error *error)
{
    laip_queue *q = &r->step.queue;
    size_t count = q->slots * q->image.cols, slots = q->slots, pointer = q->pointer;
    float *image = laip_alloc(count, sizeof *image), *text = laip_alloc(count, sizeof *text);
    int32_t *person = laip_alloc(slots, sizeof *person);
    laip_scaling scaling = {r->step.scaling.scale, r->step.scaling.good, 0};
    laip_queue_read(q, q->image, image);
    laip_queue_read(q, q->text, text);
    memcpy(person, q->person + q->batch, slots * sizeof *person);
    laip_step_free(&r->step);
    laip_params_zero_moments(&r->model.params);
    bool good = open_step(r, phase, error);
    if (good)
        r->step.scaling = scaling;
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

static bool train_phases(laip_run *r, bool resume, laip_error *error)
{
    int first;
    uint64_t from;
    if (!open_folder(r, error) || !start(r, resume, &first, &from, error))
        return false;
    if (!r->ranks->rank && (!open_log(r, "metrics.jsonl", &r->metrics, error) ||
                            !open_log(r, "timing.jsonl", &r->timing, error)))
        return false;
    r->started = laip_seconds();
    for (int i = first; i < r->config->phase_count; i++, from = 0) {
        if (i > first && !next_step(r, i, error))
            return false;
        if (!run_phase(r, i, from, error))
            return false;
    }
    return true;
}

static bool print_profile(laip_device *d, laip_error *error)
{
    const laip_profiler_line *lines;
    size_t count;
    if (!laip_profiler_read(d, &lines, &count, error))
        return false;
    for (size_t i = 0; i < count; i++)
        printf("%9.3f s %9llu launches %9.1f us each  %s%s%s\n", lines[i].seconds,
               (unsigned long long)lines[i].count, 1e6 * lines[i].seconds / (double)lines[i].count,
               lines[i].part, *lines[i].part ? ": " : "", lines[i].kernel);
    return true;
}

bool laip_train(laip_config *config, const laip_ranks *ranks, const laip_train_options *options,
                laip_error *error)
{
    laip_run r = {.config = config, .ranks = ranks, .best = -1};
    bool good = laip_config_check(config, error) && open_data(&r, error) &&
                laip_config_check(config, error) &&
                laip_device_open(&r.device, config->device, ranks->local_rank, error);
    for (int i = 0; good && laip_gemm_names[i]; i++)
        if (strcmp(config->gemm, laip_gemm_names[i]) == 0 && i)
            laip_gemm_force(r.device, (laip_gemm_backend)i);
    if (good && options->profile)
        good = laip_profiler_start(r.device, true, error);
    if (good && options->plan)
        good = laip_model_declare(&r.model, &config->model, true, error) &&
               (r.model.device = r.device, divide_batch(&r, error)) && print_plan(&r, error);
    else if (good)
        good = laip_model_create(&r.model, r.device, &config->model, true, error) &&
               divide_batch(&r, error) && train_phases(&r, options->resume, error);
    if (good && options->profile && !ranks->rank)
        good = print_profile(r.device, error);
    close_run(&r);
    return good;
}
