#include "support/test.h"

#include "base/memory.h"
#include "ops/probe.h"
#include "support/gradient.h"
#include <math.h>
#include <stdlib.h>

/* Three probes of five sequences; two of them read the same block. */
enum { S = 5, T = 2, HEADS = 2, PROBES = 3, N = 12 };
static const int32_t q_begin[S + 1] = {0, 2, 3, 7, 9, 10}, kv_of[S] = {1, 0, 1, 0, 1},
                                 k_begin[T + 1] = {0, N, 2 * N};
static const int32_t block_sequences_begin[T + 1] = {0, 2, 5}, block_sequences[S] = {1, 3, 0, 2, 4};

typedef struct problem {
    int head;
    const float *q, *kv, *dfore;
    double *fore;
} problem;

/* ⟨fore, dfore⟩, written out. */
static double run(const problem *p, const double *q, const double *kv)
{
    int d = p->head, D = HEADS * d, ks = 2 * D;
    double sum = 0;
    for (int j = 0; j < PROBES; j++) {
        double mean[N] = {0};
        for (int h = 0; h < HEADS; h++) {
            double a[N], total = 0;
            for (int i = 0; i < N; i++) {
                a[i] = 0;
                for (int c = 0; c < d; c++)
                    a[i] += q[q_begin[j] * D + h * d + c] * kv[(k_begin[kv_of[j]] + i) * ks + h * d + c] /
                            sqrt(d);
                total += a[i] = exp(a[i]);
            }
            for (int i = 0; i < N; i++)
                mean[i] += a[i] / total / HEADS;
        }
        for (int i = 1; i < N; i++) {
            sum += mean[i] * (double)p->dfore[j * (N - 1) + i - 1];
            if (p->fore)
                p->fore[j * (N - 1) + i - 1] = mean[i];
        }
    }
    return sum;
}

static double of_q(const double *q, void *context)
{
    const problem *p = context;
    double *kv = laip_test_doubles(p->kv, (size_t)(2 * N * 2 * HEADS * p->head)), sum = run(p, q, kv);
    free(kv);
    return sum;
}

static double of_kv(const double *kv, void *context)
{
    const problem *p = context;
    double *q = laip_test_doubles(p->q, (size_t)(q_begin[S] * HEADS * p->head)), sum = run(p, q, kv);
    free(q);
    return sum;
}

static void backward_attention(laip_device *d, const laip_attention *a, const float *kv, laip_heads hv)
{
    size_t D = (size_t)(HEADS * a->head_size);
    float *g = laip_test_random(PROBES * D, 1, 7);
    double want[PROBES * (N - 1)];
    for (int j = 0; j < PROBES; j++)
        for (int i = 1; i < N; i++) {
            double sum = 0;
            for (size_t c = 0; c < D; c++)
                sum += (double)g[(size_t)j * D + c] *
                       (double)kv[(size_t)(k_begin[kv_of[j]] + i) * 2 * D + D + c] / HEADS;
            want[j * (N - 1) + i - 1] = sum;
        }
    laip_mat mg = laip_test_mat(d, PROBES, D, g), back = laip_mat_create(d, PROBES, N - 1);
    laip_probe_backward_attention(d, a, PROBES, back, mg, hv);
    laip_check_mat("backward attention", d, back, want, 2e-6);
    laip_mem_release(mg.mem);
    laip_mem_release(back.mem);
    free(g);
}

static void one(laip_device *d, int head)
{
    size_t D = (size_t)(HEADS * head), rows = (size_t)q_begin[S], keys = 2 * N;
    float *q = laip_test_random(rows * D, 1, 1), *kv = laip_test_random(keys * 2 * D, 1, 2);
    float *dfore = laip_test_random(PROBES * (N - 1), 1, 3), *oldq = laip_test_random(rows * D, 1, 4);
    float *oldk = laip_test_random(keys * 2 * D, 1, 5);
    problem p = {head, q, kv, dfore, laip_alloc(PROBES * (N - 1), sizeof(double))};
    laip_attention a = {.heads = HEADS,
                        .head_size = head,
                        .sequences = S,
                        .blocks = T,
                        .query_rows = rows,
                        .key_rows = keys,
                        .longest_query = 4,
                        .longest_block = N,
                        .q_begin = laip_test_ints(d, S + 1, q_begin),
                        .kv_of = laip_test_ints(d, S, kv_of),
                        .k_begin = laip_test_ints(d, T + 1, k_begin),
                        .block_sequences_begin = laip_test_ints(d, T + 1, block_sequences_begin),
                        .block_sequences = laip_test_ints(d, S, block_sequences),
                        .ids = laip_test_ints(d, S, block_sequences)};
    laip_mat mq = laip_test_mat(d, rows, D, q), mkv = laip_test_mat(d, keys, 2 * D, kv),
             o = laip_mat_create(d, rows, D);
    laip_mat lse = laip_mat_create(d, rows, HEADS), fore = laip_mat_create(d, PROBES, N - 1);
    laip_mat df = laip_test_mat(d, PROBES, N - 1, dfore), dq = laip_test_mat(d, rows, D, oldq);
    laip_mat dkv = laip_test_mat(d, keys, 2 * D, oldk), scratch = laip_mat_create(d, PROBES * HEADS, N);
    laip_heads hq = {mq, 0}, hk = {mkv, 0}, hv = {mkv, D};
    laip_attention_forward(d, &a, o, lse, hq, hk, hv);
    laip_probe_forward(d, &a, PROBES, fore, hq, hk, lse);
    double *Q = laip_test_doubles(q, rows * D), *KV = laip_test_doubles(kv, keys * 2 * D);
    run(&p, Q, KV);
    laip_check_mat("forward attention", d, fore, p.fore, 2e-6);
    free(p.fore);
    p.fore = NULL;
    backward_attention(d, &a, kv, hv);
    laip_probe_gradient(d, &a, PROBES, df, (laip_heads){dq, 0}, (laip_heads){dkv, 0}, hq, hk, lse, scratch);
    float *gq = laip_test_read(d, dq), *gk = laip_test_read(d, dkv);
    for (size_t i = 0; i < rows * D; i++)
        gq[i] -= oldq[i]; /* what was there stays: the gradient is added */
    for (size_t i = 0; i < keys * 2 * D; i++)
        gk[i] -= oldk[i];
    laip_check_gradient("dq", of_q, &p, q, rows * D, gq, 2e-4);
    laip_check_gradient("dk", of_kv, &p, kv, keys * 2 * D, gk, 2e-4);
    laip_mem release[] = {mq.mem,
                          mkv.mem,
                          o.mem,
                          lse.mem,
                          fore.mem,
                          df.mem,
                          dq.mem,
                          dkv.mem,
                          scratch.mem,
                          a.q_begin.mem,
                          a.kv_of.mem,
                          a.k_begin.mem,
                          a.block_sequences_begin.mem,
                          a.block_sequences.mem,
                          a.ids.mem};
    for (size_t i = 0; i < sizeof release / sizeof *release; i++)
        laip_mem_release(release[i]);
    void *host[] = {q, kv, dfore, oldq, oldk, Q, KV, gq, gk};
    for (size_t i = 0; i < sizeof host / sizeof *host; i++)
        free(host[i]);
}

static void body(laip_device *d)
{
    one(d, 5);
    one(d, 16);
    one(d, 33);
}

static void test(void **state)
{
    (void)state;
    laip_test_shapes(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
