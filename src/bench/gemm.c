/* Matrix products of the model for `laip-bench ops`: a ViT-B/16 at 384 × 384 (577 tokens an image, two
 * images), its backward products, a short batch of caption tokens, and the vocabulary. */
#include "ops/gemm/gemm.h"
#include "bench/bench.h"

#include <stdio.h>

typedef struct shape {
    const char *what;
    bool transpose_a, transpose_b;
    size_t m, n, k;
} shape;

static const shape shapes[] = {
    {"mlp in", false, true, 1154, 3072, 768},
    {"mlp out", false, true, 1154, 768, 3072},
    {"attention out", false, true, 1154, 768, 768},
    {"query, key, value", false, true, 1154, 2304, 768},
    {"mlp in, gradient of weights", true, false, 3072, 768, 1154},
    {"mlp out, gradient of weights", true, false, 768, 3072, 1154},
    {"mlp in, gradient of data", false, false, 1154, 768, 3072},
    {"mlp out, gradient of data", false, false, 1154, 3072, 768},
    {"captions, mlp in", false, true, 100, 3072, 768},
    {"one row", false, true, 1, 768, 768},
    {"vocabulary", false, true, 256, 30522, 768},
};

typedef struct operands {
    const shape *s;
    laip_mat a, b, c;
} operands;

static void product(laip_device *d, void *context)
{
    const operands *o = context;
    laip_gemm(d, o->s->transpose_a, o->s->transpose_b, 1, o->a, o->b, 0, o->c, NULL);
}

static laip_mat filled(laip_device *d, size_t rows, size_t cols)
{
    laip_mat m = laip_mat_create(d, rows, cols);
    laip_bench_fill(d, m);
    return m;
}

static bool measure(const laip_bench_run *run, operands *o, const char *how, laip_error *error)
{
    const shape *s = o->s;
    char name[128];
    snprintf(name, sizeof name, "%zu x %zu x %zu %s: %s", s->m, s->n, s->k, s->what, how);
    return laip_bench_op(run, name, product, o, error);
}

static bool measure_shape(const laip_bench_run *run, const shape *s, bool tuned, laip_error *error)
{
    laip_device *d = run->device;
    operands o = {s, filled(d, s->transpose_a ? s->k : s->m, s->transpose_a ? s->m : s->k),
                  filled(d, s->transpose_b ? s->n : s->k, s->transpose_b ? s->k : s->n),
                  laip_mat_create(d, s->m, s->n)};
    bool good = laip_device_ok(d, error);
    if (good && !tuned && laip_device_traits(d)->lanes == 1) {
        laip_gemm_force(d, "packed");
        good = measure(run, &o, "packed", error);
        laip_gemm_cache_begin(d, o.b.mem, SIZE_MAX);
        good = good && measure(run, &o, "packed, weights kept", error);
        laip_gemm_cache_end(d);
    }
    laip_gemm_force(d, "clblast");
    good = good && measure(run, &o, tuned ? "CLBlast, tuned" : "CLBlast, untuned", error);
    laip_gemm_force(d, "auto");
    laip_mem_release(o.a.mem);
    laip_mem_release(o.b.mem);
    laip_mem_release(o.c.mem);
    return good;
}

bool laip_bench_gemm(const laip_bench_run *run, laip_error *error)
{
    enum { SHAPES = sizeof shapes / sizeof *shapes };
    laip_gemm_use_tuned(run->device, false);
    for (size_t i = 0; i < SHAPES; i++)
        if (!measure_shape(run, &shapes[i], false, error))
            return false;
    if (!laip_gemm_use_tuned(run->device, true))
        return true;
    for (size_t i = 0; i < SHAPES; i++)
        if (!measure_shape(run, &shapes[i], true, error))
            return false;
    return true;
}
