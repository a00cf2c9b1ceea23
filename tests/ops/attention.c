/* Attention in all its forms against the operation written out in double precision, with its gradients, at
 * sizes around those of the kernels' tiles; the reference's gradients against finite differences.
 * attention [PATTERN] runs the tests of that name only. */
#include "support/test.h"

#include "base/memory.h"
#include "base/rng.h"
#include "ops/attention.h"
#include "support/dropout.h"
#include "support/gradient.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* S sequences read T blocks of keys; lengths and block_sequences follow from q, k and kv_of. */
enum { MOST = 40, HEADS = 2 };
typedef struct sizes {
    int S, T;
    int q[MOST], k[MOST], kv_of[MOST];
} sizes;

typedef struct problem {
    int S, T, head;
    int32_t qb[MOST + 1], kb[MOST + 1], kv_of[MOST], block_sequences_begin[MOST + 1], block_sequences[MOST],
        id[2 * MOST];
    int qs, ks, qc, vc; /* rows of q have qs floats, heads from qc; of kv ks, keys from 0, values from vc */
    double dropout, tolerance;
    const float *q, *kv, *dout;
    double *o, *dq, *dkv; /* NULL: not wanted */
} problem;

static double dot(const double *a, const double *b, int n)
{
    double sum = 0;
    for (int c = 0; c < n; c++)
        sum += a[c] * b[c];
    return sum;
}

/* One query row of one head: its part of ⟨O, dO⟩, and of what else is wanted. */
static double row(const problem *p, const double *q, const double *kv, int s, int h, int i)
{
    int d = p->head, D = HEADS * d, k0 = p->kb[p->kv_of[s]], n = p->kb[p->kv_of[s] + 1] - k0;
    int nq = p->qb[s + 1] - p->qb[s];
    const double *mine = q + i * p->qs + p->qc + h * d, *keys = kv + k0 * p->ks + h * d,
                 *values = keys + p->vc;
    double most = -INFINITY, total = 0, sum = 0, mean = 0, g[256];
    double *a = laip_alloc((size_t)n, sizeof *a), *m = laip_alloc((size_t)n, sizeof *m);
    for (int c = 0; c < d; c++)
        g[c] = (double)p->dout[i * D + h * d + c];
    for (int j = 0; j < n; j++)
        most = fmax(most, a[j] = dot(mine, keys + j * p->ks, d) / sqrt(d));
    for (int j = 0; j < n; j++)
        total += a[j] = exp(a[j] - most);
    for (int j = 0; j < n; j++) {
        uint64_t id = (uint64_t)(uint32_t)p->id[2 * s + 1] << 32 | (uint32_t)p->id[2 * s];
        m[j] = laip_test_mask_factor(id, (uint32_t)((h * nq + i - p->qb[s]) * n + j), p->dropout);
        a[j] /= total;
    }
    for (int c = 0; c < d; c++) {
        double o = 0;
        for (int j = 0; j < n; j++)
            o += a[j] * m[j] * values[j * p->ks + c];
        if (p->o)
            p->o[i * D + h * d + c] = o;
        sum += o * g[c];
    }
    for (int j = 0; j < n && p->dq; j++)
        mean += a[j] * m[j] * dot(g, values + j * p->ks, d);
    for (int j = 0; j < n && p->dq; j++) {
        double ds = a[j] * (m[j] * dot(g, values + j * p->ks, d) - mean) / sqrt(d);
        double *dk = p->dkv + (k0 + j) * p->ks + h * d, *dq = p->dq + i * p->qs + p->qc + h * d;
        for (int c = 0; c < d; c++) {
            dq[c] += ds * keys[j * p->ks + c];
            dk[c] += ds * mine[c];
            dk[p->vc + c] += a[j] * m[j] * g[c];
        }
    }
    free(a);
    free(m);
    return sum;
}

static double run(const problem *p, const double *q, const double *kv)
{
    double sum = 0;
    for (int s = 0; s < p->S; s++)
        for (int h = 0; h < HEADS; h++)
            for (int i = p->qb[s]; i < p->qb[s + 1]; i++)
                sum += row(p, q, kv, s, h, i);
    return sum;
}

static double of_q(const double *q, void *context)
{
    const problem *p = context;
    double *kv = laip_test_doubles(p->kv, (size_t)(p->kb[p->T] * p->ks)), sum = run(p, q, kv);
    free(kv);
    return sum;
}

static double of_kv(const double *kv, void *context)
{
    const problem *p = context;
    double *q = laip_test_doubles(p->q, (size_t)(p->qb[p->S] * p->qs)), sum = run(p, q, kv);
    free(q);
    return sum;
}

