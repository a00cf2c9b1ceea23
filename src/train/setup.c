/* What a run needs before its first step: data, device, and sizes that fit. */
#include "base/log.h"
#include "base/memory.h"
#include "ops/gemm/gemm.h"
#include "ops/matrix_unit.h"
#include "train/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

laip_loader_options laip_run_loader_options(const laip_run *r, const laip_phase *p)
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

laip_memory laip_run_memory(laip_run *r)
{
    return (laip_memory){r->device, &r->model, r->config, &r->train.texts, (size_t)r->ranks->size};
}

uint64_t laip_run_phase_steps(const laip_run *r, const laip_phase *p)
{
    laip_loader_options o = laip_run_loader_options(r, p);
    return p->steps ? (uint64_t)p->steps
                    : (uint64_t)p->epochs * laip_loader_steps_per_epoch(&r->train.dataset, &o);
}

/* Of a list "a,b,c" the one that is this rank's among those of its node, in turn; and how many ranks of the
 * node before it have the same. */
static char *own_choice(const laip_ranks *ranks, const char *list, int *before)
{
    size_t count = 1;
    for (const char *c = list; *c; c++)
        count += *c == ',';
    char **choices = laip_alloc(count, sizeof *choices);
    for (size_t i = 0; i < count; i++) {
        size_t length = strcspn(list, ",");
        choices[i] = laip_strndup(list, length);
        list += length + (list[length] == ',');
    }
    char *own = laip_strdup(choices[(size_t)ranks->local_rank % count]);
    *before = 0;
    for (int k = 0; k < ranks->local_rank; k++)
        *before += strcmp(choices[(size_t)k % count], own) == 0;
    for (size_t i = 0; i < count; i++)
        free(choices[i]);
    free(choices);
    return own;
}

