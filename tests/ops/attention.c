#include "support/test.h"

#include "base/memory.h"
#include "ops/attention.h"
#include "support/gradient.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Five sequences, of which three read the first block, two the third, and none the second. */
enum { S = 5, T = 3, HEADS = 2 };
static const int32_t kv_of[S] = {0, 2, 0, 0, 2}, readers_begin[T + 1] = {0, 3, 3, 5},
                     readers[S] = {0, 2, 3, 1, 4};

typedef struct problem {
    int head;
    const int32_t *qb, *kb, *key;
    double dropout;
    const float *q, *kv,
        *dout; /* q [rows, D + 3] from column 2; kv [rows, 2D + 1], keys from 0, values from D */
    double *o;
} problem;

static uint32_t mask_bits(uint32_t key0, uint32_t key1, uint32_t index)
{
    uint32_t x = index * 0x9e3779b1u ^ key0;
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x += key1;
    x *= 0x846ca68bu;
    x ^= x >> 16;
    x *= 0x9e3779b1u;
    return x ^ x >> 15;
}

/* ⟨O, dO⟩, the operation written out; O into p->o where that is wanted. */
static double run(const problem *p, const double *q, const double *kv)
{
    int d = p->head, D = HEADS * d, qs = D + 3, ks = 2 * D + 1;
    double sum = 0, a[256];
    for (int s = 0; s < S; s++)
        for (int h = 0; h < HEADS; h++)
            for (int i = p->qb[s]; i < p->qb[s + 1]; i++) {
                int k0 = p->kb[kv_of[s]], n = p->kb[kv_of[s] + 1] - k0, nq = p->qb[s + 1] - p->qb[s];
                double most = -INFINITY, total = 0;
                for (int j = 0; j < n; j++) {
                    a[j] = 0;
                    for (int c = 0; c < d; c++)
                        a[j] += q[i * qs + 2 + h * d + c] * kv[(k0 + j) * ks + h * d + c] / sqrt(d);
                    most = fmax(most, a[j]);
                }
                for (int j = 0; j < n; j++)
                    total += a[j] = exp(a[j] - most);
                for (int j = 0; j < n; j++) {
                    uint32_t bits = mask_bits((uint32_t)p->key[2 * s], (uint32_t)p->key[2 * s + 1],
                                              (uint32_t)((h * nq + i - p->qb[s]) * n + j));
                    bool kept = bits >= (uint32_t)(p->dropout * 4294967296.0);
                    a[j] *= (p->dropout > 0 ? (kept ? 1 / (1 - p->dropout) : 0) : 1) / total;
                }
                for (int c = 0; c < d; c++) {
                    double o = 0;
                    for (int j = 0; j < n; j++)
                        o += a[j] * kv[(k0 + j) * ks + D + h * d + c];
                    if (p->o)
                        p->o[i * D + h * d + c] = o;
                    sum += o * (double)p->dout[i * D + h * d + c];
                }
            }
    return sum;
}

static double of_q(const double *q, void *context)
{
    const problem *p = context;
    int D = HEADS * p->head;
    double *kv = laip_test_doubles(p->kv, (size_t)(p->kb[T] * (2 * D + 1))), sum = run(p, q, kv);
    free(kv);
    return sum;
}

static double of_kv(const double *kv, void *context)
{
    const problem *p = context;
    int D = HEADS * p->head;
    double *q = laip_test_doubles(p->q, (size_t)(p->qb[S] * (D + 3))), sum = run(p, q, kv);
    free(q);
    return sum;
}

/* Elements of a gradient that lie outside the named columns must be as they were. */
static void outside(const float *got, const float *old, size_t rows, size_t cols, size_t first, size_t last)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < cols; c++)
            if (c < first || c >= last)
                assert_true(got[r * cols + c] == old[r * cols + c]);
}

