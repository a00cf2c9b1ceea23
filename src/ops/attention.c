#include "ops/attention.h"

#include "device/launch.h"
#include "device/profiler.h"
#include <math.h>

/* Which form serves: vectors of 16 without barriers on a CPU when the head is made of them, groups of items
 * that share tiles on a GPU that has room for them, else the plain one.  On a CPU the vectors' lanes are
 * queries (LANES), but in a backward with more parts than that form has (WIDE). */
typedef struct form {
    const char *file, *forward, *dq, *dkv;
    enum { PLAIN, WIDE, LANES, GROUP } kind;
} form;

enum { BAND = 48, GROUP_ROWS = 64, GROUP_SPAN = 32, LANE = 32 };

/* Bytes of local memory of a group of the group form: both sides' chunks of 32 columns, or the other side's
 * rows; weights; and a row's parts. */
static size_t group_bytes(size_t rows, size_t head)
{
    size_t chunks = (rows + GROUP_SPAN) * 32, other = GROUP_SPAN * ((head + 31) / 32 * 32);
    return sizeof(float) * ((chunks > other ? chunks : other) + GROUP_SPAN * rows + 8 * rows);
}

/* Rows of a group of the group form, with two items each: no more than a short side can use, and so few that
 * two groups find room at once, for one to compute while the other loads.  0: there is no room. */
static size_t group_rows(const laip_traits *t, int head, size_t longest)
{
    size_t rows = longest <= GROUP_ROWS / 2 ? GROUP_ROWS / 2 : GROUP_ROWS;
    for (; rows >= GROUP_ROWS / 2; rows /= 2)
        if (2 * group_bytes(rows, (size_t)head) <= t->local_memory && 2 * rows <= t->group_limit)
            return rows;
    return 0;
}

bool laip_attention_has_tiles(const laip_traits *t, int head)
{
    return head % 4 == 0 && head <= 128 && group_rows(t, head, 1);
}

/* lanes: that form has parts enough. */
static form form_for(const laip_device *d, const laip_attention *a, bool lanes)
{
    bool groups = laip_device_traits(d)->lanes > 1;
    if (!groups && a->head_size % 16 == 0)
        return lanes ? (form){"attention_lanes.cl", "attention_lanes_forward", NULL, NULL, LANES}
                     : (form){"attention_wide.cl", NULL, "attention_wide_dq", "attention_wide_dkv", WIDE};
    if (groups && laip_attention_has_tiles(laip_device_traits(d), a->head_size))
        return (form){"attention_group.cl", "attention_group_forward", "attention_group_dq",
                      "attention_group_dkv", GROUP};
    return (form){"attention.cl", "attention_forward", "attention_dq", "attention_dkv", PLAIN};
}

static bool aligned(laip_heads h)
{
    return h.m.cols % 4 == 0 && h.col % 4 == 0;
}

/* What a kernel whose groups own rows of a side of this length is compiled with. */
static const char *options_for(laip_device *d, const form *f, const laip_attention *a, size_t longest,
                               bool all_aligned, const char *storage)
{
    if (f->kind == WIDE)
        return LAIP_OPTIONS(d, "-DHEAD=# -DBAND=#", storage, a->head_size, BAND);
    if (f->kind == GROUP)
        return LAIP_OPTIONS(d, "-DHEAD=# -DROWS=# -DALIGNED=# -DMANY_REGISTERS", storage, a->head_size,
                            (int)group_rows(laip_device_traits(d), a->head_size, longest), all_aligned);
    return LAIP_OPTIONS(d, "-DHEAD=#", storage, a->head_size);
}

/* Groups: a sequence (or block), a head, and a share of its rows. */
static laip_grid grid(const laip_device *d, const form *f, const laip_attention *a, size_t sequences,
                      size_t longest)
{
    size_t lanes = (size_t)laip_device_traits(d)->lanes, each = lanes > 1 ? lanes : 64;
    if (f->kind == WIDE)
        each = BAND;
    if (f->kind == GROUP) {
        each = group_rows(laip_device_traits(d), a->head_size, longest);
        lanes = 2 * each;
    }
    return (laip_grid){.groups = {sequences, (size_t)a->heads, (longest + each - 1) / each},
                       .items = {lanes}};
}

