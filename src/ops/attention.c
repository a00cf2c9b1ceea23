#include "cl/kernels.h"
#include "cl/shared.h"
#include "device/profiler.h"
#include "ops/attention_internal.h"
#include "ops/matrix_unit.h"
#include <math.h>
#include <string.h>

/* Which form serves: query tiles in vectors without barriers on a CPU (attention_tile.c) when the head is
 * made of them, the matrix unit's on a device that has one for its precision, groups of items that share
 * tiles on a GPU that has room for them, else the plain one. */
typedef struct form {
    const laip_kernel_description *forward, *dq, *dkv;
    enum { PLAIN, GROUP, UNIT } kind;
} form;

enum { GROUP_ROWS = 64 }; /* of a group of the group form, at most */

/* Bytes of local memory of a group of the group form: both sides' chunks of 32 columns, or the other side's
 * rows; weights; and a row's parts. */
static size_t group_bytes(size_t rows, size_t head)
{
    size_t chunks = (rows + LAIP_ATTENTION_SPAN) * LAIP_ATTENTION_FORWARD_CHUNK,
           columns = head < LAIP_ATTENTION_COLUMNS ? head : LAIP_ATTENTION_COLUMNS,
           other = LAIP_ATTENTION_SPAN * ((columns + 31) / 32 * 32);
    return sizeof(float) * ((chunks > other ? chunks : other) + LAIP_ATTENTION_SPAN * rows + 8 * rows);
}

/* Rows of a group of the group form, with two items each: no more than a short side can use, and so few that
 * two groups find room at once, for one to compute while the other loads.  0: there is no room. */
static bool group_fits(const laip_traits *t, int head, size_t rows)
{
    return 2 * group_bytes(rows, (size_t)head) <= t->local_memory && 2 * rows <= t->group_limit;
}

static size_t group_rows(const laip_traits *t, int head, size_t longest)
{
    return longest > GROUP_ROWS / 2 && group_fits(t, head, GROUP_ROWS) ? GROUP_ROWS : GROUP_ROWS / 2;
}

bool laip_attention_has_tiles(const laip_traits *t, int head)
{
    return head % 4 == 0 && group_fits(t, head, GROUP_ROWS / 2);
}

static form form_for(laip_device *d, const laip_attention *a)
{
    if (laip_device_traits(d)->lanes > 1 && a->head_size % 4 == 0 &&
        a->head_size <= LAIP_ATTENTION_UNIT_HEAD && laip_device_traits(d)->group_limit >= LAIP_GROUP_ITEMS &&
        !laip_unit_of(d, laip_precision_of(d))->plain)
        return (form){&laip_cl_attention_unit_forward, &laip_cl_attention_unit_dq,
                      &laip_cl_attention_unit_dkv, UNIT};
    if (laip_device_traits(d)->lanes > 1 && laip_attention_has_tiles(laip_device_traits(d), a->head_size))
        return (form){&laip_cl_attention_group_forward, &laip_cl_attention_group_dq,
                      &laip_cl_attention_group_dkv, GROUP};
    return (form){&laip_cl_attention_forward, &laip_cl_attention_dq, &laip_cl_attention_dkv, PLAIN};
}

static bool aligned(laip_heads h)
{
    return h.m.cols % 4 == 0 && h.col % 4 == 0;
}

/* Heads begin at vectors of eight where they are of 16 bits. */
static bool aligned_eight(const laip_attention *a, laip_heads h)
{
    return !h.m.store || (h.m.cols % 8 == 0 && h.col % 8 == 0 && a->head_size % 8 == 0);
}

/* What a kernel whose groups own rows of a side of this length is compiled with. */
static laip_options options_for(laip_device *d, const form *f, const laip_attention *a, size_t longest,
                                bool all_aligned, const char *storage)
{
    if (f->kind == GROUP)
        return LAIP_OPTIONS("-DHEAD=# -DROWS=# -DALIGNED=# -DMANY_REGISTERS", storage, a->head_size,
                            (int)group_rows(laip_device_traits(d), a->head_size, longest), all_aligned);
    if (f->kind == UNIT)
        return LAIP_OPTIONS("-DHEAD=# -DALIGNED=# -DSTORE=#", laip_unit_of(d, laip_precision_of(d))->options,
                            a->head_size, all_aligned,
                            strstr(storage, "BFLOAT16") ? LAIP_STORED_BFLOAT16
                            : *storage                  ? LAIP_STORED_HALF
                                                        : LAIP_STORED_FLOAT);
    return LAIP_OPTIONS("-DHEAD=# -DMANY_REGISTERS", storage, a->head_size);
}

