/* Which vectors the query tiles of attention on a processor take.  As with the packed product's tiles
 * (gemm/tile.c), what is known of a device's registers is their width, so that the candidates, in the
 * device's own vectors and in ones half as wide, are measured at the first need: for the forward and the
 * backward, for phrases, captions and images each, as a line "attention-KIND VEC-TILExVECTORS". */
#include "base/log.h"
#include "device/internal.h"
#include "ops/attention_internal.h"
#include "ops/choices.h"

#include <stdio.h>
#include <string.h>

/* TILE × VECTORS sums, VECTORS operands and one broadcast fit in 32 registers of 512 bits, 16 of 256, and 32
 * of 128. */
static const laip_attention_shape shapes[] = {{"16-8x2", 16, 8, 2}, {"8-4x3", 8, 4, 3}, {"4-8x3", 4, 8, 3}};
enum { SHAPES = sizeof shapes / sizeof *shapes, HEADS = 12, HEAD = 64, ROUNDS = 20 };

/* Kinds of work, by the longest block, and what stands for them when they are measured. */
static const struct {
    const char *class;
    bool backward;
    size_t longest, sequences, length;
} kinds[] = {{"attention-fs", false, 8, 96, 4},         {"attention-fm", false, 64, 32, 27},
             {"attention-fx", false, SIZE_MAX, 4, 192}, {"attention-bs", true, 8, 96, 4},
             {"attention-bm", true, 64, 32, 27},        {"attention-bx", true, SIZE_MAX, 4, 192}};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* A device's: the shape that is being measured; NULL: none is. */
typedef struct trial_state {
    const laip_attention_shape *measured;
} trial_state;

static trial_state *state_of(laip_device *d)
{
    static const char owner = 0;
    bool made;
    return laip_device_attach(d, &owner, sizeof(trial_state), NULL, &made);
}

static bool competes(const laip_device *d, const laip_attention_shape *s)
{
    const laip_traits *t = laip_device_traits(d);
    return s->vec == t->vector || (!t->fixed_vector && 2 * s->vec == t->vector);
}

static const laip_attention_shape *find(const laip_device *d, const char *name)
{
    for (int i = 0; i < SHAPES; i++)
        if (strcmp(shapes[i].name, name) == 0 && competes(d, &shapes[i]))
            return &shapes[i];
    return NULL;
}

static const laip_attention_shape *widest(const laip_device *d)
{
    int i = 0;
    while (i + 1 < SHAPES && !competes(d, &shapes[i]))
        i++;
    return &shapes[i];
}

static int kind_of(const laip_attention *a, bool backward)
{
    int i = 0;
    while (kinds[i].backward != backward || a->longest_block > kinds[i].longest)
        i++;
    return i;
}

size_t laip_attention_query_tile(const laip_attention_shape *s)
{
    return (size_t)s->vec * (size_t)s->vectors;
}

const laip_attention_shape *laip_attention_largest(const laip_device *d)
{
    const laip_attention_shape *most = widest(d);
    for (int i = 0; i < SHAPES; i++)
        if (competes(d, &shapes[i]) &&
            laip_attention_query_tile(&shapes[i]) > laip_attention_query_tile(most))
            most = &shapes[i];
    return most;
}

/* Operands of zeros: what is computed does not matter to its speed. */
typedef struct trial {
    laip_attention a;
    laip_mat q, kv, o, lse, dout, dq, dkv, scratch;
} trial;

static trial trial_make(laip_device *d, size_t sequences, size_t length)
{
    enum { WIDTH = HEADS * HEAD, MOST = 128 };
    int32_t begin[MOST + 1], identity[MOST + 1];
    size_t rows = sequences * length;
    for (size_t i = 0; i <= sequences; i++) {
        begin[i] = (int32_t)(i * length);
        identity[i] = (int32_t)i;
    }
    trial t = {.a = {.heads = HEADS,
                     .head_size = HEAD,
                     .sequences = sequences,
                     .blocks = sequences,
                     .query_rows = rows,
                     .key_rows = rows,
                     .longest_query = length,
                     .longest_block = length,
                     .score_count = (double)rows * (double)length}};
    t.a.q_begin = t.a.k_begin = laip_ints_create(d, sequences + 1);
    t.a.kv_of = t.a.block_sequences = t.a.block_sequences_begin = laip_ints_create(d, sequences + 1);
    t.a.ids = laip_ints_create(d, 2 * sequences);
    laip_ints_write(d, t.a.q_begin, begin);
    laip_ints_write(d, t.a.kv_of, identity);
    laip_mat *const wide[] = {&t.q, &t.o, &t.dout, &t.dq}, *const pairs[] = {&t.kv, &t.dkv};
    for (int i = 0; i < 4; i++)
        *wide[i] = laip_mat_create(d, rows, WIDTH);
    for (int i = 0; i < 2; i++)
        *pairs[i] = laip_mat_create(d, rows, (size_t)2 * WIDTH);
    t.lse = laip_mat_create(d, rows, HEADS);
    t.scratch = laip_mat_create(d, 1, laip_attention_scratch(d, HEADS, HEAD, rows, sequences, length));
    const laip_mat zeros[] = {t.q, t.kv, t.dout, t.o, t.lse};
    for (size_t i = 0; i < sizeof zeros / sizeof *zeros; i++)
        laip_mat_zero(d, zeros[i]);
    return t;
}