/* The columns of all heads are read or written. */
static laip_arg columns(const laip_attention *a, laip_heads x, size_t rows)
{
    x.m.rows = rows;
    x.m.cols = (size_t)(a->heads * a->head_size);
    return LAIP_MAT(x.m);
}

static laip_arg per_row(const laip_attention *a, laip_mat m) /* a number a query row and head */
{
    return laip_arg_floats(m.mem, a->query_rows * (size_t)a->heads);
}

static double scores(const laip_attention *a) /* multiply-adds of Q Kᵀ, twice */
{
    return 2 * a->score_count * a->heads * a->head_size;
}

static uint32_t threshold(const laip_attention *a)
{
    return (uint32_t)((double)a->dropout * 4294967296.0);
}

/* How the lanes' forward shares out its work, for each head: as many bands of 32 queries a piece, each of
 * which wants its keys and values copied, as leave every unit several pieces to take. */
typedef struct shares {
    size_t group, pieces;
    bool together; /* a piece's bands are of as many sequences */
} shares;

static shares shares_of(const laip_device *d, const laip_attention *a)
{
    size_t bands = (a->longest_query + LANE - 1) / LANE, wanted = 8 * (size_t)laip_device_traits(d)->units;
    shares s = {bands == 1 ? a->sequences : bands, 0, bands == 1};
    for (;; s.group = (s.group + 1) / 2) {
        s.pieces = s.together ? (a->sequences + s.group - 1) / s.group
                              : a->sequences * ((bands + s.group - 1) / s.group);
        if (s.group == 1 || s.pieces * (size_t)a->heads >= wanted)
            return s;
    }
}

/* Floats that a group of the lanes' forward needs: a block's keys and values, and a number a key. */
static size_t lanes_room(const laip_attention *a)
{
    return a->longest_block * (2 * (size_t)a->head_size + 1) + 16;
}

void laip_attention_forward(laip_device *d, const laip_attention *a, laip_mat o, laip_mat lse, laip_heads q,
                            laip_heads k, laip_heads v)
{
    form f = form_for(d, a, true);
    const char *built = options_for(d, &f, a, a->longest_query, aligned(q) && aligned(k) && aligned(v),
                                    LAIP_STORAGE(d, "attention_forward", o, q.m, k.m, v.m));
    if (!a->sequences)
        return;
    if (k.m.cols != v.m.cols) {
        laip_device_fail(d, "attention: keys have rows of %zu floats, values of %zu", k.m.cols, v.m.cols);
        return;
    }
    laip_profiler_flops(d, 2 * scores(a));
#define ARGUMENTS                                                                                            \
    columns(a, q, a->query_rows), columns(a, k, a->key_rows), columns(a, v, a->key_rows),                    \
        columns(a, (laip_heads){o, 0}, a->query_rows), per_row(a, lse), LAIP_MAT(a->q_begin),                \
        LAIP_MAT(a->kv_of), LAIP_MAT(a->k_begin), LAIP_MAT(a->ids), laip_arg_stream(a->stream),              \
        LAIP_I(a->heads), LAIP_I(q.m.cols), LAIP_I(q.col), LAIP_I(k.m.cols), LAIP_I(k.col), LAIP_I(v.col),   \
        LAIP_F(1 / sqrtf((float)a->head_size)), LAIP_U(threshold(a)), LAIP_F(1 / (1 - a->dropout))
    if (f.kind != LANES) {
        LAIP_LAUNCH(d, f.file, f.forward, built, grid(d, &f, a, a->sequences, a->longest_query), ARGUMENTS);
        return;
    }
    shares s = shares_of(d, a);
    laip_grid lanes = laip_grid_tiles(d, s.pieces * (size_t)a->heads);
    LAIP_LAUNCH(d, f.file, f.forward, built, lanes, ARGUMENTS,
                laip_launch_workspace(d, lanes.groups[0] * lanes_room(a)), LAIP_I(a->longest_block),
                LAIP_I(a->sequences), LAIP_I(s.group), LAIP_I(s.pieces), LAIP_I(s.together),
                laip_tile_counter(d));
#undef ARGUMENTS
}

