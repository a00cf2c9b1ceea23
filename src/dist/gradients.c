#include "dist/gradients.h"

#include "base/log.h"
#include "base/memory.h"
#include "device/mapping.h"
#include "dist/job.h"
#include "ops/elementwise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A run of floats of one chunk of the parameters. */
typedef struct segment {
    size_t chunk, offset, floats;
    laip_mapping mapping;
    laip_ranks_request *request;
} segment;

/* What leaves together. */
typedef struct bucket {
    char name[40];
    segment *segments;
    size_t count, capacity, floats;
    laip_event complete; /* the device is through with its gradients */
    bool marked, sent, done;
    double from, to;
} bucket;

struct laip_gradients {
    laip_gradient_listener listener; /* first: the context's */
    const laip_ranks *ranks;
    laip_step *step;
    bucket *buckets; /* in the order of readiness, the same on all ranks */
    size_t count, text_layers, image_blocks;
    double through; /* when the device was through with the last of them */
    laip_gradients_tell *tell;
    void *context;
};

static size_t bucket_of(const laip_gradients *g, enum laip_gradient_part part, int layer)
{
    switch (part) {
    case LAIP_GRADIENTS_CROSS:
        return 0;
    case LAIP_GRADIENTS_TEXT_LAYER:
        return g->text_layers - (size_t)layer;
    case LAIP_GRADIENTS_TEXT:
        return g->text_layers + 1;
    case LAIP_GRADIENTS_IMAGE_BLOCK:
        return g->text_layers + 1 + g->image_blocks - (size_t)layer;
    case LAIP_GRADIENTS_IMAGE:
        break;
    }
    return g->text_layers + g->image_blocks + 2;
}

/* By the names that checkpoints have. */
static size_t bucket_of_param(const laip_gradients *g, const laip_param *p)
{
    const char *name = p->part[0].name;
    int layer;
    if (sscanf(name, "visual_encoder.blocks.%d.", &layer) == 1)
        return bucket_of(g, LAIP_GRADIENTS_IMAGE_BLOCK, layer);
    if (strncmp(name, "visual_encoder.", 15) == 0)
        return bucket_of(g, LAIP_GRADIENTS_IMAGE, 0);
    if (sscanf(name, "text_encoder.bert.encoder.layer.%d.", &layer) == 1 && layer < (int)g->text_layers)
        return bucket_of(g, LAIP_GRADIENTS_TEXT_LAYER, layer);
    if (strncmp(name, "text_encoder.bert.embeddings.", 29) == 0)
        return bucket_of(g, LAIP_GRADIENTS_TEXT, 0);
    return bucket_of(g, LAIP_GRADIENTS_CROSS, 0);
}

static void add_param(bucket *b, const laip_param *p)
{
    enum { GAP = 64 }; /* floats between two parameters, for alignment: zeros */
    size_t floats = p->gradient.rows * p->gradient.cols;
    segment *last = b->count ? &b->segments[b->count - 1] : NULL;
    for (size_t i = 0; i < b->count; i++)
        if (b->segments[i].chunk == p->chunk)
            last = &b->segments[i];
    if (last && last->chunk == p->chunk && p->offset >= last->offset + last->floats &&
        p->offset - last->offset - last->floats < GAP) {
        last->floats = p->offset + floats - last->offset;
        return;
    }
    void *array = b->segments;
    laip_grow(&array, &b->capacity, b->count + 1, sizeof *b->segments);
    b->segments = array;
    b->segments[b->count++] = (segment){.chunk = p->chunk, .offset = p->offset, .floats = floats};
}

static void mark(laip_gradients *g, bucket *b)
{
    laip_params *p = &g->step->model->params;
    for (size_t i = 0; i < p->matrix_count; i++) /* those that nothing has written are 0 */
        if (p->matrices[i]->overwrite && &g->buckets[bucket_of_param(g, p->matrices[i])] == b) {
            laip_clear(p->device, p->matrices[i]->gradient);
            p->matrices[i]->overwrite = false;
        }
    b->complete = laip_device_mark(p->device);
    for (size_t i = 0; i < b->count; i++) {
        segment *x = &b->segments[i];
        laip_mapping_begin(p->device, p->chunks[x->chunk].gradient.mem, x->offset * sizeof(float),
                           x->floats * sizeof(float), b->complete, &x->mapping);
    }
    b->marked = true;
}

static void complete(laip_gradient_listener *self, enum laip_gradient_part part, int layer)
{
    laip_gradients *g = (laip_gradients *)self;
    mark(g, &g->buckets[bucket_of(g, part, layer)]);
}

static void name_buckets(laip_gradients *g)
{
    snprintf(g->buckets[0].name, sizeof g->buckets[0].name, "cross encoder and heads");
    for (size_t i = 0; i < g->text_layers; i++)
        snprintf(g->buckets[bucket_of(g, LAIP_GRADIENTS_TEXT_LAYER, (int)i)].name, sizeof g->buckets[0].name,
                 "text layer %zu", i);
    for (size_t i = 0; i < g->image_blocks; i++)
        snprintf(g->buckets[bucket_of(g, LAIP_GRADIENTS_IMAGE_BLOCK, (int)i)].name, sizeof g->buckets[0].name,
                 "image block %zu", i);
    snprintf(g->buckets[bucket_of(g, LAIP_GRADIENTS_TEXT, 0)].name, sizeof g->buckets[0].name,
             "text embeddings");
    snprintf(g->buckets[g->count - 1].name, sizeof g->buckets[0].name, "patch embedding");
}

