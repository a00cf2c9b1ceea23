#include "ops/gemm/unit.h"

#include "cl/kernels.h"

enum { SHORTEST_SLICE = 512 }; /* of k: a slice costs a pass over C */

static size_t parts(size_t count, size_t each)
{
    return each ? (count + each - 1) / each : 0;
}

bool laip_unit_serves(const laip_device *d, const laip_product *p)
{
    (void)p;
    return d->traits.lanes > 1 && d->traits.local_memory >= LAIP_GROUP_BYTES &&
           d->traits.group_limit >= LAIP_UNIT_ITEMS(128);
}

/* A processor that runs narrow kernels has no unit, and better products for it. */
bool laip_unit_competes(const laip_device *d, const laip_gemm_implementation *self)
{
    (void)self;
    return !d->traits.cpu;
}

/* Large tiles, for what they spare in traffic, where there are enough of them for all units, k's slices
 * counted; as many slices as fill the units twice. */
laip_unit_plan laip_unit_plan_of(const laip_device *d, size_t m, size_t n, size_t k)
{
    size_t units = (size_t)d->traits.units, most = k / SHORTEST_SLICE > 1 ? k / SHORTEST_SLICE : 1,
           slices = 1;
    for (size_t tile = 128; tile >= 64; tile /= 2) {
        size_t tiles = parts(m, tile) * parts(n, tile);
        slices = parts(2 * units, tiles);
        slices = tiles >= units ? 1 : slices < most ? slices : most;
        if (tiles * slices >= units || tile == 64)
            return (laip_unit_plan){(int)tile, (int)slices};
    }
    return (laip_unit_plan){64, 1};
}

static int store_of(laip_mat m)
{
    static const int stored[] = {LAIP_STORED_FLOAT, LAIP_STORED_HALF, LAIP_STORED_BFLOAT16};
    return stored[m.store];
}

/* Vectors of an operand may be read whole: of eight numbers where those of 16 bits lie along k. */
static bool aligned(laip_mat m, bool rows)
{
    return m.cols % (m.store && rows ? 8 : 4) == 0;
}

/* Steps of k in a slice, a multiple of what a slab holds: so few slices that none is empty. */
static size_t slice_of(size_t k, int slices)
{
    return parts(parts(k, (size_t)slices), LAIP_UNIT_DEPTH) * LAIP_UNIT_DEPTH;
}

/* The kernels' arguments of a dropout. */
typedef struct dropout_args {
    laip_arg row_sequence, begin, ids;
    laip_u32x4 stream;
    laip_u32 threshold;
    laip_f32 scale;
} dropout_args;

static void dropout_of(const laip_product *p, dropout_args *args)
{
    const laip_dropout_mask *m = p->epilogue.dropout;
    if (m)
        *args = (dropout_args){LAIP_MAT(m->row_sequence),
                               LAIP_MAT(m->begin),
                               LAIP_MAT(m->ids),
                               laip_arg_stream(m->stream),
                               LAIP_U(laip_dropout_threshold(m)),
                               LAIP_F(laip_dropout_scale(m))};
    else /* b is mostly a weight, and then the same in all launches of the product */
        *args = (dropout_args){
            .row_sequence = LAIP_UNUSED(p->b), .begin = LAIP_UNUSED(p->b), .ids = LAIP_UNUSED(p->b)};
}

void laip_unit_product(laip_device *d, const laip_product *p, const laip_unit *unit, laip_unit_plan plan)
{
    const laip_epilogue *e = &p->epilogue;
    size_t tile = (size_t)plan.tile, slice = slice_of(p->k, plan.slices), slices = parts(p->k, slice);
    const laip_row_sums *s = &e->row_sums;
    int what =
        laip_epilogue_bits(e) | (p->beta != 0 ? LAIP_ADD_TO_C : 0) | (s->to.mem ? LAIP_HAS_ROW_SUMS : 0);
    size_t floats = slices * p->m * (p->n + (s->to.mem ? 1 : 0));
    laip_mat sums = p->c;
    if (slices > 1) {
        sums.mem = laip_workspace_get(d, &laip_gemm_state_of(d)->sums, floats * sizeof(float),
                                      "sums of a product's slices");
        if (!sums.mem)
            return;
    }
    laip_options options = LAIP_OPTIONS(
        "-DTILE=# -DA_ROWS=# -DB_ROWS=# -DA_STORE=# -DB_STORE=# -DC_STORE=# -DA_ALIGNED=#"
        " -DB_ALIGNED=#",
        unit->options, plan.tile, !p->transpose_a, p->transpose_b, store_of(p->a), store_of(p->b),
        store_of(p->c), aligned(p->a, !p->transpose_a), aligned(p->b, p->transpose_b));
    laip_arg partial = slices > 1 ? laip_arg_floats(sums.mem, floats) : LAIP_UNUSED(p->c);
    laip_arg c = p->beta != 0 ? LAIP_BOTH(p->c) : LAIP_MAT(p->c);
    laip_arg bias = laip_epilogue_arg(e->bias, p),
             pre = laip_epilogue_arg(e->slope_of.mem ? e->slope_of : e->pre, p);
    laip_arg residual = laip_epilogue_arg(e->residual, p);
    dropout_args drop;
    dropout_of(p, &drop);
    laip_arg row_sums = s->to.mem ? LAIP_BOTH(s->to) : LAIP_UNUSED(p->c);
    laip_grid grid = {.groups = {parts(p->m, tile), parts(p->n, tile), slices},
                      .items = {LAIP_UNIT_ITEMS(plan.tile)}};
    laip_profiler_flops(d, laip_product_flops(p));
    LAIP_LAUNCH(d, gemm_unit, options, grid, LAIP_MAT(p->a), LAIP_MAT(p->b),
                slices > 1 ? LAIP_UNUSED(p->c) : c, partial, bias, pre, residual, LAIP_I(what),
                LAIP_F(p->alpha), LAIP_I(p->m), LAIP_I(p->n), LAIP_I(p->k), LAIP_I(slice), row_sums,
                LAIP_I(s->first_skipped), LAIP_I(s->first_skipped + s->skipped), drop.row_sequence,
                drop.begin, drop.ids, drop.stream, drop.threshold, drop.scale);
    if (slices == 1)
        return;
    laip_grid flat = laip_grid_flat(d, p->n, 4);
    flat.groups[1] = p->m;
    LAIP_LAUNCH(d, gemm_unit_slices, options, flat, c, partial, bias, pre, residual, LAIP_I(what),
                LAIP_F(p->alpha), LAIP_I(p->m), LAIP_I(p->n), LAIP_I(slices), row_sums,
                LAIP_I(s->first_skipped), LAIP_I(s->first_skipped + s->skipped), drop.row_sequence,
                drop.begin, drop.ids, drop.stream, drop.threshold, drop.scale);
}

void laip_unit_run(laip_device *d, const laip_gemm_implementation *self, const laip_product *p)
{
    (void)self;
    laip_unit_product(d, p, laip_unit_of(d, laip_precision_of(d)), laip_unit_plan_of(d, p->m, p->n, p->k));
}

void laip_plain_run(laip_device *d, const laip_gemm_implementation *self, const laip_product *p)
{
    (void)self;
    laip_unit_product(d, p, laip_unit_plain(d), laip_unit_plan_of(d, p->m, p->n, p->k));
}
