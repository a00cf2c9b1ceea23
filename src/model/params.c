#include "model/params.h"

#include "base/half.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "ops/elementwise.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

size_t laip_part_count(const laip_part *part)
{
    size_t n = 1;
    for (int i = 0; i < part->rank; i++)
        n *= part->shape[i];
    return n;
}

bool laip_part_fits(const laip_part *part, int rank, const size_t *shape)
{
    bool same = rank == part->rank;
    size_t count = 1;
    for (int i = 0; i < rank; i++) {
        same = same && shape[i] == part->shape[i];
        count *= shape[i];
    }
    return same || (rank != part->rank && count == 1 && laip_part_count(part) == 1);
}

static size_t aligned_floats(const laip_device *d, const laip_param *p)
{
    size_t unit = laip_device_traits(d)->alignment / laip_store_bytes(p->value.store);
    size_t n = p->value.rows * p->value.cols;
    return (n + unit - 1) / unit * unit;
}

/* Places every parameter: chunk and offset.  Returns the chunks through *chunks, sizes only. */
static size_t lay_out(const laip_device *d, const laip_table *t, laip_chunk **chunks)
{
    size_t limit = laip_device_traits(d)->largest / sizeof(float), count = 0, capacity = 0;
    *chunks = NULL;
    for (int group = 0; group < 32; group++) {
        bool open = false;
        for (size_t i = 0; i < t->count; i++) {
            laip_param *p = t->params[i];
            bool matrix = p->init == LAIP_INIT_MATRIX;
            if (p->decay != ((group & 1) == 0) || p->averaged != ((group & 2) == 0) ||
                matrix != ((group & 4) == 0) || (p->value.store != LAIP_STORE_FLOAT) != ((group & 8) == 0) ||
                (p->init == LAIP_INIT_SCALAR) != (group >= 16))
                continue;
            size_t n = aligned_floats(d, p);
            if (!open || (*chunks)[count - 1].floats + n > limit) {
                void *array = *chunks;
                laip_grow(&array, &capacity, count + 1, sizeof **chunks);
                *chunks = array;
                (*chunks)[count++] = (laip_chunk){.decay = p->decay,
                                                  .averaged = p->averaged,
                                                  .store = p->value.store,
                                                  .matrices = matrix,
                                                  .scalar = p->init == LAIP_INIT_SCALAR};
                open = true;
            }
            laip_chunk *c = &(*chunks)[count - 1];
            p->chunk = count - 1;
            p->offset = c->floats;
            c->floats += n;
        }
    }
    return count;
}

static size_t share(const laip_device *d, size_t floats, int rank, int ranks)
{
    size_t unit = laip_device_traits(d)->alignment / sizeof(uint16_t); /* elements; of halves and of floats */
    return rank == ranks ? floats : floats / unit * (size_t)rank / (size_t)ranks * unit;
}

size_t laip_params_share(const laip_params *p, const laip_chunk *c, int rank)
{
    return share(p->device, c->floats, rank, p->shard_ranks);
}

size_t laip_params_bytes(const laip_device *d, const laip_table *online, const laip_table *average,
                         bool training, const laip_model_config *sizes)
{
    laip_chunk *chunks;
    size_t count = lay_out(d, online, &chunks), total = 0;
    for (size_t i = 0; i < count; i++) {
        size_t one = training ? sizeof(float) : laip_store_bytes(chunks[i].store); /* masters are whole */
        size_t copies = (training ? 2u : 1u) + (average && chunks[i].averaged ? 1u : 0u);
        int ranks = sizes->shard_ranks > 1 ? sizes->shard_ranks : 1, own = ranks > 1 ? sizes->shard : 0;
        size_t moments = share(d, chunks[i].floats, own + 1, ranks) - share(d, chunks[i].floats, own, ranks);
        total += copies * chunks[i].floats * one + (training ? 2 * moments * sizeof(float) : 0);
    }
    free(chunks);
    return total;
}

static laip_mat take_chunk(laip_params *p, size_t floats, laip_store store)
{
    laip_mat m = laip_mat_create_stored(p->device, 1, floats, store);
    laip_mat_zero(p->device, m);
    return m;
}

