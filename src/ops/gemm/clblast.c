/* The product by CLBlast.  It prefers column-major matrices, and a row-major C is its transpose in
 * column-major: C' = op(B)' op(A)', so that the operands change places and no flag changes.  Matrices begin
 * at offset 0 of their (sub-)buffers: any other offset costs CLBlast a copy, and its strided batched product
 * is wrong there in some cases, which is why that is not used at all. */
#include "ops/elementwise.h"
#include "ops/gemm/internal.h"

#include <clblast_c.h>
#include <stdio.h>

void laip_clblast_close(void)
{
    CLBlastClearCache(); /* its programs would keep the closed context alive */
}

#define TEXT_OF(x) #x
#define VERSION_TEXT(a, b, c) TEXT_OF(a) "." TEXT_OF(b) "." TEXT_OF(c)

const char *laip_clblast_version(void)
{
    return VERSION_TEXT(CLBLAST_VERSION_MAJOR, CLBLAST_VERSION_MINOR, CLBLAST_VERSION_PATCH);
}

static bool check(laip_device *d, const laip_product *p, CLBlastStatusCode code, const char *call)
{
    char subject[160];
    snprintf(subject, sizeof subject, "product of %zu x %zu x %zu", p->m, p->n, p->k);
    return laip_cl_check(d, (cl_int)code, call, code == CLBlastSuccess ? NULL : subject);
}

/* Operands that are stored in 16 bits.  Its half-precision product would sum in halves, and wants a device
 * that computes in them: floats it is, made as seldom as the values allow: of weights that stay packed
 * (gemm.h) once for forward and backward, of a matrix that is held once for its products. */
static laip_mat floats_in(laip_mem mem, laip_mat m)
{
    return (laip_mat){mem, m.rows, m.cols, LAIP_STORE_FLOAT};
}

static laip_mat widened(laip_device *d, laip_workspace *w, laip_mat m)
{
    laip_mat wide =
        floats_in(laip_workspace_get(d, w, m.rows * m.cols * sizeof(float), "operand of a product"), m);
    if (wide.mem)
        laip_convert(d, wide, m);
    return wide;
}

static laip_mat wide_a(laip_device *d, laip_gemm_state *s, const laip_product *p)
{
    laip_mat m = p->a;
    bool held = s->held.mem && !p->measuring && s->held.mem == m.mem && s->held.rows == m.rows &&
                s->held.cols == m.cols;
    if (!m.store)
        return m;
    if (held && s->held_is_wide)
        return floats_in(s->wide_a.mem, m);
    s->held_is_wide = held;
    return widened(d, &s->wide_a, m);
}

static laip_mat wide_b(laip_device *d, laip_gemm_state *s, const laip_product *p)
{
    laip_product as_stored = *p; /* the same floats, whichever way a product reads them */
    bool valid;
    if (!p->b.store)
        return p->b;
    as_stored.transpose_b = true;
    as_stored.n = p->b.rows;
    as_stored.k = p->b.cols;
    laip_mem kept =
        laip_gemm_cached(d, &as_stored, LAIP_NOT_PACKED, p->b.rows * p->b.cols * sizeof(float), &valid);
    if (!kept)
        return widened(d, &s->wide_b, p->b);
    if (!valid)
        laip_convert(d, floats_in(kept, p->b), p->b);
    return floats_in(kept, p->b);
}

bool laip_clblast_serves(const laip_device *d, const laip_product *p)
{
    (void)d;
    (void)p;
    return true;
}

bool laip_clblast_competes(const laip_device *d, const laip_gemm_implementation *self)
{
    (void)d;
    (void)self;
    return true;
}

void laip_clblast_run(laip_device *d, const laip_gemm_implementation *self, const laip_product *p)
{
    (void)self;
    laip_gemm_state *s = laip_gemm_state_of(d);
    laip_mat a = wide_a(d, s, p), b = wide_b(d, s, p);
    laip_mat c = p->c.store ? laip_product_sums(d, p) : p->c;
    float beta = p->c.store ? 0 : p->beta;
    CLBlastTranspose first = p->transpose_b ? CLBlastTransposeYes : CLBlastTransposeNo;
    CLBlastTranspose second = p->transpose_a ? CLBlastTransposeYes : CLBlastTransposeNo;
    size_t bytes = 0;
    s->clblast_used = true;
    laip_tuned_apply(d);
    if (!a.mem || !b.mem || !c.mem ||
        !check(d, p,
               CLBlastSGemmTempBufferSize(CLBlastLayoutColMajor, first, second, p->n, p->m, p->k, 0, b.cols,
                                          0, a.cols, 0, p->n, &d->queue, &bytes),
               "CLBlastSGemmTempBufferSize"))
        return;
    laip_mem temporary = laip_workspace_get(d, &s->temporary, bytes ? bytes : 4, "temporary of a product");
    if (!temporary)
        return;
    double floats = (double)p->m * (double)p->k + (double)p->k * (double)p->n +
                    (beta != 0 ? 2 : 1) * (double)p->m * (double)p->n;
    laip_profiler_range(d);
    laip_profiler_flops(d, laip_product_flops(p));
    if (check(d, p,
              CLBlastSgemmWithTempBuffer(CLBlastLayoutColMajor, first, second, p->n, p->m, p->k, p->alpha,
                                         b.mem, 0, b.cols, a.mem, 0, a.cols, beta, c.mem, 0, p->n, &d->queue,
                                         laip_profiler_add(d, "clblast", floats * sizeof(float), true),
                                         temporary),
              "CLBlastSgemm"))
        laip_epilogue_launch(d, p, c);
}