/* Every element of a gradient: as wanted in the operation's columns, as it was outside them. */
static void check(const char *what, const float *got, const double *want, const float *old, size_t rows,
                  size_t cols, size_t first, size_t last, double tolerance)
{
    double largest = 1e-6;
    for (size_t i = 0; i < rows * cols; i++)
        largest = fmax(largest, fabs(want[i]));
    for (size_t i = 0; i < rows * cols; i++) {
        bool inside = i % cols >= first && i % cols < last;
        if (inside ? !(fabs((double)got[i] - want[i]) <= tolerance * largest) : !(got[i] == old[i]))
            fail_msg("%s of %zu x %zu: at (%zu, %zu) is %.8g, expected %.8g", what, rows, cols, i / cols,
                     i % cols, (double)got[i], inside ? want[i] : (double)old[i]);
    }
}

static laip_attention layout(laip_device *d, problem *p, const sizes *z, int head, float dropout)
{
    size_t S = (size_t)z->S, T = (size_t)z->T, longest_query = 0, longest_block = 0;
    *p = (problem){.S = z->S, .T = z->T, .head = head, .dropout = (double)dropout};
    for (int s = 0; s < z->S; s++) {
        p->qb[s + 1] = p->qb[s] + z->q[s];
        p->kv_of[s] = z->kv_of[s];
        p->id[2 * s] = 77 * s + 5;
        p->id[2 * s + 1] = 131 * s + 9;
        longest_query = (size_t)z->q[s] > longest_query ? (size_t)z->q[s] : longest_query;
    }
    for (int t = 0; t < z->T; t++) {
        p->kb[t + 1] = p->kb[t] + z->k[t];
        p->block_sequences_begin[t + 1] = p->block_sequences_begin[t];
        for (int s = 0; s < z->S; s++)
            if (z->kv_of[s] == t)
                p->block_sequences[p->block_sequences_begin[t + 1]++] = s;
        longest_block = (size_t)z->k[t] > longest_block ? (size_t)z->k[t] : longest_block;
    }
    return (laip_attention){.heads = HEADS,
                            .head_size = head,
                            .sequences = S,
                            .blocks = T,
                            .query_rows = (size_t)p->qb[S],
                            .key_rows = (size_t)p->kb[T],
                            .longest_query = longest_query,
                            .longest_block = longest_block,
                            .q_begin = laip_test_ints(d, S + 1, p->qb),
                            .kv_of = laip_test_ints(d, S, p->kv_of),
                            .k_begin = laip_test_ints(d, T + 1, p->kb),
                            .block_sequences_begin = laip_test_ints(d, T + 1, p->block_sequences_begin),
                            .block_sequences = laip_test_ints(d, S, p->block_sequences),
                            .ids = laip_test_ints(d, 2 * S, p->id),
                            .stream =
                                laip_rng_fold(LAIP_TEST_MASK_SEED, LAIP_TEST_MASK_STEP, LAIP_TEST_MASK_SITE),
                            .dropout = dropout};
}

