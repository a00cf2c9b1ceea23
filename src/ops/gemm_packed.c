/* The packed product's host side: see cl/gemm_packed.cl. */
#include "device/launch.h"
#include "ops/gemm_internal.h"

enum { NR = 32, MR = 12, KC = 384 };
enum { HAS_BIAS = 1, HAS_GELU = 2, HAS_PRE = 4, HAS_RESIDUAL = 8, ACCUMULATES = 16 };

/* Rows of a work-item's band: whole tiles, few enough that every core has several items. */
static size_t band_rows(const laip_device *d, size_t m, size_t panels)
{
    size_t tiles = (m + MR - 1) / MR, wanted = 4 * (size_t)d->traits.units;
    size_t bands = panels >= wanted ? 1 : (wanted + panels - 1) / panels;
    size_t each = (tiles + bands - 1) / bands;
    if (each > 16)
        each = 16; /* the rows of op(A) that a band rereads for each panel should stay in cache */
    return each * MR;
}

void laip_gemm_packed(laip_device *d, const laip_product *p)
{
    laip_gemm_state *s = laip_gemm_state_of(d);
    size_t panels = (p->n + NR - 1) / NR;
    laip_gemm_grow(d, &s->packed, &s->packed_bytes, panels * NR * p->k * sizeof(float), "packed matrix");
    if (!s->packed)
        return;
    laip_grid pack = {.groups = {panels, (p->k + KC - 1) / KC}};
    LAIP_LAUNCH(d, "gemm_packed.cl", p->tb ? "gemm_pack_t" : "gemm_pack_n", "", pack, LAIP_MAT(p->b),
                laip_arg_mem(s->packed), LAIP_I(p->n), LAIP_I(p->k), LAIP_I(p->b.cols));
    const laip_epilogue *e = &p->epilogue;
    int flags = (e->bias.mem ? HAS_BIAS : 0) | (e->activation == LAIP_GELU ? HAS_GELU : 0) |
                (e->pre.mem ? HAS_PRE : 0) | (e->residual.mem ? HAS_RESIDUAL : 0) |
                (p->beta != 0 ? ACCUMULATES : 0);
    size_t rows = band_rows(d, p->m, panels);
    laip_grid grid = {.groups = {panels, (p->m + rows - 1) / rows}};
    LAIP_LAUNCH(d, "gemm_packed.cl", p->ta ? "gemm_columns" : "gemm_rows", "", grid, LAIP_MAT(p->a),
                laip_arg_mem(s->packed), LAIP_MAT(p->c), LAIP_MAT(e->bias.mem ? e->bias : p->a),
                LAIP_MAT(e->pre.mem ? e->pre : p->c), LAIP_MAT(e->residual.mem ? e->residual : p->a),
                LAIP_I(p->m), LAIP_I(p->n), LAIP_I(p->k), LAIP_I(p->a.cols), LAIP_I(rows), LAIP_I(flags),
                LAIP_F(p->alpha));
}
