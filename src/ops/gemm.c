#include "ops/gemm.h"

#include "ops/gemm_internal.h"
#include <stdlib.h>
#include <string.h>

const char *const laip_gemm_names[] = {"auto", "packed", "clblast", NULL};

static void close_state(laip_device *d)
{
    laip_gemm_state *s = d->gemm;
    laip_mem_release(s->packed);
    laip_mem_release(s->workspace);
    laip_map_free(&s->choices);
    free(s->choice_path);
    free(s);
    d->gemm = NULL;
}

laip_gemm_state *laip_gemm_state_of(laip_device *d)
{
    if (!d->gemm) {
        laip_gemm_state *s = laip_alloc(1, sizeof *s);
        const char *name = getenv("LAIP_GEMM");
        for (int i = 0; name && laip_gemm_names[i]; i++)
            if (strcmp(name, laip_gemm_names[i]) == 0)
                s->forced = (laip_gemm_backend)i;
        d->gemm = s;
        d->gemm_close = close_state;
    }
    return d->gemm;
}

void laip_gemm_force(laip_device *d, laip_gemm_backend backend)
{
    laip_gemm_state_of(d)->forced = backend;
}

void laip_gemm_grow(laip_device *d, laip_mem *mem, size_t *have, size_t bytes, const char *what)
{
    if (bytes <= *have)
        return;
    laip_mem_release(*mem);
    *mem = laip_mem_create(d, bytes, what);
    *have = *mem ? bytes : 0;
}

static bool fits(laip_device *d, const laip_product *p, const laip_epilogue *e)
{
    size_t am = p->ta ? p->a.cols : p->a.rows, bk = p->tb ? p->b.cols : p->b.rows,
           bn = p->tb ? p->b.rows : p->b.cols;
    if (am != p->m || bk != p->k || bn != p->n)
        laip_device_fail(d, "gemm: %zu x %zu %s times %zu x %zu %s does not give %zu x %zu", p->a.rows,
                         p->a.cols, p->ta ? "transposed" : "as is", p->b.rows, p->b.cols,
                         p->tb ? "transposed" : "as is", p->m, p->n);
    else if (e && p->beta != 0)
        laip_device_fail(d, "gemm: an epilogue with beta %g", (double)p->beta);
    else if (p->beta != 0 && p->beta != 1)
        laip_device_fail(d, "gemm: beta is %g, expected 0 or 1", (double)p->beta);
    else
        return true;
    return false;
}

void laip_gemm(laip_device *d, bool ta, bool tb, float alpha, laip_mat a, laip_mat b, float beta, laip_mat c,
               const laip_epilogue *epilogue)
{
    laip_product p = {ta,   tb, c.rows, c.cols, ta ? a.rows : a.cols,        alpha,
                      beta, a,  b,      c,      {{0}, LAIP_LINEAR, {0}, {0}}};
    if (epilogue)
        p.epilogue = *epilogue;
    if (!p.m || !p.n || d->error.status != LAIP_OK || !fits(d, &p, epilogue))
        return;
    if (!p.k) {
        if (beta == 0)
            laip_mat_zero(d, c);
        return;
    }
    d->counters.flops += 2 * (double)p.m * (double)p.n * (double)p.k;
    laip_gemm_state *s = laip_gemm_state_of(d);
    laip_gemm_backend backend = s->forced != LAIP_GEMM_AUTO ? s->forced : laip_gemm_choose(d, &p);
    if (backend == LAIP_GEMM_PACKED)
        laip_gemm_packed(d, &p);
    else
        laip_gemm_clblast(d, &p);
}
