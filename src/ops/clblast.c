/* Products by CLBlast.  All of its habits stay in this file: it prefers column-major, so a row-major C = A B
 * is asked for as Cᵀ = Bᵀ Aᵀ; offsets are 0 (every other costs a packing copy); the workspace is ours; k = 0
 * never gets here; its batched strided routine is not used, as it gives wrong results, with status 0, for
 * offsets and strides that need no packing. */
#include "device/launch.h"
#include "ops/gemm_internal.h"

#include <clblast_c.h>

static void epilogue(laip_device *d, const laip_product *p)
{
    const laip_epilogue *e = &p->epilogue;
    if (!e->bias.mem && e->activation == LAIP_LINEAR && !e->residual.mem && !e->pre.mem)
        return;
    LAIP_LAUNCH(d, "gemm_epilogue.cl", "gemm_epilogue", "", laip_grid_rows(d, p->m), LAIP_MAT(p->c),
                LAIP_MAT(e->bias.mem ? e->bias : p->a), LAIP_MAT(e->pre.mem ? e->pre : p->b),
                LAIP_MAT(e->residual.mem ? e->residual : p->a), LAIP_I(p->n), LAIP_I(e->bias.mem != NULL),
                LAIP_I(e->activation == LAIP_GELU), LAIP_I(e->pre.mem != NULL),
                LAIP_I(e->residual.mem != NULL));
}

void laip_gemm_clblast(laip_device *d, const laip_product *p)
{
    laip_gemm_state *s = laip_gemm_state_of(d);
    CLBlastTranspose first = p->tb ? CLBlastTransposeYes : CLBlastTransposeNo;
    CLBlastTranspose second = p->ta ? CLBlastTransposeYes : CLBlastTransposeNo;
    size_t bytes = 0;
    CLBlastStatusCode code =
        CLBlastSGemmTempBufferSize(CLBlastLayoutColMajor, first, second, p->n, p->m, p->k, 0, p->b.cols, 0,
                                   p->a.cols, 0, p->c.cols, &d->queue, &bytes);
    if (code == CLBlastSuccess) {
        laip_gemm_grow(d, &s->workspace, &s->workspace_bytes, bytes, "CLBlast's workspace");
        if (d->error.status != LAIP_OK)
            return;
        d->counters.launches++;
        code = CLBlastSgemmWithTempBuffer(CLBlastLayoutColMajor, first, second, p->n, p->m, p->k, p->alpha,
                                          p->b.mem, 0, p->b.cols, p->a.mem, 0, p->a.cols, p->beta, p->c.mem,
                                          0, p->c.cols, &d->queue, laip_profile_event(d, "clblast"),
                                          bytes ? s->workspace : NULL);
    }
    if (code != CLBlastSuccess) {
        laip_device_fail(d, "CLBlastSgemm: status %d on %s: m %zu, n %zu, k %zu", (int)code, d->traits.name,
                         p->m, p->n, p->k);
        return;
    }
    epilogue(d, p);
}