static laip_mem view(laip_params *p, laip_mat chunk, const laip_param *param)
{
    if (!chunk.mem)
        return NULL;
    size_t one = laip_store_bytes(chunk.store);
    laip_mem part = laip_mem_part(p->device, chunk.mem, param->offset * one,
                                  param->value.rows * param->value.cols * one, param->part[0].name);
    void *array = p->views;
    laip_grow(&array, &p->view_capacity, p->view_count + 1, sizeof *p->views);
    p->views = array;
    p->views[p->view_count++] = part;
    return part;
}

static bool bind_average(laip_params *p, const laip_table *online, laip_table *average, laip_error *error)
{
    size_t next = 0;
    for (size_t i = 0; i < online->count; i++) {
        laip_param *source = online->params[i];
        if (!source->averaged)
            continue;
        laip_param *copy = next < average->count ? average->params[next++] : NULL;
        if (!copy || copy->value.rows != source->value.rows || copy->value.cols != source->value.cols ||
            copy->value.store != source->value.store)
            return laip_failure(error, "momentum copy of %s: declared with another shape",
                                source->part[0].name);
        copy->copy = true;
        copy->chunk = source->chunk;
        copy->offset = source->offset;
        copy->value.mem = view(p, p->chunks[copy->chunk].average, copy);
    }
    return next == average->count ||
           laip_failure(error, "%zu momentum copies follow no parameter", average->count - next);
}

/* Elements first … last − 1 of a chunk's m, a view where they are not all. */
static laip_mat part_of_chunk(laip_params *p, const laip_chunk *c, laip_mat m)
{
    size_t one = laip_store_bytes(m.store), count = c->last - c->first;
    if (!m.mem || count == c->floats)
        return m;
    m.mem =
        count ? laip_mem_part(p->device, m.mem, c->first * one, count * one, "share of the optimiser") : NULL;
    m.cols = count;
    void *array = p->views;
    laip_grow(&array, &p->view_capacity, p->view_count + 1, sizeof *p->views);
    p->views = array;
    p->views[p->view_count++] = m.mem;
    return m;
}

/* What the optimiser moves here. */
static void take_moments(laip_params *p, laip_chunk *c)
{
    c->first = laip_params_share(p, c, p->shard);
    c->last = laip_params_share(p, c, p->shard + 1);
    c->own_value = part_of_chunk(p, c, c->value);
    c->own_low = part_of_chunk(p, c, c->low);
    c->own_gradient = part_of_chunk(p, c, c->gradient);
    if (c->last == c->first)
        return;
    c->exp_avg = take_chunk(p, c->last - c->first, LAIP_STORE_FLOAT);
    c->exp_avg_sq = take_chunk(p, c->last - c->first, LAIP_STORE_FLOAT);
}

bool laip_params_create(laip_params *p, laip_device *d, laip_table *online, laip_table *average,
                        bool training, const laip_model_config *sizes, laip_error *error)
{
    bool shared = training && sizes->shard_ranks > 1;
    *p = (laip_params){.device = d,
                       .training = training,
                       .shard = shared ? sizes->shard : 0,
                       .shard_ranks = shared ? sizes->shard_ranks : 1};
    p->count = lay_out(d, online, &p->chunks);
    for (size_t i = 0; i < p->count; i++) {
        laip_chunk *c = &p->chunks[i];
        p->floats += c->floats;
        c->value = take_chunk(p, c->floats, c->store);
        if (training)
            c->gradient = take_chunk(p, c->floats, LAIP_STORE_FLOAT);
        if (training && c->store != LAIP_STORE_FLOAT)
            c->low = take_chunk(p, c->floats, c->store);
        if (training)
            take_moments(p, c);
        if (average && c->averaged)
            c->average = take_chunk(p, c->floats, c->store);
        if (average && c->averaged && c->store != LAIP_STORE_FLOAT)
            c->average_low = take_chunk(p, c->floats, c->store);
    }
    p->matrices = laip_alloc(online->count, sizeof *p->matrices);
    for (size_t i = 0; i < online->count; i++) {
        laip_param *q = online->params[i];
        q->value.mem = view(p, p->chunks[q->chunk].value, q);
        q->gradient.mem = view(p, p->chunks[q->chunk].gradient, q);
        if (training && p->chunks[q->chunk].matrices)
            p->matrices[p->matrix_count++] = q;
    }
    return laip_device_ok(d, error) && (!average || bind_average(p, online, average, error)) &&
           laip_device_finish(d, error);
}