/* Groups: a sequence (or block), a head, and a share of its rows (and columns). */
static laip_grid grid(laip_device *d, const form *f, const laip_attention *a, size_t sequences,
                      size_t longest, size_t unit_rows)
{
    size_t lanes = (size_t)laip_device_traits(d)->lanes, each = lanes > 1 ? lanes : 64, parts = 1;
    if (f->kind == GROUP) {
        parts = LAIP_ATTENTION_PARTS((size_t)a->head_size);
        each = group_rows(laip_device_traits(d), a->head_size, longest);
        lanes = 2 * each;
    }
    if (f->kind == UNIT) {
        each = unit_rows;
        lanes = LAIP_ATTENTION_UNIT_ITEMS(laip_unit_of(d, laip_precision_of(d))->lanes);
    }
    return (laip_grid){.groups = {sequences, (size_t)a->heads, (longest + each - 1) / each * parts},
                       .items = {lanes}};
}

laip_arg laip_attention_columns(const laip_attention *a, laip_heads x, size_t rows)
{
    x.m.rows = rows;
    x.m.cols = (size_t)a->heads * (size_t)a->head_size;
    return LAIP_MAT(x.m);
}

laip_arg laip_attention_per_row(const laip_attention *a, laip_mat m)
{
    return laip_arg_floats(m.mem, a->query_rows * (size_t)a->heads);
}

double laip_attention_flops(const laip_attention *a)
{
    return 2 * a->score_count * a->heads * a->head_size;
}

laip_f32 laip_attention_scale(const laip_attention *a)
{
    return LAIP_F(1 / sqrtf((float)a->head_size));
}

laip_u32 laip_attention_threshold(const laip_attention *a)
{
    return LAIP_U((uint32_t)((double)a->dropout * 4294967296.0));
}

laip_f32 laip_attention_kept_scale(const laip_attention *a)
{
    return LAIP_F(1 / (1 - a->dropout));
}

void laip_attention_forward(laip_device *d, const laip_attention *a, laip_mat o, laip_mat lse, laip_heads q,
                            laip_heads k, laip_heads v)
{
    const char *storage = LAIP_STORAGE(d, "attention_forward", o, q.m, k.m, v.m);
    if (!a->sequences)
        return;
    if (k.m.cols != v.m.cols) {
        laip_device_fail(d, "attention: keys have rows of %zu floats, values of %zu", k.m.cols, v.m.cols);
        return;
    }
    if (laip_attention_tiled(d, a->head_size)) {
        laip_attention_tile_forward(d, a, o, lse, q, k, v, storage);
        return;
    }
    form f = form_for(d, a);
    laip_options built = options_for(d, &f, a, a->longest_query,
                                     aligned(q) && aligned(k) && aligned(v) && aligned_eight(a, q) &&
                                         aligned_eight(a, k) && aligned_eight(a, v),
                                     storage);
    laip_profiler_flops(d, 2 * laip_attention_flops(a));
    LAIP_LAUNCH_ONE_OF(d, f.forward, attention_forward, built,
                       grid(d, &f, a, a->sequences, a->longest_query, LAIP_ATTENTION_UNIT_FORWARD_ROWS),
                       laip_attention_columns(a, q, a->query_rows), laip_attention_columns(a, k, a->key_rows),
                       laip_attention_columns(a, v, a->key_rows),
                       laip_attention_columns(a, (laip_heads){o, 0}, a->query_rows),
                       laip_attention_per_row(a, lse), LAIP_MAT(a->q_begin), LAIP_MAT(a->kv_of),
                       LAIP_MAT(a->k_begin), LAIP_MAT(a->ids), laip_arg_stream(a->stream), LAIP_I(a->heads),
                       LAIP_I(q.m.cols), LAIP_I(q.col), LAIP_I(k.m.cols), LAIP_I(k.col), LAIP_I(v.col),
                       laip_attention_scale(a), laip_attention_threshold(a), laip_attention_kept_scale(a));
}

size_t laip_attention_scratch(const laip_device *d, int heads, int head_size, size_t query_rows,
                              size_t blocks, size_t longest_block)
{
    if (laip_attention_tiled(d, head_size))
        return laip_attention_tile_scratch(d, heads, head_size, query_rows, blocks, longest_block);
    return query_rows * (size_t)heads; /* delta */
}

static void launch_delta(laip_device *d, const laip_attention *a, const laip_attention_gradients *g,
                         laip_options built)
{
    LAIP_LAUNCH(d, attention_delta, built, laip_grid_rows(d, a->query_rows),
                laip_attention_columns(a, (laip_heads){g->dout, 0}, a->query_rows),
                laip_attention_columns(a, (laip_heads){g->o, 0}, a->query_rows),
                laip_attention_per_row(a, g->scratch), LAIP_I(a->heads));
}

