/* Attention on a processor: query tiles in vectors as wide as its registers, a work-item a group; the kernels
 * are cl/attention_tile_*.cl. */
#include "cl/kernels.h"
#include "cl/shared.h"
#include "device/profiler.h"
#include "ops/attention_internal.h"

typedef struct launch_shape {
    size_t share;       /* floats of a group's share of the workspace */
    size_t parts, each; /* parts of a block and head; parts that a group takes in a row */
    laip_grid grid;
    laip_options options;
} launch_shape;

bool laip_attention_tiled(const laip_device *d, int head_size)
{
    return laip_device_traits(d)->lanes == 1 && head_size % 16 == 0;
}

/* Floats of `matrices` dense matrices as long as a block, and of `pairs` numbers for each of its keys and
 * each row of a query tile; enough for any shape, as another may serve than when memory was laid out. */
static size_t share_of(const laip_device *d, size_t longest, size_t head, size_t matrices, size_t pairs)
{
    const laip_attention_shape *s = laip_attention_largest(d);
    size_t tile = (size_t)s->tile, rows = (longest + tile - 1) / tile * tile;
    return rows * head * matrices + pairs * laip_attention_query_tile(s) * (rows + 16) +
           (size_t)LAIP_ATTENTION_FEW_ROWS * LAIP_ATTENTION_FEW_PAIRS;
}

/* Parts enough for every unit to have several to take, of at most `most` a block and head; and so many at
 * once that taking them costs nothing beside them. */
static launch_shape share_out(laip_device *d, const laip_attention *a, const laip_attention_shape *shape,
                              size_t most, const char *storage)
{
    launch_shape s = {.parts = 1};
    size_t wanted = 8 * (size_t)laip_device_traits(d)->units, all = a->blocks * (size_t)a->heads;
    if (all < wanted)
        s.parts = (wanted + all - 1) / all;
    s.parts = s.parts > most ? most : s.parts;
    s.parts = s.parts ? s.parts : 1;
    s.each = all * s.parts / (4 * wanted);
    s.each = s.each ? s.each : 1;
    s.grid = laip_grid_tiles(d, (all * s.parts + s.each - 1) / s.each);
    s.options = LAIP_OPTIONS("-DVEC=# -DTILE=# -DVECTORS=# -DHEAD=#", storage, shape->vec, shape->tile,
                             shape->vectors, a->head_size);
    return s;
}

/* Half as many as there are query tiles in all, as each part copies its keys and values. */
static size_t query_parts(const laip_attention_shape *s, const laip_attention *a)
{
    return (a->query_rows / laip_attention_query_tile(s) + 1) / 2;
}

void laip_attention_tile_forward(laip_device *d, const laip_attention *a, laip_mat o, laip_mat lse,
                                 laip_heads q, laip_heads k, laip_heads v, const char *storage)
{
    const laip_attention_shape *shape = laip_attention_shape_of(d, a, false);
    launch_shape s = share_out(d, a, shape, query_parts(shape, a), storage);
    size_t share = share_of(d, a->longest_block, (size_t)a->head_size, 2, 1);
    laip_profiler_flops(d, 2 * laip_attention_flops(a));
    LAIP_LAUNCH(d, attention_tile_forward, s.options, s.grid, laip_attention_columns(a, q, a->query_rows),
                laip_attention_columns(a, k, a->key_rows), laip_attention_columns(a, v, a->key_rows),
                laip_attention_columns(a, (laip_heads){o, 0}, a->query_rows), laip_attention_per_row(a, lse),
                LAIP_MAT(a->q_begin), LAIP_MAT(a->k_begin), LAIP_MAT(a->block_sequences_begin),
                LAIP_MAT(a->block_sequences), LAIP_MAT(a->ids), laip_arg_stream(a->stream), LAIP_I(a->heads),
                LAIP_I(q.m.cols), LAIP_I(q.col), LAIP_I(k.m.cols), LAIP_I(k.col), LAIP_I(v.col),
                laip_attention_scale(a), laip_attention_threshold(a), laip_attention_kept_scale(a),
                laip_launch_workspace(d, s.grid.groups[0] * share), laip_arg_u64(share),
                LAIP_I(a->longest_block), LAIP_I(a->blocks), LAIP_I(a->sequences), LAIP_I(s.parts),
                LAIP_I(s.each), laip_tile_counter(d));
}