/* The kernels against the double reference. */
static void compare(laip_device *d, const laip_attention *a, problem *p, float steep, bool differences)
{
    size_t rows = a->query_rows, keys = a->key_rows, D = (size_t)(HEADS * p->head), qs = (size_t)p->qs,
           ks = (size_t)p->ks, qc = (size_t)p->qc, vc = (size_t)p->vc;
    float *q = laip_test_random(rows * qs, 1, 1), *kv = laip_test_random(keys * ks, 1, 2);
    float *dout = laip_test_random(rows * D, 1, 3), *oldq = laip_test_random(rows * qs, 1, 4);
    float *oldk = laip_test_random(keys * ks, 1, 5);
    for (int t = 0; t < p->T; t++)
        for (int j = p->kb[t]; j < p->kb[t + 1]; j++)
            for (size_t c = 0; c < D; c++)
                kv[(size_t)j * ks + c] *= 1 + steep * (float)(j - p->kb[t]);
    double *o = laip_alloc(rows * D, sizeof *o), *dq = laip_alloc(rows * qs, sizeof *dq),
           *dkv = laip_alloc(keys * ks, sizeof *dkv), *Q = laip_test_doubles(q, rows * qs),
           *KV = laip_test_doubles(kv, keys * ks);
    memset(dq, 0, rows * qs * sizeof *dq);
    memset(dkv, 0, keys * ks * sizeof *dkv);
    p->q = q, p->kv = kv, p->dout = dout, p->o = o, p->dq = dq, p->dkv = dkv;
    run(p, Q, KV);
    p->o = p->dq = p->dkv = NULL;
    laip_mat mq = laip_test_mat(d, rows, qs, q), mkv = laip_test_mat(d, keys, ks, kv),
             mdo = laip_test_mat(d, rows, D, dout), mo = laip_mat_create(d, rows, D),
             lse = laip_mat_create(d, rows, HEADS), mdq = laip_test_mat(d, rows, qs, oldq),
             mdkv = laip_test_mat(d, keys, ks, oldk);
    laip_mat scratch =
        laip_mat_create(d, 1, laip_attention_scratch(d, HEADS, p->head, rows, a->blocks, a->longest_block));
    laip_heads hq = {mq, qc}, hk = {mkv, 0}, hv = {mkv, vc};
    laip_attention_forward(d, a, mo, lse, hq, hk, hv);
    laip_check_mat("O", d, mo, o, 0.4 * p->tolerance);
    laip_attention_gradients g = {.dq = {mdq, qc},
                                  .dk = {mdkv, 0},
                                  .dv = {mdkv, vc},
                                  .dout = mdo,
                                  .q = hq,
                                  .k = hk,
                                  .v = hv,
                                  .o = mo,
                                  .lse = lse,
                                  .scratch = scratch};
    laip_attention_backward(d, a, &g);
    float *gq = laip_test_read(d, mdq), *gkv = laip_test_read(d, mdkv);
    check("dq", gq, dq, oldq, rows, qs, qc, qc + D, p->tolerance);
    check("dk, dv", gkv, dkv, oldk, keys, ks, 0, vc + D, p->tolerance);
    for (size_t i = 0; i < rows * qs && differences; i++) /* elsewhere there is no gradient */
        gq[i] = (float)dq[i];
    for (size_t i = 0; i < keys * ks && differences; i++)
        gkv[i] = (float)dkv[i];
    if (differences) {
        laip_check_gradient("dq", of_q, p, q, rows * qs, gq, 3e-5);
        laip_check_gradient("dk, dv", of_kv, p, kv, keys * ks, gkv, 3e-5);
    }
    /* dq alone, and not of the last sequence, though the list of block_sequences has it */
    laip_attention but_one = *a;
    but_one.sequences--;
    laip_mat only = laip_test_mat(d, rows, qs, oldq);
    g.dq.m = only;
    g.dk.m = g.dv.m = (laip_mat){0};
    laip_attention_backward(d, &but_one, &g);
    for (size_t i = (size_t)p->qb[p->S - 1] * qs; i < rows * qs; i++)
        dq[i] = (double)oldq[i];
    float *alone = laip_test_read(d, only);
    check("dq alone", alone, dq, oldq, rows, qs, qc, qc + D, p->tolerance);
    laip_mem_release(only.mem);
    free(alone);
    laip_mem release[] = {mq.mem, mkv.mem, mdo.mem, mo.mem, lse.mem, mdq.mem, mdkv.mem, scratch.mem};
    for (size_t i = 0; i < sizeof release / sizeof *release; i++)
        laip_mem_release(release[i]);
    void *host[] = {q, kv, dout, oldq, oldk, o, dq, dkv, Q, KV, gq, gkv};
    for (size_t i = 0; i < sizeof host / sizeof *host; i++)
        free(host[i]);
}

/* Key j of a block is 1 + j · steep times as long. */
static void sloping(laip_device *d, const sizes *z, int head, float dropout, bool odd, bool differences,
                    float steep)
{
    problem p;
    laip_attention a = layout(d, &p, z, head, dropout);
    int D = HEADS * head;
    p.qs = odd ? D + 3 : D + 8, p.qc = odd ? 2 : 4, p.ks = odd ? 2 * D + 1 : 2 * D + 4, p.vc = D;
    p.tolerance = steep > 0 ? 4e-5 : 5e-6;
    compare(d, &a, &p, steep, differences);
    laip_mem release[] = {a.q_begin.mem,         a.kv_of.mem, a.k_begin.mem, a.block_sequences_begin.mem,
                          a.block_sequences.mem, a.ids.mem};
    for (size_t i = 0; i < sizeof release / sizeof *release; i++)
        laip_mem_release(release[i]);
}

static void one(laip_device *d, const sizes *z, int head, float dropout, bool odd, bool differences)
{
    sloping(d, z, head, dropout, odd, differences, 0);
}