static void trial_free(trial *t)
{
    const laip_mem mems[] = {t->a.q_begin.mem, t->a.kv_of.mem, t->a.ids.mem,  t->q.mem,
                             t->kv.mem,        t->o.mem,       t->lse.mem,    t->dout.mem,
                             t->dq.mem,        t->dkv.mem,     t->scratch.mem};
    for (size_t i = 0; i < sizeof mems / sizeof *mems; i++)
        laip_mem_release(mems[i]);
}

static void run(laip_device *d, const trial *t, bool backward)
{
    enum { VALUES = HEADS * HEAD };
    const laip_heads q = {t->q, 0}, k = {t->kv, 0}, v = {t->kv, VALUES};
    const laip_attention_gradients g = {.dq = {t->dq, 0},
                                        .dk = {t->dkv, 0},
                                        .dv = {t->dkv, VALUES},
                                        .dout = t->dout,
                                        .q = q,
                                        .k = k,
                                        .v = v,
                                        .o = t->o,
                                        .lse = t->lse,
                                        .scratch = t->scratch};
    if (backward)
        laip_attention_backward(d, &t->a, &g);
    else
        laip_attention_forward(d, &t->a, t->o, t->lse, q, k, v);
}

/* The quickest candidate of a kind, all in turns: on a busy machine some rounds are undisturbed. */
static const laip_attention_shape *measure(laip_device *d, int kind, laip_rate_report report, void *context)
{
    const bool backward = kinds[kind].backward;
    double least[SHAPES] = {0};
    const laip_attention_shape *best = widest(d);
    trial_state *s = state_of(d);
    trial t = trial_make(d, kinds[kind].sequences, kinds[kind].length);
    bool paused = d->profiler.paused;
    d->profiler.paused = true;
    for (int round = -1; round < ROUNDS && d->error.status == LAIP_OK; round++) /* the first compiles */
        for (int i = 0; i < SHAPES; i++) {
            if (!competes(d, &shapes[i]))
                continue;
            s->measured = &shapes[i];
            clFinish(d->queue);
            double start = laip_seconds();
            run(d, &t, backward);
            clFinish(d->queue);
            double taken = laip_seconds() - start;
            least[i] = round <= 0 || taken < least[i] ? taken : least[i];
        }
    s->measured = NULL;
    d->profiler.paused = paused;
    trial_free(&t);
    for (int i = 0; i < SHAPES && d->error.status == LAIP_OK; i++) {
        if (!competes(d, &shapes[i]))
            continue;
        if (least[i] < 0.97 * least[best - shapes]) /* within the noise the wider one stays */
            best = &shapes[i];
        char name[64];
        snprintf(name, sizeof name, "%s %s", kinds[kind].class, shapes[i].name);
        if (report)
            report(context, name, 1e-9 * (backward ? 5 : 2) * laip_attention_flops(&t.a) / least[i]);
    }
    if (d->error.status == LAIP_OK)
        laip_remember(d, kinds[kind].class, best->name);
    return best;
}

static bool one_competes(const laip_device *d)
{
    int count = 0;
    for (int i = 0; i < SHAPES; i++)
        count += competes(d, &shapes[i]);
    return count == 1;
}

const laip_attention_shape *laip_attention_shape_of(laip_device *d, const laip_attention *a, bool backward)
{
    const trial_state *s = state_of(d);
    if (s->measured)
        return s->measured;
    if (one_competes(d) || d->error.status != LAIP_OK)
        return widest(d);
    int kind = kind_of(a, backward);
    const char *name = laip_chosen(d, kinds[kind].class);
    const laip_attention_shape *chosen = name ? find(d, name) : NULL;
    return chosen ? chosen : measure(d, kind, NULL, NULL);
}

bool laip_attention_choice_valid(const laip_device *d, const char *class, const char *value, bool *own)
{
    *own = strncmp(class, "attention-", 10) == 0;
    for (int i = 0; *own && i < KINDS; i++)
        if (strcmp(class, kinds[i].class) == 0)
            return find(d, value) != NULL;
    return false;
}

bool laip_attention_tune(laip_device *d, laip_rate_report report, void *context, laip_error *error)
{
    for (int i = 0; i < KINDS && laip_attention_tiled(d, HEAD); i++)
        measure(d, i, report, context);
    return laip_device_finish(d, error);
}