bool laip_run_open_device(laip_run *r, laip_error *error)
{
    int before;
    char *choice = own_choice(r->ranks, r->config->device, &before);
    bool good = laip_device_open(&r->device, choice, before, error);
    free(choice);
    if (good)
        laip_precision_set(r->device, (laip_precision)r->config->precision);
    if (good && strcmp(r->config->gemm, "auto") != 0)
        laip_gemm_force(r->device, r->config->gemm);
    return good;
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

static void warn_of_one_person(const laip_run *r)
{
    const laip_dataset *d = &r->train.dataset;
    for (size_t i = 1; i < d->picture_count; i++)
        if (d->pictures[i].person != d->pictures[0].person)
            return;
    if (d->picture_count)
        laip_warn("%s: all %zu pictures of split %s are of one person: there are no pairs that do not match, "
                  "and nothing to tell apart",
                  r->config->annotations, d->picture_count, r->config->train_split);
}

bool laip_run_open_data(laip_run *r, laip_error *error)
{
    laip_config *c = r->config;
    bool phrases = wants_phrases(c);
    laip_memory m = laip_run_memory(r);
    if (c->shard == LAIP_SHARD_OPTIMISER) {
        c->model.shard_ranks = r->ranks->size;
        c->model.shard = r->ranks->rank;
    }
    if (!laip_corpus_open(&r->corpus, c, NULL, error) || !laip_config_check(c, error) ||
        !laip_model_declare(&r->model, &c->model, true, error))
        return false;
    r->model.device = r->device;
    if (!r->options->plan && !laip_memory_check_weights(&m, error)) /* before the captions are gone through */
        return false;
    if (!laip_split_open(&r->train, &r->corpus, c, c->annotations, c->images, c->train_split, phrases,
                         error) ||
        !open_val(r, error))
        return false;
    laip_note("data: %zu training pairs of %zu pictures, %zu phrases%s, %zu validation captions; %zu tokens",
              r->train.dataset.caption_count, r->train.dataset.picture_count, r->train.texts.phrases.count,
              phrases ? "" : " (no loss wants any)", r->val.dataset.caption_count,
              laip_tokenizer_size(r->corpus.tokenizer));
    if (!r->ranks->rank)
        warn_of_one_person(r);
    return true;
}

static void all_loader_options(const laip_run *r, laip_loader_options *options)
{
    for (int i = 0; i < r->config->phase_count; i++)
        options[i] = laip_run_loader_options(r, &r->config->phases[i]);
}

bool laip_run_divide_batch(laip_run *r, laip_error *error)
{
    laip_config *c = r->config;
    laip_loader_options options[LAIP_PHASES];
    laip_memory m = laip_run_memory(r);
    if (c->micro != LAIP_MICRO_AUTO)
        return true;
    all_loader_options(r, options);
    size_t global = (size_t)c->batch * (size_t)c->micro_batches;
    size_t largest = laip_ranks_min(r->ranks, laip_memory_largest(&m, options));
    size_t size = laip_memory_divide(global, largest, m.ranks);
    if (!largest && !laip_memory_check(&m, 0, &options[0], error))
        return false;
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

bool laip_run_check_memory(laip_run *r, laip_error *error)
{
    laip_memory m = laip_run_memory(r);
    bool good = true;
    for (int i = 0; good && i < r->config->phase_count; i++) {
        laip_loader_options o = laip_run_loader_options(r, &r->config->phases[i]);
        good = laip_memory_check(&m, i, &o, error);
    }
    return laip_run_all(r, good, error);
}

bool laip_run_open_step(laip_run *r, int phase, laip_error *error)
{
    laip_loader_options o = laip_run_loader_options(r, &r->config->phases[phase]);
    laip_memory m = laip_run_memory(r);
    laip_step_sizes z = laip_memory_sizes(&m, &o);
    laip_loss_config loss = laip_config_losses(r->config, &r->config->phases[phase]);
    if (!laip_step_create(&r->step, &r->model, &loss, &z, (uint64_t)r->config->seed, error))
        return false;
    r->gradients = laip_gradients_create(r->ranks, &r->step);
    return true;
}

/* The ranks of one host that have one card, or its processor, between them. */
static void tell_shared(const laip_ranks *ranks, const laip_traits *all, bool *told, int first)
{
    laip_str who = {0};
    bool platforms = false;
    int count = 0;
    for (int k = first; k < ranks->size; k++) {
        if (told[k] || strcmp(laip_ranks_host(ranks, k), laip_ranks_host(ranks, first)) != 0 ||
            (k != first && !laip_traits_same_device(&all[first], &all[k])))
            continue;
        told[k] = true;
        platforms = platforms || strcmp(all[k].platform, all[first].platform) != 0;
        laip_str_addf(&who, "%s%d", count++ ? ", " : "", k);
    }
    if (count > 1)
        laip_note("ranks %s share the %s of %s%s", who.text, all[first].cpu ? "processor" : "card",
                  laip_ranks_host(ranks, first), platforms ? ", through several platforms" : "");
    free(who.text);
}

void laip_run_introduce(laip_run *r)
{
    const laip_ranks *ranks = r->ranks;
    size_t micro = (size_t)r->config->micro_batches, idle = 0, size = (size_t)ranks->size;
    laip_traits *all = laip_alloc(size, sizeof *all);
    bool *told = laip_alloc(size, sizeof *told);
    laip_ranks_allgather(ranks, laip_device_traits(r->device), sizeof *all, all);
    for (int k = 0; k < ranks->size; k++) {
        size_t first, last;
        const laip_traits *t = &all[k];
        laip_ranks_division(ranks, k, micro, &first, &last);
        idle += first == last;
        laip_note("rank %d on %s: %.100s (%.80s), %.1f GiB%s%s; %zu of %zu micro-batches a step", k,
                  laip_ranks_host(ranks, k), t->name, t->platform, (double)t->memory / (1 << 30),
                  *t->pci ? ", " : "", t->pci, last - first, micro);
    }
    for (int k = 0; k < ranks->size; k++)
        if (!told[k])
            tell_shared(ranks, all, told, k);
    if (idle && micro < size && !ranks->rank)
        laip_warn("%zu of %d ranks have nothing to do: a step has %zu micro-batches (batch.micro_batches), "
                  "expected at least one for each rank",
                  idle, ranks->size, micro);
    else if (idle && !ranks->rank)
        laip_warn("%zu of %d ranks have nothing to do: they are so slow that the others would wait for them",
                  idle, ranks->size);
    free(told);
    free(all);
}