void laip_params_free(laip_params *p)
{
    for (size_t i = 0; i < p->view_count; i++)
        laip_mem_release(p->views[i]);
    for (size_t i = 0; i < p->count; i++) {
        laip_chunk *c = &p->chunks[i];
        laip_mem all[] = {c->value.mem,   c->gradient.mem, c->exp_avg.mem,    c->exp_avg_sq.mem,
                          c->average.mem, c->low.mem,      c->average_low.mem};
        for (size_t k = 0; k < sizeof all / sizeof *all; k++)
            laip_mem_release(all[k]);
    }
    free(p->views);
    free(p->matrices);
    free(p->chunks);
    *p = (laip_params){0};
}

/* Column c of position r: sines and cosines of wavelengths from 2 π positions on, as of Vaswani et al.
 * (2017), so that how far two positions lie apart is a linear matter from the start. */
static float wave(size_t r, size_t c, size_t cols)
{
    size_t even = c - c % 2;
    double angle = (double)r / pow(1000, (double)even / (double)cols);
    return (float)(c % 2 ? cos(angle) : sin(angle));
}

/* Value k of a parameter. */
static float initial(const laip_param *q, size_t k, laip_rng *rng, float deviation, float temperature)
{
    size_t cols = q->value.cols;
    switch (q->init) {
    case LAIP_INIT_ZERO:
        return 0;
    case LAIP_INIT_ONE:
        return 1;
    case LAIP_INIT_SCALAR:
        return temperature;
    case LAIP_INIT_MATRIX:
        return (float)laip_rng_normal(rng) * (deviation > 0 ? deviation : 1 / sqrtf((float)q->value.cols));
    case LAIP_INIT_POSITIONS:
    case LAIP_INIT_PATCHES:
        if (deviation <= 0)
            return wave(k / cols, k % cols, cols) * (q->init == LAIP_INIT_PATCHES ? 0.5f : 0.15f);
        return (float)laip_rng_normal(rng) * deviation;
    case LAIP_INIT_TABLE:
        return (float)laip_rng_normal(rng) * (deviation > 0 ? deviation : 0.1f);
    }
    return 0;
}

/* Where values lie: a flat matrix, what lies beside it of masters, and from which element on. */
typedef struct place {
    laip_mat m, low;
    size_t offset;
} place;

static place whole(const laip_params *p, const laip_param *q)
{
    const laip_chunk *c = &p->chunks[q->chunk];
    return q->copy ? (place){c->average, c->average_low, q->offset} : (place){c->value, c->low, q->offset};
}

static place place_of(const laip_params *p, const laip_param *q, const laip_part *part, int which)
{
    const laip_chunk *c = &p->chunks[q->chunk];
    place at = whole(p, q);
    if (which && !q->copy)
        at = (place){which == 1 ? c->gradient : which == 2 ? c->exp_avg : c->exp_avg_sq, {0}, q->offset};
    at.offset += q->parts > 1 ? part->row * (part->rank > 1 ? q->value.cols : 1) : 0;
    return at;
}

static void write_values(laip_params *p, place at, size_t count, const float *values)
{
    if (!at.low.mem) {
        laip_mat_write_at(p->device, at.m, at.offset, count, values);
        return;
    }
    uint16_t *high = laip_alloc(count, sizeof *high), *low = laip_alloc(count, sizeof *low);
    for (size_t i = 0; i < count; i++) {
        laip_split_float x =
            at.m.store == LAIP_STORE_HALF ? laip_float_split(values[i]) : laip_bfloat16_split(values[i]);
        high[i] = x.high;
        low[i] = x.low;
    }
    laip_mem_write(p->device, at.m.mem, at.offset * sizeof *high, high, count * sizeof *high);
    laip_mem_write(p->device, at.low.mem, at.offset * sizeof *low, low, count * sizeof *low);
    free(high);
    free(low);
}

/* Parameters first … last − 1, whose values are drawn side by side: each has a stream of its own. */
typedef struct draw {
    laip_table *online;
    size_t first;
    float **values;
    uint64_t seed;
    float deviation, temperature;
} draw;

static void draw_one(void *context, size_t i)
{
    draw *w = context;
    laip_param *q = w->online->params[w->first + i];
    size_t n = q->value.rows * q->value.cols;
    laip_rng rng = laip_rng_stream(w->seed, 0, w->first + i, LAIP_SITE_INIT);
    w->values[i] = laip_alloc(n, sizeof(float));
    for (size_t k = 0; k < n; k++)
        w->values[i][k] = initial(q, k, &rng, w->deviation, w->temperature);
}

