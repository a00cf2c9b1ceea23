/* The plain product: serves everything, at no speed to speak of.  What the others are tested against, and
 * the last resort where none of them serves. */
#include "cl/kernels.h"
#include "ops/gemm/internal.h"

bool laip_reference_serves(const laip_device *d, const laip_product *p)
{
    (void)d;
    (void)p;
    return true;
}

void laip_reference_run(laip_device *d, const laip_gemm_implementation *self, const laip_product *p)
{
    static const char *const stored[3][3] = {{"", "-DB_HALF", "-DB_HALF -DBFLOAT16"},
                                             {"-DA_HALF", "-DA_HALF -DB_HALF", NULL},
                                             {"-DA_HALF -DBFLOAT16", NULL, "-DA_HALF -DB_HALF -DBFLOAT16"}};
    const char *options = stored[p->a.store][p->b.store];
    laip_mat sums = p->c.store ? laip_product_sums(d, p) : p->c;
    bool add = p->beta != 0 && !p->c.store;
    size_t count = p->m * p->n, each = laip_flat_each(d, count);
    (void)self;
    if (d->error.status != LAIP_OK)
        return;
    laip_profiler_flops(d, laip_product_flops(p));
    LAIP_LAUNCH(d, gemm_reference, options, laip_grid_flat(d, count, each), LAIP_MAT(p->a), LAIP_MAT(p->b),
                add ? LAIP_BOTH(sums) : LAIP_MAT(sums), LAIP_F(p->alpha), LAIP_I(add), LAIP_I(p->m),
                LAIP_I(p->n), LAIP_I(p->k), LAIP_I(p->transpose_a ? 1 : p->k),
                LAIP_I(p->transpose_a ? p->m : 1), LAIP_I(p->transpose_b ? p->k : 1),
                LAIP_I(p->transpose_b ? 1 : p->n), laip_arg_u64(each));
    laip_epilogue_launch(d, p, sums);
}
