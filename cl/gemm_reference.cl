/* The matrix product as its definition says it: an item an element of C, nothing reused.  It serves every
 * device and product, and is what the other implementations are compared with; ops/gemm/reference.c. */
#include "common.h"

/* A and B lie as floats or as halves, each in its own way. */
#ifdef A_HALF
#define A_GET(i) number_get(a + (i))
typedef number16 act_a;
#else
#define A_GET(i) a[i]
typedef float act_a;
#endif
#ifdef B_HALF
#define B_GET(i) number_get(b + (i))
typedef number16 act_b;
#else
#define B_GET(i) b[i]
typedef float act_b;
#endif

/* sums[i, j] = alpha Σ_q op(A)[i, q] op(B)[q, j] (+ sums[i, j] with `add`); step_a and step_b are the
 * distances of consecutive rows of op(A) and columns of op(B), k_a and k_b those of consecutive q. */
FLAT_KERNEL void gemm_reference(__global const act_a *restrict a, __global const act_b *restrict b,
                                __global float *restrict sums, float alpha, int add, int m, int n, int k,
                                int step_a, int k_a, int step_b, int k_b, ulong each)
{
    ulong first = get_global_id(0) * each, last = min(first + each, (ulong)m * n);
    for (ulong at = first; at < last; at++) {
        size_t i = at / n, j = at % n;
        float sum = 0.0f;
        for (int q = 0; q < k; q++)
            sum = fma(A_GET(i * step_a + (size_t)q * k_a), B_GET(j * step_b + (size_t)q * k_b), sum);
        sums[at] = alpha * sum + (add ? sums[at] : 0.0f);
    }
}