void laip_params_initialise(laip_params *p, laip_table *online, uint64_t seed, float deviation,
                            float temperature)
{
    enum { GROUP = 16 }; /* at once, so that the host never holds all of a large network */
    float *values[GROUP];
    for (size_t first = 0; first < online->count; first += GROUP) {
        size_t count = online->count - first < GROUP ? online->count - first : GROUP;
        draw w = {online, first, values, seed, deviation, temperature};
        laip_parallel_for(count, 0, draw_one, &w);
        for (size_t i = 0; i < count; i++) {
            laip_param *q = online->params[first + i];
            write_values(p, whole(p, q), q->value.rows * q->value.cols, values[i]);
            free(values[i]);
        }
    }
}

void laip_params_copy_average(laip_params *p)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->chunks[i].average.mem) {
            laip_mat_copy(p->device, p->chunks[i].average, p->chunks[i].value);
            if (p->chunks[i].average_low.mem)
                laip_mat_copy(p->device, p->chunks[i].average_low, p->chunks[i].low);
        }
}

void laip_params_zero_gradients(laip_params *p)
{
    for (size_t i = 0; i < p->count; i++)
        if (!p->chunks[i].matrices)
            laip_clear(p->device, p->chunks[i].gradient);
    for (size_t i = 0; i < p->matrix_count; i++)
        p->matrices[i]->overwrite = true;
}

void laip_params_zero_unwritten_gradients(laip_params *p)
{
    for (size_t i = 0; i < p->matrix_count; i++)
        if (p->matrices[i]->overwrite) {
            laip_clear(p->device, p->matrices[i]->gradient);
            p->matrices[i]->overwrite = false;
        }
}

void laip_params_zero_moments(laip_params *p)
{
    for (size_t i = 0; i < p->count; i++) {
        if (p->chunks[i].exp_avg.mem) {
            laip_clear(p->device, p->chunks[i].exp_avg);
            laip_clear(p->device, p->chunks[i].exp_avg_sq);
        }
    }
}

/* What is kept here of elements offset … offset + count − 1 of a chunk's moments: from element *from of these
 * on, and where it lies; how many. */
static size_t kept(const laip_chunk *c, size_t offset, size_t count, size_t *from, size_t *at)
{
    size_t first = offset > c->first ? offset : c->first,
           last = offset + count < c->last ? offset + count : c->last;
    *from = first - offset;
    *at = first - c->first;
    return first < last ? last - first : 0;
}

static void read_moments(laip_params *p, const laip_param *q, place at, size_t count, float *values)
{
    size_t from, first, own = kept(&p->chunks[q->chunk], at.offset, count, &from, &first);
    memset(values, 0, count * sizeof *values);
    if (own)
        laip_mat_read_at(p->device, at.m, first, own, values + from);
    if (p->together)
        p->together->merge(p->together, values, count);
}

void laip_params_read(laip_params *p, const laip_param *q, const laip_part *part, int which, float *values)
{
    place at = place_of(p, q, part, which);
    size_t count = laip_part_count(part);
    if (which > 1) {
        read_moments(p, q, at, count, values);
        return;
    }
    if (which == 1)
        laip_params_zero_unwritten_gradients(p);
    if (!at.low.mem) {
        laip_mat_read_at(p->device, at.m, at.offset, count, values);
        return;
    }
    uint16_t *high = laip_alloc(count, sizeof *high), *low = laip_alloc(count, sizeof *low);
    laip_mem_read(p->device, at.m.mem, at.offset * sizeof *high, high, count * sizeof *high);
    laip_mem_read(p->device, at.low.mem, at.offset * sizeof *low, low, count * sizeof *low);
    for (size_t i = 0; i < count; i++) {
        laip_split_float x = {high[i], low[i]};
        values[i] = at.m.store == LAIP_STORE_HALF ? laip_float_join(x) : laip_bfloat16_join(x);
    }
    free(high);
    free(low);
}

void laip_params_write(laip_params *p, const laip_param *q, const laip_part *part, int which,
                       const float *values)
{
    place at = place_of(p, q, part, which);
    size_t count = laip_part_count(part), from = 0, own = count;
    if (which == 1)
        laip_params_zero_unwritten_gradients(p);
    if (which > 1)
        own = kept(&p->chunks[q->chunk], at.offset, count, &from, &at.offset);
    if (own)
        write_values(p, at, own, values + from);
}
