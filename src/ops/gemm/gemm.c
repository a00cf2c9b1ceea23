/* The matrix product's front: checks, the choice of who computes it, and the state that a device keeps. */
#include "ops/gemm/gemm.h"

#include "cl/kernels.h"
#include "ops/bias.h"
#include "ops/gelu.h"
#include "ops/gemm/internal.h"
#include <stdlib.h>
#include <string.h>

static void close_state(laip_device *d, void *state)
{
    laip_gemm_state *s = state;
    laip_gemm_cache_end(d);
    laip_mem_release(s->packed_a.mem);
    laip_mem_release(s->packed_b.mem);
    laip_mem_release(s->temporary.mem);
    laip_mem_release(s->wide_a.mem);
    laip_mem_release(s->wide_b.mem);
    laip_mem_release(s->sums.mem);
    if (s->clblast_used)
        laip_clblast_close();
    laip_gemm_choices_free(&s->choices);
}

static void force(laip_device *d, laip_gemm_state *s, const char *what, const char *name)
{
    const laip_gemm_implementation *row = laip_gemm_find(name);
    laip_error *error = d->error.status == LAIP_OK ? &d->error : &(laip_error){0};
    s->forced = NULL;
    laip_gemm_forget_serving(s);
    if (!laip_gemm_known(name))
        laip_bad_input(error, "%s is %s, expected " LAIP_GEMM_NAMES, what, name);
    else if (row && !row->serves(d, NULL))
        laip_bad_input(error,
                       "%s is %s, expected auto, clblast or reference: the packed product is for processors"
                       " that take wide vectors, unit and plain for others; %s is not such a device",
                       what, name, d->traits.name);
    else if (row)
        s->forced = strcmp(row->name, name) == 0 ? row->name : row->family;
}

laip_gemm_state *laip_gemm_state_of(laip_device *d)
{
    static const char owner = 0;
    bool made;
    laip_gemm_state *s = laip_device_attach(d, &owner, sizeof *s, close_state, &made);
    const char *name = made ? getenv("LAIP_GEMM") : NULL;
    if (name && *name)
        force(d, s, "LAIP_GEMM", name);
    return s;
}

void laip_gemm_force(laip_device *d, const char *name)
{
    force(d, laip_gemm_state_of(d), "gemm", name);
}

laip_mem laip_workspace_get(laip_device *d, laip_workspace *w, size_t bytes, const char *what)
{
    if (w->bytes < bytes) {
        laip_mem_release(w->mem); /* work in flight keeps it until it is done */
        w->mem = laip_mem_create(d, bytes, what);
        w->bytes = w->mem ? bytes : 0;
    }
    return w->mem;
}

void laip_gemm_hold(laip_device *d, laip_mat m)
{
    laip_gemm_state *s = laip_gemm_state_of(d);
    s->held = m;
    s->held_is_wide = false;
}

void laip_gemm_let_go(laip_device *d)
{
    laip_gemm_hold(d, (laip_mat){0});
}

int laip_epilogue_bits(const laip_epilogue *e)
{
    bool gelu = e->activation == LAIP_GELU;
    return (e->bias.mem ? LAIP_HAS_BIAS : 0) | (gelu ? LAIP_HAS_GELU : 0) |
           (gelu && e->pre.mem ? LAIP_HAS_PRE : 0) | (e->residual.mem ? LAIP_HAS_RESIDUAL : 0) |
           (e->slope_of.mem ? LAIP_HAS_SLOPE : 0) | (e->dropout ? LAIP_HAS_DROPOUT : 0);
}

/* Halves and bfloat16 do not meet in one product. */
static bool stores_agree(const laip_product *p)
{
    int seen = 1 << p->a.store | 1 << p->b.store | 1 << p->c.store;
    return !(seen & 1 << LAIP_STORE_HALF) || !(seen & 1 << LAIP_STORE_BFLOAT16);
}

static bool operands_agree(laip_device *d, const laip_product *p)
{
    size_t a_m = p->transpose_a ? p->a.cols : p->a.rows;
    size_t b_k = p->transpose_b ? p->b.cols : p->b.rows, b_n = p->transpose_b ? p->b.rows : p->b.cols;
    if (a_m != p->m || b_n != p->n || b_k != p->k)
        laip_device_fail(d, "product of %zu x %zu%s and %zu x %zu%s into %zu x %zu: the sizes do not agree",
                         p->a.rows, p->a.cols, p->transpose_a ? " transposed" : "", p->b.rows, p->b.cols,
                         p->transpose_b ? " transposed" : "", p->m, p->n);
    else if (!stores_agree(p))
        laip_device_fail(d, "product of %zu x %zu x %zu: of halves and of bfloat16", p->m, p->n, p->k);
    else if (p->m > INT32_MAX || p->n > INT32_MAX || p->k > INT32_MAX)
        laip_device_fail(d, "product of %zu x %zu x %zu: no side may be over %d", p->m, p->n, p->k,
                         INT32_MAX);
    else
        return true;
    return false;
}

