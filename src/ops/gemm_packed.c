/* The packed product on CPU devices: packs A and B into panels, then one launch of cl/gemm_packed.cl,
 * epilogue included.  B stays where it is when it is not transposed, has whole panels, and there are few rows
 * of A: packing would then cost more than reading it once or twice with wide steps. */
#include "device/launch.h"
#include "ops/gemm_internal.h"

/* As in cl/gemm_packed.cl.  MAX_PANELS row panels a piece of work: their block of k fills a part of the
 * second-level cache (16 × 12 × 768 floats are 576 KiB). */
enum { MR = 12, NR = 32, PACK_DEPTH = 256, MAX_PANELS = 16, PIECES_A_UNIT = 6 };

static size_t pieces(size_t count, size_t each)
{
    return (count + each - 1) / each;
}

bool laip_packed_serves(const laip_device *d)
{
    return d->traits.lanes == 1 && d->traits.vector == 16;
}

static laip_mem pack_a(laip_device *d, laip_gemm_state *s, const laip_product *p)
{
    laip_mem packed = laip_workspace_get(d, &s->packed_a, pieces(p->m, MR) * MR * p->k * sizeof(float),
                                         "packed rows of a product");
    if (packed)
        LAIP_LAUNCH(d, "gemm_packed.cl", p->transpose_a ? "gemm_pack_a_transposed" : "gemm_pack_a", "",
                    ((laip_grid){.groups = {pieces(p->m, MR), pieces(p->k, PACK_DEPTH)}}), LAIP_MAT(p->a),
                    laip_arg_floats(packed, pieces(p->m, MR) * MR * p->k), LAIP_F(p->alpha), LAIP_I(p->m),
                    LAIP_I(p->k));
    return packed;
}

static laip_mem pack_b(laip_device *d, laip_gemm_state *s, const laip_product *p)
{
    size_t bytes = pieces(p->n, NR) * NR * p->k * sizeof(float);
    bool fresh = false;
    laip_mem packed = laip_gemm_cached(d, p, bytes, &fresh);
    if (!packed)
        packed = laip_workspace_get(d, &s->packed_b, bytes, "packed columns of a product");
    if (packed && !fresh)
        LAIP_LAUNCH(d, "gemm_packed.cl", p->transpose_b ? "gemm_pack_b_transposed" : "gemm_pack_b", "",
                    ((laip_grid){.groups = {pieces(p->n, NR), pieces(p->k, PACK_DEPTH)}}), LAIP_MAT(p->b),
                    laip_arg_floats(packed, pieces(p->n, NR) * NR * p->k), LAIP_I(p->n), LAIP_I(p->k));
    return packed;
}

/* Row panels a piece: few enough that every unit has several pieces to take. */
static size_t panels_a_piece(const laip_device *d, size_t row_panels, size_t column_panels)
{
    size_t panels = MAX_PANELS, wanted = (size_t)d->traits.units * PIECES_A_UNIT;
    while (panels > 1 && column_panels * pieces(row_panels, panels) < wanted)
        panels /= 2;
    return panels;
}

void laip_packed_gemm(laip_device *d, const laip_product *p)
{
    laip_gemm_state *s = laip_gemm_state_of(d);
    const laip_epilogue *e = &p->epilogue;
    bool in_place = !p->transpose_b && p->n % NR == 0 && p->m <= 2 * MR;
    laip_mem a = pack_a(d, s, p), b = in_place ? p->b.mem : pack_b(d, s, p);
    if (!a || !b)
        return;
    size_t rows = pieces(p->m, MR), columns = pieces(p->n, NR), panels = panels_a_piece(d, rows, columns);
    laip_ledger_flops(d, laip_product_flops(p));
    laip_grid grid = laip_grid_turns(d, columns * pieces(rows, panels));
    LAIP_LAUNCH(d, "gemm_packed.cl", "gemm_packed", "", grid, laip_arg_floats(a, rows * MR * p->k),
                laip_arg_floats(b, columns * NR * p->k), laip_arg_u64(in_place ? NR : NR * p->k),
                LAIP_I(in_place ? p->n : NR), p->beta != 0 ? LAIP_BOTH(p->c) : LAIP_MAT(p->c),
                laip_epilogue_arg(e->bias, p), laip_epilogue_arg(e->pre, p),
                laip_epilogue_arg(e->residual, p),
                LAIP_I(laip_epilogue_bits(e) | (p->beta != 0 ? LAIP_ADD_TO_C : 0)), LAIP_I(p->m),
                LAIP_I(p->n), LAIP_I(p->k), LAIP_I(panels), laip_turns(d));
}
