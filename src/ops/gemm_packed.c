/* The packed product on CPU devices: packs A into panels, then one launch of cl/gemm_packed.cl, which packs
 * B's panels as it comes to them, epilogue included.  B is packed ahead where it stays packed for other
 * products, and where many units share its panels.  It stays where it is when it holds floats, is not
 * transposed, has whole panels, and there are few rows of A: packing would then cost more than reading it
 * once or twice with wide steps. */
#include "device/launch.h"
#include "ops/gemm_internal.h"

/* As in cl/gemm_packed.cl. */
enum { MR = 12, NR = 32, PACK_DEPTH = 256 };
/* How the kernel finds the panels of B, as there. */
enum { B_READY, B_PLAIN, B_TRANSPOSED };
/* k is summed up in one go, or in blocks where it is longer than LONGEST: passing over C anew costs more than
 * a second-level cache that one panel of B does not fit into. */
enum { LONGEST = 3072 };
/* How work is cut into pieces, which is a matter of speed alone.  A panel of B meets the row panels of a
 * band, at most BAND_STEPS steps of k together (100 panels of 3072, 14 MiB): as many as may stay in a
 * third-level cache, for B may be packed anew for each.  The last columns are cut into QUARTERS.  Where there
 * are too few columns for the device's units, all are cut, to SHORT_STEPS at most (16 panels of 768, 576 KiB:
 * a second-level cache), and into PIECES_A_UNIT pieces a unit. */
enum { BAND_STEPS = 100 * 3072, QUARTERS = 4, SHORT_STEPS = 16 * 768, PIECES_A_UNIT = 6 };

static size_t pieces(size_t count, size_t each)
{
    return (count + each - 1) / each;
}

bool laip_packed_serves(const laip_device *d)
{
    return d->traits.lanes == 1 && d->traits.vector == 16;
}

static laip_mem pack_a(laip_device *d, const laip_product *p)
{
    laip_mem packed =
        laip_workspace_get(d, &laip_gemm_state_of(d)->packed_a, pieces(p->m, MR) * MR * p->k * sizeof(float),
                           "packed rows of a product");
    if (packed)
        LAIP_LAUNCH(d, "gemm_packed.cl", p->transpose_a ? "gemm_pack_a_transposed" : "gemm_pack_a",
                    p->a.half ? "-DHALF" : "",
                    ((laip_grid){.groups = {pieces(p->m, MR), pieces(p->k, PACK_DEPTH)}}), LAIP_MAT(p->a),
                    laip_arg_floats(packed, pieces(p->m, MR) * MR * p->k), LAIP_F(p->alpha), LAIP_I(p->m),
                    LAIP_I(p->k));
    return packed;
}

static const char *options(const laip_product *p)
{
    return p->c.half ? p->b.half ? "-DHALF -DB_HALF" : "-DHALF" : p->b.half ? "-DB_HALF" : "";
}

/* All of B, packed: a weight that stays so (NULL where it is none), or in the workspace. */
static laip_mem pack_b(laip_device *d, const laip_product *p, bool kept)
{
    size_t panels = pieces(p->n, NR), floats = panels * NR * p->k;
    bool valid = false;
    laip_mem packed = kept ? laip_gemm_cached(d, p, floats * sizeof(float), &valid)
                           : laip_workspace_get(d, &laip_gemm_state_of(d)->packed_b, floats * sizeof(float),
                                                "packed columns of a product");
    if (packed && !valid)
        LAIP_LAUNCH(d, "gemm_packed.cl", p->transpose_b ? "gemm_pack_b_transposed" : "gemm_pack_b",
                    p->b.half ? "-DB_HALF" : "", ((laip_grid){.groups = {panels, pieces(p->k, PACK_DEPTH)}}),
                    LAIP_MAT(p->b), laip_arg_floats(packed, floats), LAIP_I(p->n), LAIP_I(p->k));
    return packed;
}

/* Steps of k in a block: as many in each. */
static size_t block_of(size_t k)
{
    return pieces(k, pieces(k, LONGEST));
}

/* The kernel's arguments of these names, and how many pieces they make. */
typedef struct cutting {
    size_t band, cut, panels, count;
    bool coarse; /* a panel of B is met by so few pieces that each may pack it */
} cutting;

static cutting cut(const laip_device *d, size_t rows, size_t columns, size_t block)
{
    size_t units = (size_t)d->traits.units, bands = pieces(rows, BAND_STEPS / block);
    cutting c = {.band = pieces(rows, bands), .coarse = columns * bands >= 2 * units};
    if (c.coarse) {
        size_t last = rows - (bands - 1) * c.band;
        c.cut = units < columns ? units : columns;
        c.panels = pieces(last, QUARTERS);
        c.count = bands * columns + c.cut * (pieces(last, c.panels) - 1);
        return c;
    }
    c.band = rows;
    c.cut = columns;
    c.panels = SHORT_STEPS / block < rows ? SHORT_STEPS / block : rows;
    while (c.panels > 1 && columns * pieces(rows, c.panels) < units * PIECES_A_UNIT)
        c.panels = (c.panels + 1) / 2;
    c.count = columns * pieces(rows, c.panels);
    return c;
}

void laip_packed_gemm(laip_device *d, const laip_product *p)
{
    const laip_epilogue *e = &p->epilogue;
    size_t rows = pieces(p->m, MR), columns = pieces(p->n, NR), block = block_of(p->k);
    cutting c = cut(d, rows, columns, block);
    laip_grid grid = laip_grid_tiles(d, c.count);
    bool in_place = !p->transpose_b && p->n % NR == 0 && p->m <= 2 * MR && !p->b.half;
    laip_mem ready = in_place ? p->b.mem : pack_b(d, p, true);
    if (!ready && !c.coarse)
        ready = pack_b(d, p, false);
    laip_arg room = ready ? LAIP_UNUSED(p->c) : laip_launch_workspace(d, grid.groups[0] * NR * block);
    laip_mat sums = p->c.half && block < p->k ? laip_product_sums(d, p) : p->c;
    laip_mem a = pack_a(d, p);
    if (d->error.status != LAIP_OK)
        return;
    laip_profiler_flops(d, laip_product_flops(p));
    LAIP_LAUNCH(d, "gemm_packed.cl", "gemm_packed", options(p), grid, laip_arg_floats(a, rows * MR * p->k),
                LAIP_I(ready            ? B_READY
                       : p->transpose_b ? B_TRANSPOSED
                                        : B_PLAIN),
                ready ? laip_arg_floats(ready, columns * NR * p->k) : LAIP_UNUSED(p->c),
                laip_arg_u64(in_place ? NR : NR * p->k), LAIP_I(in_place ? p->n : NR),
                ready ? LAIP_UNUSED(p->b) : LAIP_MAT(p->b), room, LAIP_UNUSED(sums),
                p->beta != 0 ? LAIP_BOTH(p->c) : LAIP_MAT(p->c), laip_epilogue_arg(e->bias, p),
                laip_epilogue_arg(e->pre, p), laip_epilogue_arg(e->residual, p),
                LAIP_I(laip_epilogue_bits(e) | (p->beta != 0 ? LAIP_ADD_TO_C : 0)), LAIP_I(p->m),
                LAIP_I(p->n), LAIP_I(p->k), LAIP_I(block), LAIP_I(c.band), LAIP_I(c.cut), LAIP_I(c.panels),
                laip_tile_counter(d));
}