static bool epilogue_agrees(laip_device *d, const laip_product *p)
{
    const struct {
        const char *what;
        laip_mat m;
        size_t rows;
    } parts[] = {{"bias", p->epilogue.bias, 1},
                 {"copy before the activation", p->epilogue.pre, p->m},
                 {"residual", p->epilogue.residual, p->m},
                 {"slope", p->epilogue.slope_of, p->m}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].m.mem && (parts[i].m.rows != parts[i].rows || parts[i].m.cols != p->n)) {
            laip_device_fail(d, "product into %zu x %zu: its %s is %zu x %zu", p->m, p->n, parts[i].what,
                             parts[i].m.rows, parts[i].m.cols);
            return false;
        }
    if (p->epilogue.bias.store || (p->epilogue.pre.mem && p->epilogue.pre.store != p->c.store) ||
        (p->epilogue.residual.mem && p->epilogue.residual.store != p->c.store) ||
        (p->epilogue.slope_of.mem && p->epilogue.slope_of.store != p->c.store)) {
        laip_device_fail(d, "product into %zu x %zu: its bias is of floats, the rest stored as C is", p->m,
                         p->n);
        return false;
    }
    const laip_dropout_mask *mask = p->epilogue.dropout;
    if (mask && mask->row_sequence.count < p->m) {
        laip_device_fail(d, "product into %zu x %zu: its dropout is of %zu rows", p->m, p->n,
                         mask->row_sequence.count);
        return false;
    }
    int bits = laip_epilogue_bits(&p->epilogue);
    if (p->beta != 0 && (p->beta != 1 || bits)) {
        laip_device_fail(d, "product with beta %g%s: beta is 0, or 1 without an epilogue", (double)p->beta,
                         bits ? " and an epilogue" : "");
        return false;
    }
    const laip_row_sums *s = &p->epilogue.row_sums;
    if ((p->epilogue.slope_of.mem && bits != LAIP_HAS_SLOPE) ||
        (s->to.mem && (!p->transpose_a || s->to.cols != p->m || s->first_skipped + s->skipped > p->m))) {
        laip_device_fail(d, "product into %zu x %zu: a slope with other ends, or sums that do not agree",
                         p->m, p->n);
        return false;
    }
    return true;
}

laip_arg laip_epilogue_arg(laip_mat m, const laip_product *p)
{
    return m.mem ? LAIP_MAT(m) : LAIP_UNUSED(p->c);
}

void laip_epilogue_launch(laip_device *d, const laip_product *p, laip_mat sums)
{
    const laip_epilogue *e = &p->epilogue;
    bool apart = sums.mem != p->c.mem;
    int what = laip_epilogue_bits(e) | (apart && p->beta != 0 ? LAIP_ADD_TO_C : 0);
    if (what || apart)
        LAIP_LAUNCH(d, gemm_epilogue, LAIP_STORAGE(d, "gemm_epilogue", p->c, e->pre, e->residual),
                    laip_grid_rows(d, p->m), LAIP_MAT(sums), p->beta != 0 ? LAIP_BOTH(p->c) : LAIP_MAT(p->c),
                    laip_epilogue_arg(e->bias, p), laip_epilogue_arg(e->pre, p),
                    laip_epilogue_arg(e->residual, p), LAIP_I(what), LAIP_I(p->n));
}

laip_mat laip_product_sums(laip_device *d, const laip_product *p)
{
    laip_mem mem =
        laip_workspace_get(d, &laip_gemm_state_of(d)->sums, p->m * p->n * sizeof(float), "sums of a product");
    return (laip_mat){mem, p->m, p->n, LAIP_STORE_FLOAT};
}

static laip_product without_fused(const laip_product *p)
{
    laip_product q = *p;
    q.epilogue.slope_of.mem = q.epilogue.row_sums.to.mem = NULL;
    q.epilogue.dropout = NULL;
    if (p->epilogue.dropout) /* which is added after it */
        q.epilogue.residual.mem = NULL;
    return q;
}

static void run_dropout(laip_device *d, const laip_product *p)
{
    if (p->epilogue.dropout)
        laip_dropout(d, p->c, p->c, p->epilogue.residual, p->epilogue.dropout);
}

/* What not all implementations fuse, in launches of its own. */
static void run_fused(laip_device *d, const laip_product *p)
{
    const laip_row_sums *s = &p->epilogue.row_sums;
    size_t behind = s->first_skipped + s->skipped;
    if (p->epilogue.slope_of.mem)
        laip_gelu_backward(d, p->c, p->c, p->epilogue.slope_of);
    run_dropout(d, p);
    if (!s->to.mem)
        return;
    laip_bias_gradient_columns(d, s->to, p->a, 0, s->first_skipped, s->scratch);
    laip_bias_gradient_columns(d, s->to, p->a, behind, p->a.cols - behind, s->scratch);
}

void laip_gemm(laip_device *d, bool transpose_a, bool transpose_b, float alpha, laip_mat a, laip_mat b,
               float beta, laip_mat c, const laip_epilogue *epilogue)
{
    laip_product p = {.transpose_a = transpose_a,
                      .transpose_b = transpose_b,
                      .m = c.rows,
                      .n = c.cols,
                      .k = transpose_a ? a.rows : a.cols,
                      .alpha = alpha,
                      .beta = beta,
                      .a = a,
                      .b = b,
                      .c = c};
    if (epilogue)
        p.epilogue = *epilogue;
    if (d->error.status != LAIP_OK || !operands_agree(d, &p) || !epilogue_agrees(d, &p) || !p.m || !p.n)
        return;
    if (!p.k) {
        laip_product q = without_fused(&p);
        laip_mat sums = laip_product_sums(d, &p);
        laip_mat_zero(d, sums);
        laip_epilogue_launch(d, &q, sums);
        run_dropout(d, &p);
        return;
    }
    const laip_gemm_implementation *row = laip_gemm_choose(d, &p);
    if (row->fuses) {
        row->run(d, row, &p);
        return;
    }
    laip_product q = without_fused(&p);
    row->run(d, row, &q);
    run_fused(d, &p);
}