laip_gradients *laip_gradients_create(const laip_ranks *ranks, laip_step *step)
{
    laip_gradients *g = laip_alloc(1, sizeof *g);
    const laip_model *m = step->model;
    g->listener.complete = complete;
    g->ranks = ranks;
    g->step = step;
    g->text_layers = (size_t)m->sizes.text_layers;
    g->image_blocks = (size_t)m->sizes.vit_layers;
    g->count = g->text_layers + g->image_blocks + 3;
    g->buckets = laip_alloc(g->count, sizeof *g->buckets);
    name_buckets(g);
    for (size_t i = 0; i < m->table.count; i++) {
        const laip_param *p = m->table.params[i];
        bucket *b = &g->buckets[bucket_of_param(g, p)];
        add_param(b, p);
        b->floats += p->gradient.rows * p->gradient.cols;
    }
    return g;
}

void laip_gradients_free(laip_gradients *g)
{
    for (size_t i = 0; g && i < g->count; i++)
        free(g->buckets[i].segments);
    if (g)
        free(g->buckets);
    free(g);
}

void laip_gradients_listen(laip_gradients *g, laip_gradients_tell *tell, void *context)
{
    g->tell = tell;
    g->context = context;
}

void laip_gradients_begin(laip_gradients *g)
{
    if (g->ranks->size > 1)
        g->step->context.listener = &g->listener;
}

static bool is_ready(laip_gradients *g, const bucket *b)
{
    for (size_t i = 0; i < b->count; i++)
        if (!laip_mapping_ready(g->step->model->device, &b->segments[i].mapping))
            return false;
    return true;
}

/* Each rank gets the sums of what it moves. */
static laip_ranks_request *sum_parts(const laip_gradients *g, const segment *x)
{
    const laip_params *p = &g->step->model->params;
    size_t *first = laip_alloc((size_t)p->shard_ranks + 1, sizeof *first);
    for (int k = 0; k <= p->shard_ranks; k++) {
        size_t at = laip_params_share(p, &p->chunks[x->chunk], k);
        first[k] = at < x->offset ? 0 : at > x->offset + x->floats ? x->floats : at - x->offset;
    }
    laip_ranks_request *request = laip_ranks_sum_parts_begin(g->ranks, x->mapping.data, first);
    free(first);
    return request;
}

static void send(laip_gradients *g, bucket *b)
{
    for (size_t i = 0; i < b->count; i++) {
        segment *x = &b->segments[i];
        x->request = g->step->model->params.shard_ranks > 1
                         ? sum_parts(g, x)
                         : laip_ranks_sum_begin(g->ranks, x->mapping.data, x->floats);
    }
    b->from = laip_seconds();
    b->sent = true;
}

/* Carries on what is under way; a bucket that is summed goes back to the device. */
static void carry_on(laip_gradients *g)
{
    for (size_t k = 0; k < g->count; k++) {
        bucket *b = &g->buckets[k];
        bool done = b->sent && !b->done;
        for (size_t i = 0; done && i < b->count; i++)
            done = laip_ranks_sum_test(g->ranks, b->segments[i].request);
        if (!done)
            continue;
        b->to = laip_seconds();
        b->done = true;
        for (size_t i = 0; i < b->count; i++)
            laip_mapping_end(g->step->model->device, &b->segments[i].mapping);
    }
}

static void measure(laip_gradients *g, laip_gradient_times *t)
{
    double last = 0;
    t->through = g->through;
    for (size_t k = 0; k < g->count; k++) {
        bucket *b = &g->buckets[k];
        double from = b->from > last ? b->from : last;
        t->bytes += (double)b->floats * sizeof(float);
        t->busy += b->to > from ? b->to - from : 0;
        from = from > g->through ? from : g->through;
        t->exposed += b->to > from ? b->to - from : 0;
        last = b->to > last ? b->to : last;
        if (g->tell)
            g->tell(g->context, b->name, b->from, b->to, (double)b->floats * sizeof(float));
    }
}

static void forget(laip_gradients *g)
{
    for (size_t k = 0; k < g->count; k++) {
        bucket *b = &g->buckets[k];
        for (size_t i = 0; i < b->count; i++)
            laip_ranks_sum_free(b->segments[i].request);
        laip_event_release(b->complete);
        b->complete = NULL;
        b->marked = b->sent = b->done = false;
    }
}

bool laip_gradients_end(laip_gradients *g, laip_gradient_times *t, laip_error *error)
{
    laip_device *d = g->step->model->device;
    *t = (laip_gradient_times){0};
    g->step->context.listener = NULL;
    if (g->ranks->size == 1) {
        laip_params_zero_unwritten_gradients(&g->step->model->params);
        return laip_device_ok(d, error);
    }
    for (size_t k = 0; k < g->count; k++) /* a rank without micro-batches */
        if (!g->buckets[k].marked)
            mark(g, &g->buckets[k]);
    for (size_t k = 0; k < g->count; k++) {
        double start = laip_seconds();
        while (!is_ready(g, &g->buckets[k])) {
            carry_on(g);
            laip_job_rest(laip_seconds() - start);
        }
        t->waited += laip_seconds() - start;
        if (!laip_device_ok(d, error))
            return false;
        if (k + 1 == g->count)
            g->through = laip_seconds();
        send(g, &g->buckets[k]);
    }
    for (size_t k = 0; k < g->count; k++) {
        bucket *b = &g->buckets[k];
        for (size_t i = 0; i < b->count; i++) {
            laip_ranks_sum_wait(g->ranks, b->segments[i].request);
            carry_on(g);
        }
    }
    carry_on(g);
    measure(g, t);
    forget(g);
    laip_mappings_join(d);
    return laip_device_ok(d, error);
}
