/* The packed product on CPU devices: packs A and B into panels, then one launch of cl/gemm_packed.cl,
 * epilogue included; where B is large, both for one part of its columns after the other.  B stays where it is
 * when it holds floats, is not transposed, has whole panels, and there are few rows of A: packing would then
 * cost more than reading it once or twice with wide steps. */
#include "device/launch.h"
#include "ops/gemm_internal.h"

/* As in cl/gemm_packed.cl. */
enum { MR = 12, NR = 32, PACK_DEPTH = 256 };
/* k is summed up in one go, or in blocks where it is longer than LONGEST: passing over C anew costs more than
 * a second-level cache that one panel of B does not fit into.  The row panels of a piece of work, PIECE_STEPS
 * steps of k together (16 panels of 768, 576 KiB), stay there while a panel of B meets them. */
enum { LONGEST = 3072, PIECE_STEPS = 16 * 768, PIECES_A_UNIT = 6 };
/* Floats of B that are packed at once: the vocabulary's matrix would take as much memory again. */
enum { SLICE = 3 << 20 };

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
        LAIP_LAUNCH(d, "gemm_packed.cl", p->transpose_a ? "gemm_pack_a_transposed" : "gemm_pack_a",
                    p->a.half ? "-DHALF" : "",
                    ((laip_grid){.groups = {pieces(p->m, MR), pieces(p->k, PACK_DEPTH)}}), LAIP_MAT(p->a),
                    laip_arg_floats(packed, pieces(p->m, MR) * MR * p->k), LAIP_F(p->alpha), LAIP_I(p->m),
                    LAIP_I(p->k));
    return packed;
}

/* Column panels first … first + count − 1 of B. */
static laip_mem pack_b(laip_device *d, laip_gemm_state *s, const laip_product *p, size_t first, size_t count)
{
    size_t floats = count * NR * p->k;
    bool fresh = false;
    laip_mem packed = laip_gemm_cached(d, p, first, floats * sizeof(float), &fresh);
    if (!packed)
        packed = laip_workspace_get(d, &s->packed_b, floats * sizeof(float), "packed columns of a product");
    if (packed && !fresh)
        LAIP_LAUNCH(d, "gemm_packed.cl", p->transpose_b ? "gemm_pack_b_transposed" : "gemm_pack_b",
                    p->b.half ? "-DHALF" : "", ((laip_grid){.groups = {count, pieces(p->k, PACK_DEPTH)}}),
                    LAIP_MAT(p->b), laip_arg_floats(packed, floats), LAIP_I(first), LAIP_I(p->n),
                    LAIP_I(p->k));
    return packed;
}

/* Steps of k in a block: as many in each. */
static size_t block_of(size_t k)
{
    return pieces(k, pieces(k, LONGEST));
}

/* Row panels a piece: few enough that every unit has several pieces to take. */
static size_t panels_a_piece(const laip_device *d, size_t row_panels, size_t column_panels, size_t block)
{
    size_t panels = PIECE_STEPS / block < row_panels ? PIECE_STEPS / block : row_panels,
           wanted = (size_t)d->traits.units * PIECES_A_UNIT;
    while (panels > 1 && column_panels * pieces(row_panels, panels) < wanted)
        panels = (panels + 1) / 2;
    return panels;
}

/* Column panels first … first + count − 1 of C, from the packed rows. */
static void multiply(laip_device *d, const laip_product *p, laip_mem a, laip_mat sums, bool in_place,
                     size_t first, size_t count)
{
    const laip_epilogue *e = &p->epilogue;
    size_t rows = pieces(p->m, MR), block = block_of(p->k), panels = panels_a_piece(d, rows, count, block);
    laip_mem b = in_place ? p->b.mem : pack_b(d, laip_gemm_state_of(d), p, first, count);
    size_t n = p->n - first * NR < count * NR ? p->n - first * NR : count * NR;
    if (!b)
        return;
    laip_ledger_flops(d, 2 * (double)p->m * (double)n * (double)p->k);
    LAIP_LAUNCH(
        d, "gemm_packed.cl", "gemm_packed", p->c.half ? "-DHALF" : "",
        laip_grid_turns(d, count * pieces(rows, panels)), laip_arg_floats(a, rows * MR * p->k),
        laip_arg_floats(b, count * NR * p->k), laip_arg_u64(in_place ? NR : NR * p->k),
        LAIP_I(in_place ? p->n : NR), LAIP_UNUSED(sums), p->beta != 0 ? LAIP_BOTH(p->c) : LAIP_MAT(p->c),
        laip_epilogue_arg(e->bias, p), laip_epilogue_arg(e->pre, p), laip_epilogue_arg(e->residual, p),
        LAIP_I(laip_epilogue_bits(e) | (p->beta != 0 ? LAIP_ADD_TO_C : 0)), LAIP_I(p->m), LAIP_I(p->n),
        LAIP_I(p->k), LAIP_I(block), LAIP_I(first), LAIP_I(count), LAIP_I(panels), laip_turns(d));
}

void laip_packed_gemm(laip_device *d, const laip_product *p)
{
    laip_gemm_state *s = laip_gemm_state_of(d);
    bool in_place = !p->transpose_b && p->n % NR == 0 && p->m <= 2 * MR && !p->b.half;
    size_t columns = pieces(p->n, NR), most = SLICE / (NR * p->k) ? SLICE / (NR * p->k) : 1;
    if (in_place)
        most = columns;
    laip_mat sums = p->c.half && block_of(p->k) < p->k ? laip_product_sums(d, p) : p->c;
    laip_mem a = pack_a(d, s, p);
    if (!a || !sums.mem)
        return;
    for (size_t first = 0; first < columns; first += most)
        multiply(d, p, a, sums, in_place, first, columns - first < most ? columns - first : most);
}
