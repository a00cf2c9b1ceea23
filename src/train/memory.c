#include "train/memory.h"

#include <stdio.h>

laip_step_sizes laip_memory_sizes(const laip_memory *m, const laip_loader_options *o)
{
    laip_loader_sizes z = laip_loader_most(m->texts, o);
    return (laip_step_sizes){.batch = (size_t)o->batch,
                             .micro_batches = (size_t)o->micro_batches,
                             .caption_rows = z.caption_rows,
                             .longest_caption = z.longest_caption,
                             .phrases = z.phrases,
                             .phrase_rows = z.phrase_rows,
                             .longest_phrase = z.longest_phrase,
                             .recompute = m->config->recompute != 0};
}

size_t laip_memory_step(const laip_memory *m, int phase, const laip_loader_options *o)
{
    laip_step_sizes z = laip_memory_sizes(m, o);
    laip_loss_config loss = laip_config_losses(m->config, &m->config->phases[phase]);
    return laip_step_bytes(m->model, &loss, &z);
}

static bool fits(const laip_memory *m, const laip_loader_options *options, size_t batch)
{
    size_t weights = laip_model_bytes(m->model, m->device), have = laip_device_traits(m->device)->memory;
    for (int i = 0; i < m->config->phase_count; i++) {
        laip_loader_options o = options[i];
        o.batch = (int)batch;
        if (weights + laip_memory_step(m, i, &o) > have)
            return false;
    }
    return true;
}

size_t laip_memory_largest(const laip_memory *m, const laip_loader_options *options)
{
    size_t low = 0, high = 1;
    while (high < 1u << 20 && fits(m, options, high)) {
        low = high;
        high *= 2;
    }
    while (low + 1 < high) {
        size_t middle = (low + high) / 2;
        if (fits(m, options, middle))
            low = middle;
        else
            high = middle;
    }
    return low;
}

size_t laip_memory_divide(size_t global, size_t largest, size_t ranks)
{
    for (size_t size = largest < global ? largest : global; size > 0; size--)
        if (global % size == 0 && global / size >= ranks)
            return size;
    return 0;
}

void laip_memory_describe(const laip_memory *m, const laip_loader_options *options, laip_str *text)
{
    const laip_config *c = m->config;
    const laip_traits *t = laip_device_traits(m->device);
    size_t weights = laip_model_bytes(m->model, m->device), most = 0,
           largest = laip_memory_largest(m, options);
    laip_str_addf(text, "device                    %s (%s), %.2f GiB, %.2f GiB at once\n", t->name,
                  t->platform, (double)t->memory / (1 << 30), (double)t->largest / (1 << 30));
    laip_str_addf(text, "weights, gradients, moments, momentum copies  %14zu bytes\n", weights);
    for (int i = 0; i < c->phase_count; i++) {
        laip_step_sizes z = laip_memory_sizes(m, &options[i]);
        size_t bytes = laip_memory_step(m, i, &options[i]);
        char number[40];
        snprintf(number, sizeof number, "%14zu bytes", bytes);
        laip_str_addf(text,
                      "phase %-20s step buffers       %s (%zu pairs, %zu caption and %zu phrase tokens at "
                      "most)\n",
                      c->phases[i].name, bytes == LAIP_TOO_LARGE ? "one is too large for the device" : number,
                      z.batch, z.caption_rows, z.phrase_rows);
        most = bytes > most ? bytes : most;
    }
    if (most < LAIP_TOO_LARGE)
        laip_str_addf(text, "in all                                        %14zu bytes, %.2f GiB\n",
                      weights + most, (double)(weights + most) / (1 << 30));
    if (largest)
        laip_str_addf(text, "largest micro-batch that fits                 %14zu pairs\n", largest);
    else
        laip_str_adds(text, "largest micro-batch that fits                 none, not even of one pair\n");
}

bool laip_memory_check_weights(const laip_memory *m, laip_error *error)
{
    const laip_traits *t = laip_device_traits(m->device);
    size_t weights = laip_model_bytes(m->model, m->device);
    return weights <= t->memory ||
           laip_bad_input(error,
                          "weights, gradients, moments and momentum copies alone take %zu bytes, %s has %zu; "
                          "whatever the batch: fewer layers, a smaller model.width, or another device",
                          weights, t->name, t->memory);
}

bool laip_memory_check(const laip_memory *m, int phase, const laip_loader_options *o, laip_error *error)
{
    const laip_traits *t = laip_device_traits(m->device);
    size_t weights = laip_model_bytes(m->model, m->device), buffers = laip_memory_step(m, phase, o);
    if (!laip_memory_check_weights(m, error))
        return false;
    if (buffers != LAIP_TOO_LARGE && weights + buffers <= t->memory)
        return true;
    laip_loader_options one = *o;
    one.batch = 1;
    size_t least = laip_memory_step(m, phase, &one);
    const char *advice = least == LAIP_TOO_LARGE || weights + least > t->memory
                             ? "not even one pair fits: a smaller model or picture, or another device"
                         : m->config->recompute
                             ? "a smaller batch.micro_batch_size (batch.micro=auto finds it) takes less"
                             : "a smaller batch.micro_batch_size (batch.micro=auto finds it), or "
                               "batch.recompute, takes less";
    if (buffers == LAIP_TOO_LARGE)
        return laip_bad_input(
            error,
            "phase %s: one buffer of the run would be larger than %s allocates at once, %zu "
            "bytes; %s",
            m->config->phases[phase].name, t->name, t->largest, advice);
    return laip_bad_input(error,
                          "phase %s takes %zu bytes on the device (%zu of weights, %zu of buffers), %s has "
                          "%zu; %s",
                          m->config->phases[phase].name, weights + buffers, weights, buffers, t->name,
                          t->memory, advice);
}
