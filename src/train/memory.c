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

void laip_memory_print(const laip_memory *m, const laip_loader_options *options)
{
    const laip_config *c = m->config;
    const laip_traits *t = laip_device_traits(m->device);
    size_t weights = laip_model_bytes(m->model, m->device), most = 0;
    printf("device                    %s (%s), %.2f GiB, %.2f GiB at once\n", t->name, t->platform,
           (double)t->memory / (1 << 30), (double)t->largest / (1 << 30));
    printf("weights, gradients, moments, momentum copies  %14zu bytes\n", weights);
    for (int i = 0; i < c->phase_count; i++) {
        laip_step_sizes z = laip_memory_sizes(m, &options[i]);
        size_t bytes = laip_memory_step(m, i, &options[i]);
        char text[32];
        snprintf(text, sizeof text, "%14zu bytes", bytes);
        printf("phase %-20s step buffers       %s (%zu pairs, %zu caption and %zu phrase tokens at most)\n",
               c->phases[i].name, bytes == LAIP_TOO_LARGE ? "one is too large for the device" : text, z.batch,
               z.caption_rows, z.phrase_rows);
        most = bytes > most ? bytes : most;
    }
    if (most < LAIP_TOO_LARGE)
        printf("in all                                        %14zu bytes, %.2f GiB\n", weights + most,
               (double)(weights + most) / (1 << 30));
    printf("largest micro-batch that fits                 %14zu pairs\n", laip_memory_largest(m, options));
}

bool laip_memory_check(const laip_memory *m, int phase, const laip_loader_options *o, laip_error *error)
{
    size_t weights = laip_model_bytes(m->model, m->device), buffers = laip_memory_step(m, phase, o);
    size_t have = laip_device_traits(m->device)->memory;
    if (buffers == LAIP_TOO_LARGE)
        return laip_bad_input(error,
                              "one buffer of the run would be larger than %s allocates at once, %zu bytes; a "
                              "smaller batch.size takes less",
                              laip_device_traits(m->device)->name, laip_device_traits(m->device)->largest);
    return weights + buffers <= have ||
           laip_bad_input(
               error,
               "the run takes %zu bytes on the device (%zu of weights, %zu of buffers), %s has %zu; a "
               "smaller batch.size, or batch.recompute, takes less",
               weights + buffers, weights, buffers, laip_device_traits(m->device)->name, have);
}
