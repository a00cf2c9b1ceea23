/* The packed product on CPU devices: packs A into panels, then one launch of cl/gemm_packed.cl, which packs
 * B's panels as it comes to them, epilogue included.  B is packed ahead where it stays packed for other
 * products, and where many units share its panels.  It stays where it is when it holds floats, is not
 * transposed, has whole panels, and there are few rows of A: packing would then cost more than reading it
 * once or twice with wide steps. */
#include "cl/kernels.h"
#include "ops/gemm/internal.h"

/* The last columns' rows are cut into QUARTERS; where all columns are cut, into TASKS_A_UNIT a unit. */
enum { QUARTERS = 4, TASKS_A_UNIT = 6 };
enum { LEAST_CACHE = 1 << 20 }; /* bytes; where a device does not tell its cache */

static size_t parts(size_t count, size_t each)
{
    return (count + each - 1) / each;
}

bool laip_packed_serves(const laip_device *d, const laip_product *p)
{
    (void)p;
    return d->traits.lanes == 1;
}

static laip_options options(const laip_tile *t, laip_store a, laip_store b)
{
    static const char *const stored[3][3] = {{"", "-DB_HALF", "-DB_HALF -DBFLOAT16"},
                                             {"-DHALF", "-DHALF -DB_HALF", NULL},
                                             {"-DHALF -DBFLOAT16", NULL, "-DHALF -DB_HALF -DBFLOAT16"}};
    const char *storage = stored[a][b];
    return LAIP_OPTIONS("-DVEC=# -DMR=# -DNR=#", storage, t->vector, t->rows, t->columns);
}

static laip_mem pack_a(laip_device *d, const laip_tile *t, const laip_product *p)
{
    size_t panels = parts(p->m, (size_t)t->rows), floats = panels * (size_t)t->rows * p->k;
    size_t depths = parts(p->k, LAIP_PACK_DEPTH);
    laip_grid along_rows = {.groups = {depths, panels}}, along_panels = {.groups = {panels, depths}};
    laip_mem packed = laip_workspace_get(d, &laip_gemm_state_of(d)->packed_a, floats * sizeof(float),
                                         "packed rows of a product");
    if (packed)
        LAIP_LAUNCH_ONE_OF(d, p->transpose_a ? &laip_cl_gemm_pack_a_transposed : &laip_cl_gemm_pack_a,
                           gemm_pack_a, options(t, p->a.store, LAIP_STORE_FLOAT),
                           p->transpose_a ? along_panels : along_rows, LAIP_MAT(p->a),
                           laip_arg_floats(packed, floats), LAIP_F(p->alpha), LAIP_I(p->m), LAIP_I(p->k));
    return packed;
}

/* All of B, packed: a weight that stays so (NULL where it is none), or in the workspace. */
static laip_mem pack_b(laip_device *d, const laip_tile *t, const laip_product *p, bool kept)
{
    size_t panels = parts(p->n, (size_t)t->columns), floats = panels * (size_t)t->columns * p->k;
    bool valid = false;
    laip_mem packed = kept ? laip_gemm_cached(d, p, t->columns, floats * sizeof(float), &valid)
                           : laip_workspace_get(d, &laip_gemm_state_of(d)->packed_b, floats * sizeof(float),
                                                "packed columns of a product");
    if (packed && !valid)
        LAIP_LAUNCH_ONE_OF(d, p->transpose_b ? &laip_cl_gemm_pack_b_transposed : &laip_cl_gemm_pack_b,
                           gemm_pack_b, options(t, LAIP_STORE_FLOAT, p->b.store),
                           ((laip_grid){.groups = {panels, parts(p->k, LAIP_PACK_DEPTH)}}), LAIP_MAT(p->b),
                           laip_arg_floats(packed, floats), LAIP_I(p->n), LAIP_I(p->k));
    return packed;
}

/* The kernel's arguments of these names, and how many tasks they make. */
typedef struct cutting {
    size_t band, cut, panels, count;
    bool packs; /* a panel of B is met by so few tasks that each may pack it */
} cutting;