/* In one pass there are no more parts than blocks and heads, but two products less of seven. */
static bool one_pass(const laip_device *d, size_t blocks, int heads)
{
    return blocks * (size_t)heads >= 2 * (size_t)laip_device_traits(d)->units;
}

size_t laip_attention_tile_scratch(const laip_device *d, int heads, int head_size, size_t query_rows,
                                   size_t blocks, size_t longest_block)
{
    size_t means = query_rows * (size_t)heads, groups = laip_grid_tiles(d, SIZE_MAX).groups[0];
    (void)blocks; /* fewer than planned may be shared out among more groups */
    return groups * share_of(d, longest_block, (size_t)head_size, 4, 2) + means;
}

static void launch_backward(laip_device *d, const laip_attention *a, const laip_attention_gradients *g,
                            const char *storage, const laip_attention_shape *shape, int want,
                            size_t most_parts)
{
    launch_shape s = share_out(d, a, shape, most_parts, storage);
    size_t share = share_of(d, a->longest_block, (size_t)a->head_size, 4, 2);
    size_t means = a->query_rows * (size_t)a->heads;
    bool dq = want & LAIP_WANT_DQ, dkv = want & LAIP_WANT_DKV;
    laip_profiler_flops(d, (2 + dq + 2 * dkv) * laip_attention_flops(a));
    LAIP_LAUNCH(
        d, attention_tile_backward, s.options, s.grid, laip_attention_columns(a, g->q, a->query_rows),
        laip_attention_columns(a, g->k, a->key_rows), laip_attention_columns(a, g->v, a->key_rows),
        laip_attention_columns(a, (laip_heads){g->dout, 0}, a->query_rows), laip_attention_per_row(a, g->lse),
        laip_arg_both(laip_arg_floats(g->scratch.mem, means)), LAIP_U((uint32_t)means), laip_arg_u64(share),
        dq ? laip_attention_columns(a, g->dq, a->query_rows) : LAIP_UNUSED(g->dq.m),
        dkv ? laip_attention_columns(a, g->dk, a->key_rows) : LAIP_UNUSED(g->dq.m),
        dkv ? laip_attention_columns(a, g->dv, a->key_rows) : LAIP_UNUSED(g->dq.m), LAIP_MAT(a->q_begin),
        LAIP_MAT(a->k_begin), LAIP_MAT(a->block_sequences_begin), LAIP_MAT(a->block_sequences),
        LAIP_MAT(a->ids), laip_arg_stream(a->stream), LAIP_I(a->heads), LAIP_I(g->q.m.cols), LAIP_I(g->q.col),
        LAIP_I(g->k.m.cols), LAIP_I(g->k.col), LAIP_I(g->v.col), LAIP_I(g->dq.m.cols), LAIP_I(g->dq.col),
        LAIP_I(g->dk.m.cols), LAIP_I(g->dk.col), LAIP_I(g->dv.col), LAIP_I(a->longest_block),
        laip_attention_scale(a), laip_attention_threshold(a), laip_attention_kept_scale(a), LAIP_I(a->blocks),
        LAIP_I(a->sequences), LAIP_I(s.parts), LAIP_I(s.each), LAIP_I(want), laip_tile_counter(d));
}

void laip_attention_tile_backward(laip_device *d, const laip_attention *a, const laip_attention_gradients *g,
                                  const char *storage)
{
    const laip_attention_shape *shape = laip_attention_shape_of(d, a, true);
    bool keys_too = g->dk.m.mem != NULL;
    if (keys_too && one_pass(d, a->blocks, a->heads)) {
        launch_backward(d, a, g, storage, shape, LAIP_WANT_DQ | LAIP_WANT_DKV, 1);
        return;
    }
    size_t parts = one_pass(d, a->blocks, a->heads) ? 1 : query_parts(shape, a);
    launch_backward(d, a, g, storage, shape, LAIP_WANT_DQ, parts);
    if (keys_too)
        launch_backward(d, a, g, storage, shape, LAIP_WANT_DKV, a->longest_block / 16);
}