static size_t one_pass_groups(const laip_device *d, size_t pieces)
{
    return laip_grid_tiles(d, pieces).groups[0];
}

size_t laip_attention_scratch(const laip_device *d, int heads, int head_size, size_t query_rows,
                              size_t blocks, size_t longest_block)
{
    size_t delta = query_rows * (size_t)heads, groups = one_pass_groups(d, blocks * (size_t)heads);
    if (laip_device_traits(d)->lanes > 1 || head_size % 16)
        return delta;
    /* in one pass, a group: keys, values and their gradients; a query's probabilities; 32 queries', and their
     * gradients */
    size_t passing = groups * (longest_block * 4 * (size_t)head_size + (longest_block + 16) * (2 * LANE + 1));
    return delta > passing ? delta : passing;
}

/* What the backward reads and writes, for its kernels. */
typedef struct backward {
    laip_heads dq, dk, dv, q, k, v;
    laip_mat dout, o, lse, delta;
    bool aligned;
    const char *storage;
} backward;

static void launch_delta(laip_device *d, const laip_attention *a, const backward *b)
{
    const char *plain = LAIP_OPTIONS(d, "-DHEAD=#", b->storage, a->head_size);
    LAIP_LAUNCH(d, "attention.cl", "attention_delta", plain, laip_grid_rows(d, a->query_rows),
                columns(a, (laip_heads){b->dout, 0}, a->query_rows),
                columns(a, (laip_heads){b->o, 0}, a->query_rows), per_row(a, b->delta), LAIP_I(a->heads));
}

static void launch_dq(laip_device *d, const laip_attention *a, const form *f, const backward *b)
{
    laip_grid groups = grid(d, f, a, a->sequences, a->longest_query);
    const char *built = options_for(d, f, a, a->longest_query, b->aligned, b->storage);
    laip_arg arguments[32];
    size_t n = 0;
    const laip_arg first[] = {columns(a, b->q, a->query_rows), columns(a, b->k, a->key_rows),
                              columns(a, b->v, a->key_rows),
                              columns(a, (laip_heads){b->dout, 0}, a->query_rows)};
    const laip_arg rest[] = {per_row(a, b->lse),
                             per_row(a, b->delta),
                             columns(a, b->dq, a->query_rows),
                             LAIP_MAT(a->q_begin),
                             LAIP_MAT(a->kv_of),
                             LAIP_MAT(a->k_begin),
                             LAIP_MAT(a->ids),
                             laip_arg_stream(a->stream),
                             LAIP_I(a->heads),
                             LAIP_I(b->q.m.cols),
                             LAIP_I(b->q.col),
                             LAIP_I(b->k.m.cols),
                             LAIP_I(b->k.col),
                             LAIP_I(b->v.col),
                             LAIP_I(b->dq.m.cols),
                             LAIP_I(b->dq.col),
                             LAIP_F(1 / sqrtf((float)a->head_size)),
                             LAIP_U(threshold(a)),
                             LAIP_F(1 / (1 - a->dropout))};
    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        arguments[n++] = first[i];
    if (f->kind == GROUP) /* it makes delta itself */
        arguments[n++] = columns(a, (laip_heads){b->o, 0}, a->query_rows);
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
        arguments[n++] = rest[i];
    laip_profiler_flops(d, 3 * scores(a)); /* scores and their gradients, and of these dq */
    laip_launch(d, f->file, f->dq, built, groups, arguments, n);
}

static void launch_dkv(laip_device *d, const laip_attention *a, const form *f, const backward *b)
{
    const char *built = options_for(d, f, a, a->longest_block, b->aligned, b->storage);
    laip_profiler_flops(d, 2 * scores(a));
    LAIP_LAUNCH(d, f->file, f->dkv, built, grid(d, f, a, a->blocks, a->longest_block),
                columns(a, b->q, a->query_rows), columns(a, b->k, a->key_rows), columns(a, b->v, a->key_rows),
                columns(a, (laip_heads){b->dout, 0}, a->query_rows), per_row(a, b->lse), per_row(a, b->delta),
                columns(a, b->dk, a->key_rows), columns(a, b->dv, a->key_rows), LAIP_MAT(a->q_begin),
                LAIP_MAT(a->k_begin), LAIP_MAT(a->block_sequences_begin), LAIP_MAT(a->block_sequences),
                LAIP_MAT(a->ids), laip_arg_stream(a->stream), LAIP_I(a->heads), LAIP_I(b->q.m.cols),
                LAIP_I(b->q.col), LAIP_I(b->k.m.cols), LAIP_I(b->k.col), LAIP_I(b->v.col),
                LAIP_I(b->dk.m.cols), LAIP_I(b->dk.col), LAIP_I(b->dv.col),
                LAIP_F(1 / sqrtf((float)a->head_size)), LAIP_U(threshold(a)), LAIP_F(1 / (1 - a->dropout)));
}