/* Five sequences, of which three read the first block, two the third, and none the second. */
static const sizes few = {5, 3, {1, 2, 5, 17, 17}, {17, 3, 1}, {0, 2, 0, 0, 2}};
static const sizes more = {5, 3, {49, 1, 7, 1, 2}, {131, 1, 49}, {0, 2, 0, 0, 2}};

static void tiny_body(laip_device *d)
{
    static const sizes z = {3, 2, {1, 5, 35}, {1, 34}, {0, 1, 1}};
    one(d, &z, 16, 0.3f, true, true);
}

/* Each size of a head is compiled anew: those in vectors of 8 and 4, whose code is that of 16, have fewer. */
static bool all_heads(const laip_device *d)
{
    const laip_traits *t = laip_device_traits(d);
    return t->lanes > 1 || t->vector == 16;
}

static void heads_body(laip_device *d)
{
    one(d, &few, 5, 0.3f, true, true); /* sizes that only the plain form serves */
    one(d, &few, 16, 0, true, true);
    if (!all_heads(d))
        return;
    one(d, &few, 133, 0, false, false);
    one(d, &few, 20, 0.2f, false, false);
    one(d, &few, 132, 0.2f, false, false); /* columns of three groups, the last ones of few */
}

static void shared_body(laip_device *d)
{
    one(d, &more, all_heads(d) ? 32 : 16, 0.25f, true, true);
    one(d, &more, 64, 0.1f, false, false);
    one(d, &more, 64, 0, false, false);
}

static void edges_body(laip_device *d)
{
    static const sizes z = {
        8, 8, {31, 32, 33, 63, 64, 65, 1, 97}, {65, 97, 1, 31, 33, 32, 64, 63}, {0, 1, 2, 3, 4, 5, 6, 7}};
    static const sizes self = {3, 3, {127, 129, 47}, {127, 129, 47}, {0, 1, 2}};
    one(d, &z, 64, 0, false, false);
    one(d, &self, 64, 0.1f, false, false);
}

/* Scores that grow from key to key, far beyond what one power of 2 holds over the largest of the first. */
static void steep_body(laip_device *d)
{
    static const sizes z = {2, 2, {37, 3}, {421, 389}, {0, 1}};
    sloping(d, &z, 64, 0, false, false, 0.1f);
    sloping(d, &z, 16, 0.1f, true, false, 0.1f);
}

/* One block: fewer parts than a device with several units wants. */
static void one_block_body(laip_device *d)
{
    static const sizes z = {4, 1, {49, 7, 131, 16}, {97}, {0, 0, 0, 0}};
    static const sizes few_rows = {2, 1, {3, 5}, {577}, {0, 0}};
    one(d, &z, 64, 0.1f, false, false);
    one(d, &few_rows, all_heads(d) ? 32 : 16, 0, false, false);
}

static void phrases_body(laip_device *d)
{
    sizes z = {.S = MOST, .T = MOST};
    for (int s = 0; s < MOST; s++) {
        z.q[s] = z.k[s] = 1 + s * 7 % 19;
        z.kv_of[s] = s;
    }
    one(d, &z, 64, 0.1f, false, false);
    for (int s = 0; s < MOST; s++) /* two or three onto each of some blocks, none onto the last */
        z.kv_of[s] = s * 5 % 17;
    z.T = 18;
    one(d, &z, 64, 0.2f, false, false);
    for (int s = 0; s < MOST; s++) /* and all of them onto two images */
        z.kv_of[s] = s % 3 == 1;
    z.T = 2;
    z.k[0] = 145;
    z.k[1] = 37;
    one(d, &z, 64, 0, false, false);
}

static void tiny(void **state)
{
    (void)state;
    laip_test_shapes(tiny_body);
}

static void heads(void **state)
{
    (void)state;
    laip_test_shapes(heads_body);
}

static void shared_keys(void **state)
{
    (void)state;
    laip_test_shapes(shared_body);
}

static void edges(void **state)
{
    (void)state;
    laip_test_shapes(edges_body);
}

static void steep(void **state)
{
    (void)state;
    laip_test_shapes(steep_body);
}

static void one_block(void **state)
{
    (void)state;
    laip_test_shapes(one_block_body);
}

static void phrases(void **state)
{
    (void)state;
    laip_test_shapes(phrases_body);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tiny),        cmocka_unit_test(heads),
                                       cmocka_unit_test(shared_keys), cmocka_unit_test(edges),
                                       cmocka_unit_test(steep),       cmocka_unit_test(one_block),
                                       cmocka_unit_test(phrases)};
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