/* How work is cut into tasks, which is a matter of speed alone.  A panel of B meets the row panels of a band,
 * which take at most half of the last-level cache, for B may be packed anew for each.  Where there are too
 * few columns for the device's units, all are cut, so that a task's row panels take one and a half times what
 * the longest panel of B does. */
static cutting cut(const laip_device *d, const laip_tile *t, size_t depth, size_t rows, size_t columns,
                   size_t block)
{
    size_t units = (size_t)d->traits.units, panel = (size_t)t->rows * block * sizeof(float);
    size_t cache = d->traits.cache > LEAST_CACHE ? d->traits.cache : LEAST_CACHE;
    size_t most = cache / 2 / panel, bands = parts(rows, most ? most : 1);
    cutting c = {.band = parts(rows, bands), .packs = columns * bands >= 2 * units};
    if (c.packs) {
        size_t last = rows - (bands - 1) * c.band;
        c.cut = units < columns ? units : columns;
        c.panels = parts(last, QUARTERS);
        c.count = bands * columns + c.cut * (parts(last, c.panels) - 1);
        return c;
    }
    size_t few = (size_t)t->columns * depth * sizeof(float) * 3 / 2 / panel;
    c.band = rows;
    c.cut = columns;
    c.panels = few < rows ? few : rows;
    while (c.panels > 1 && columns * parts(rows, c.panels) < units * TASKS_A_UNIT)
        c.panels = (c.panels + 1) / 2;
    c.count = columns * parts(rows, c.panels);
    return c;
}

void laip_packed_run(laip_device *d, const laip_gemm_implementation *self, const laip_product *p)
{
    const laip_epilogue *e = &p->epilogue;
    const laip_tile *t = &self->tile;
    size_t mr = (size_t)t->rows, nr = (size_t)t->columns, rows = parts(p->m, mr), columns = parts(p->n, nr);
    size_t depth = laip_tile_depth(d), block = parts(p->k, parts(p->k, depth)); /* blocks of one length */
    cutting c = cut(d, t, depth, rows, columns, block);
    laip_grid grid = laip_grid_tiles(d, c.count);
    bool in_place = !p->transpose_b && p->n % nr == 0 && p->m <= 2 * mr && !p->b.store;
    laip_mem ready = in_place ? p->b.mem : pack_b(d, t, p, true);
    if (!ready && !c.packs)
        ready = pack_b(d, t, p, false);
    laip_arg workspace = ready ? LAIP_UNUSED(p->c) : laip_launch_workspace(d, grid.groups[0] * nr * block);
    laip_mat sums = p->c.store && block < p->k ? laip_product_sums(d, p) : p->c;
    laip_mem a = pack_a(d, t, p);
    if (d->error.status != LAIP_OK)
        return;
    laip_profiler_flops(d, laip_product_flops(p));
    LAIP_LAUNCH(
        d, gemm_packed, options(t, p->c.store, p->b.store), grid, laip_arg_floats(a, rows * mr * p->k),
        LAIP_I(ready            ? LAIP_B_READY
               : p->transpose_b ? LAIP_B_TRANSPOSED
                                : LAIP_B_PLAIN),
        ready ? laip_arg_floats(ready, columns * nr * p->k) : LAIP_UNUSED(p->c),
        laip_arg_u64(in_place ? nr : nr * p->k), LAIP_I(in_place ? p->n : nr),
        ready ? LAIP_UNUSED(p->b) : LAIP_MAT(p->b), workspace, LAIP_UNUSED(sums),
        p->beta != 0 ? LAIP_BOTH(p->c) : LAIP_MAT(p->c), laip_epilogue_arg(e->bias, p),
        laip_epilogue_arg(e->pre, p), laip_epilogue_arg(e->residual, p),
        LAIP_I(laip_epilogue_bits(e) | (p->beta != 0 ? LAIP_ADD_TO_C : 0)), LAIP_I(p->m), LAIP_I(p->n),
        LAIP_I(p->k), LAIP_I(block), LAIP_I(c.band), LAIP_I(c.cut), LAIP_I(c.panels), laip_tile_counter(d));
}