static void launch_one_pass(laip_device *d, const laip_attention *a, const backward *b, bool keys_too)
{
    const char *plain = LAIP_OPTIONS(d, "-DHEAD=#", b->storage, a->head_size);
    size_t pieces = a->blocks * (size_t)a->heads;
    laip_profiler_flops(d, (keys_too ? 5 : 3) * scores(a));
    LAIP_LAUNCH(
        d, "attention_lanes.cl", "attention_lanes_backward", plain, laip_grid_tiles(d, pieces),
        columns(a, b->q, a->query_rows), columns(a, b->k, a->key_rows), columns(a, b->v, a->key_rows),
        columns(a, (laip_heads){b->dout, 0}, a->query_rows), per_row(a, b->lse),
        laip_arg_both(laip_arg_floats(b->delta.mem, a->key_rows * (size_t)a->heads * 2 * LANE)),
        columns(a, b->dq, a->query_rows), keys_too ? columns(a, b->dk, a->key_rows) : LAIP_UNUSED(b->q.m),
        keys_too ? columns(a, b->dv, a->key_rows) : LAIP_UNUSED(b->q.m), LAIP_MAT(a->q_begin),
        LAIP_MAT(a->k_begin), LAIP_MAT(a->block_sequences_begin), LAIP_MAT(a->block_sequences),
        LAIP_MAT(a->ids), laip_arg_stream(a->stream), LAIP_I(a->heads), LAIP_I(b->q.m.cols), LAIP_I(b->q.col),
        LAIP_I(b->k.m.cols), LAIP_I(b->k.col), LAIP_I(b->v.col), LAIP_I(b->dq.m.cols), LAIP_I(b->dq.col),
        LAIP_I(b->dk.m.cols), LAIP_I(b->dk.col), LAIP_I(b->dv.col), LAIP_I(a->longest_block),
        LAIP_F(1 / sqrtf((float)a->head_size)), LAIP_U(threshold(a)), LAIP_F(1 / (1 - a->dropout)),
        LAIP_I(a->blocks), LAIP_I(a->sequences), LAIP_I(keys_too), laip_tile_counter(d));
}

void laip_attention_backward(laip_device *d, const laip_attention *a, laip_heads dq, laip_heads dk,
                             laip_heads dv, laip_mat dout, laip_mat o, laip_mat lse, laip_heads q,
                             laip_heads k, laip_heads v, laip_mat scratch)
{
    /* the backward in one pass has no more parts than blocks and heads, but two products less of seven */
    size_t parts = a->blocks * (size_t)a->heads;
    form f = form_for(d, a, parts >= 2 * (size_t)laip_device_traits(d)->units);
    const char *storage = LAIP_STORAGE(d, "attention_backward", dq.m, dk.m, dv.m, dout, o, q.m, k.m, v.m);
    backward b = {dq, dk, dv, q, k, v, dout, o, lse, scratch, false, storage};
    bool keys_too = dk.m.mem != NULL;
    if (!a->sequences)
        return;
    b.aligned =
        aligned(q) && aligned(k) && aligned(v) && aligned(dq) && (!keys_too || (aligned(dk) && aligned(dv)));
    if (f.kind == LANES) {
        launch_one_pass(d, a, &b, keys_too);
        return;
    }
    if (f.kind != GROUP)
        launch_delta(d, a, &b);
    launch_dq(d, a, &f, &b);
    if (keys_too)
        launch_dkv(d, a, &f, &b);
}