static void launch_dq(laip_device *d, const laip_attention *a, const form *f,
                      const laip_attention_gradients *g, laip_options built)
{
    laip_grid groups = grid(d, f, a, a->sequences, a->longest_query, LAIP_ATTENTION_UNIT_BACKWARD_ROWS);
    laip_arg q = laip_attention_columns(a, g->q, a->query_rows);
    laip_arg k = laip_attention_columns(a, g->k, a->key_rows),
             v = laip_attention_columns(a, g->v, a->key_rows);
    laip_arg dout = laip_attention_columns(a, (laip_heads){g->dout, 0}, a->query_rows);
    laip_arg o = laip_attention_columns(a, (laip_heads){g->o, 0}, a->query_rows);
    laip_arg lse = laip_attention_per_row(a, g->lse), delta = laip_attention_per_row(a, g->scratch);
    laip_arg dq = laip_attention_columns(a, g->dq, a->query_rows);
    laip_profiler_flops(d, 3 * laip_attention_flops(a)); /* scores and their gradients, and of these dq */
    if (f->kind == PLAIN)
        LAIP_LAUNCH(d, attention_dq, built, groups, q, k, v, dout, lse, delta, dq, LAIP_MAT(a->q_begin),
                    LAIP_MAT(a->kv_of), LAIP_MAT(a->k_begin), LAIP_MAT(a->ids), laip_arg_stream(a->stream),
                    LAIP_I(a->heads), LAIP_I(g->q.m.cols), LAIP_I(g->q.col), LAIP_I(g->k.m.cols),
                    LAIP_I(g->k.col), LAIP_I(g->v.col), LAIP_I(g->dq.m.cols), LAIP_I(g->dq.col),
                    laip_attention_scale(a), laip_attention_threshold(a), laip_attention_kept_scale(a));
    else /* they make delta themselves */
        LAIP_LAUNCH_ONE_OF(d, f->dq, attention_group_dq, built, groups, q, k, v, dout, o, lse, delta, dq,
                           LAIP_MAT(a->q_begin), LAIP_MAT(a->kv_of), LAIP_MAT(a->k_begin), LAIP_MAT(a->ids),
                           laip_arg_stream(a->stream), LAIP_I(a->heads), LAIP_I(g->q.m.cols),
                           LAIP_I(g->q.col), LAIP_I(g->k.m.cols), LAIP_I(g->k.col), LAIP_I(g->v.col),
                           LAIP_I(g->dq.m.cols), LAIP_I(g->dq.col), laip_attention_scale(a),
                           laip_attention_threshold(a), laip_attention_kept_scale(a));
}

static void launch_dkv(laip_device *d, const laip_attention *a, const form *f,
                       const laip_attention_gradients *g, laip_options built)
{
    laip_profiler_flops(d, 2 * laip_attention_flops(a));
    LAIP_LAUNCH_ONE_OF(
        d, f->dkv, attention_dkv, built,
        grid(d, f, a, a->blocks, a->longest_block, LAIP_ATTENTION_UNIT_BACKWARD_ROWS),
        laip_attention_columns(a, g->q, a->query_rows), laip_attention_columns(a, g->k, a->key_rows),
        laip_attention_columns(a, g->v, a->key_rows),
        laip_attention_columns(a, (laip_heads){g->dout, 0}, a->query_rows), laip_attention_per_row(a, g->lse),
        laip_attention_per_row(a, g->scratch), laip_attention_columns(a, g->dk, a->key_rows),
        laip_attention_columns(a, g->dv, a->key_rows), LAIP_MAT(a->q_begin), LAIP_MAT(a->k_begin),
        LAIP_MAT(a->block_sequences_begin), LAIP_MAT(a->block_sequences), LAIP_MAT(a->ids),
        laip_arg_stream(a->stream), LAIP_I(a->heads), LAIP_I(g->q.m.cols), LAIP_I(g->q.col),
        LAIP_I(g->k.m.cols), LAIP_I(g->k.col), LAIP_I(g->v.col), LAIP_I(g->dk.m.cols), LAIP_I(g->dk.col),
        LAIP_I(g->dv.col), laip_attention_scale(a), laip_attention_threshold(a),
        laip_attention_kept_scale(a));
}

void laip_attention_backward(laip_device *d, const laip_attention *a, const laip_attention_gradients *g)
{
    const char *storage = LAIP_STORAGE(d, "attention_backward", g->dq.m, g->dk.m, g->dv.m, g->dout, g->o,
                                       g->q.m, g->k.m, g->v.m);
    bool keys_too = g->dk.m.mem != NULL;
    if (!a->sequences)
        return;
    if (laip_attention_tiled(d, a->head_size)) {
        laip_attention_tile_backward(d, a, g, storage);
        return;
    }
    form f = form_for(d, a);
    bool all_aligned = aligned(g->q) && aligned(g->k) && aligned(g->v) && aligned_eight(a, g->q) &&
                       aligned_eight(a, g->k) && aligned_eight(a, g->v) && aligned(g->dq) &&
                       (!keys_too || (aligned(g->dk) && aligned(g->dv)));
    if (f.kind == PLAIN)
        launch_delta(d, a, g, LAIP_OPTIONS("-DHEAD=# -DMANY_REGISTERS", storage, a->head_size));
    launch_dq(d, a, &f, g, options_for(d, &f, a, a->longest_query, all_aligned, storage));
    if (keys_too)
        launch_dkv(d, a, &f, g, options_for(d, &f, a, a->longest_block, all_aligned, storage));
}