static void one(laip_device *d, int head, const int32_t *qb, const int32_t *kb, float dropout)
{
    size_t D = (size_t)(HEADS * head), rows = (size_t)qb[S], keys = (size_t)kb[T], qs = D + 3, ks = 2 * D + 1;
    int32_t key[2 * S];
    for (int i = 0; i < 2 * S; i++)
        key[i] = 77 * i + 5;
    float *q = laip_test_random(rows * qs, 1, 1), *kv = laip_test_random(keys * ks, 1, 2);
    float *dout = laip_test_random(rows * D, 1, 3), *oldq = laip_test_random(rows * qs, 1, 4);
    float *oldk = laip_test_random(keys * ks, 1, 5);
    problem p = {head, qb, kb, key, (double)dropout, q, kv, dout, laip_alloc(rows * D, sizeof(double))};
    laip_attention a = {.heads = HEADS,
                        .head_size = head,
                        .sequences = S,
                        .blocks = T,
                        .query_rows = rows,
                        .key_rows = keys,
                        .q_begin = laip_test_ints(d, S + 1, qb),
                        .kv_of = laip_test_ints(d, S, kv_of),
                        .k_begin = laip_test_ints(d, T + 1, kb),
                        .readers_begin = laip_test_ints(d, T + 1, readers_begin),
                        .readers = laip_test_ints(d, S, readers),
                        .dropout_key = laip_test_ints(d, 2 * S, key),
                        .dropout = dropout};
    for (int s = 0; s < S; s++)
        a.longest_query =
            (size_t)(qb[s + 1] - qb[s]) > a.longest_query ? (size_t)(qb[s + 1] - qb[s]) : a.longest_query;
    for (int t = 0; t < T; t++)
        a.longest_block =
            (size_t)(kb[t + 1] - kb[t]) > a.longest_block ? (size_t)(kb[t + 1] - kb[t]) : a.longest_block;
    laip_mat mq = laip_test_mat(d, rows, qs, q), mkv = laip_test_mat(d, keys, ks, kv),
             mdo = laip_test_mat(d, rows, D, dout);
    laip_mat o = laip_mat_create(d, rows, D), lse = laip_mat_create(d, rows, HEADS),
             dq = laip_test_mat(d, rows, qs, oldq);
    laip_mat dkv = laip_test_mat(d, keys, ks, oldk);
    laip_mat scratch = laip_mat_create(
        d, 1, laip_attention_scratch(d, HEADS, head, rows, keys, S, T, a.longest_query, a.longest_block));
    laip_heads hq = {mq, 2}, hk = {mkv, 0}, hv = {mkv, D};
    laip_attention_forward(d, &a, o, lse, hq, hk, hv);
    double *Q = laip_test_doubles(q, rows * qs), *KV = laip_test_doubles(kv, keys * ks);
    run(&p, Q, KV);
    laip_check_mat("O", d, o, p.o, 2e-6);
    free(p.o);
    p.o = NULL;
    laip_attention_backward(d, &a, (laip_heads){dq, 2}, (laip_heads){dkv, 0}, (laip_heads){dkv, D}, mdo, o,
                            lse, hq, hk, hv, scratch);
    float *gq = laip_test_read(d, dq), *gkv = laip_test_read(d, dkv);
    outside(gq, oldq, rows, qs, 2, 2 + D);
    outside(gkv, oldk, keys, ks, 0, 2 * D);
    for (size_t r = 0; r < rows; r++) /* columns that are not the operation's have no gradient */
        gq[r * qs] = gq[r * qs + 1] = gq[r * qs + qs - 1] = 0;
    for (size_t r = 0; r < keys; r++)
        gkv[r * ks + 2 * D] = 0;
    for (size_t r = (size_t)kb[1]; r < (size_t)kb[2]; r++) /* nobody reads the second block */
        for (size_t c = 0; c < 2 * D; c++)
            assert_true(gkv[r * ks + c] == 0);
    laip_check_gradient("dq", of_q, &p, q, rows * qs, gq, 3e-5);
    laip_check_gradient("dk, dv", of_kv, &p, kv, keys * ks, gkv, 3e-5);
    laip_mem release[] = {mq.mem,        mkv.mem,          mdo.mem,       o.mem,
                          lse.mem,       dq.mem,           dkv.mem,       scratch.mem,
                          a.q_begin.mem, a.kv_of.mem,      a.k_begin.mem, a.readers_begin.mem,
                          a.readers.mem, a.dropout_key.mem};
    for (size_t i = 0; i < sizeof release / sizeof *release; i++)
        laip_mem_release(release[i]);
    void *host[] = {q, kv, dout, oldq, oldk, Q, KV, gq, gkv};
    for (size_t i = 0; i < sizeof host / sizeof *host; i++)
        free(host[i]);
}

static void body(laip_device *d)
{
    static const int32_t small_q[S + 1] = {0, 1, 3, 8, 25, 42}, small_k[T + 1] = {0, 17, 20, 21};
    static const int32_t large_q[S + 1] = {0, 49, 50, 57, 58, 60}, large_k[T + 1] = {0, 131, 132, 181};
    one(d, 16, small_q, small_k, 0);
    one(d, 5, small_q, small_k, 0.3f);
    one(d, 32, large_q, large_k, 0.25f);
    one(d, 48, small_q, small_k, 0);
    one(d, 24, large_q, large_k, 0);
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
