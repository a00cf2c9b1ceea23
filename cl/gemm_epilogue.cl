/* What follows a product whose implementation has no epilogue of its own: bias, GELU, residual, in place in
 * C. A group a row; see ops/gemm.h. */
#include "common.h"

#include "gelu.h"

enum { HAS_BIAS = 1, HAS_GELU = 2, HAS_PRE = 4, HAS_RESIDUAL = 8 };

/* v are the values of columns j up to j + count of the row that begins at `row`. */
inline vecf ends(vecf v, vecf bias, vecf residual, int what)
{
    if (what & HAS_BIAS)
        v += bias;
    if (what & HAS_GELU)
        v = vec_gelu(v);
    return what & HAS_RESIDUAL ? v + residual : v;
}

ROW_KERNEL void gemm_epilogue(__global float *c, __global const float *bias, __global float *pre,
                              __global const float *residual, int what, int n)
{
    size_t row = row_index() * n;
    int whole = n / VEC * VEC;
    vecf none = (vecf)(0.0f);
    for (int j = row_lane() * VEC; j < whole; j += LANES * VEC) {
        vecf v = VLOAD(c + row + j), b = what & HAS_BIAS ? VLOAD(bias + j) : none;
        if (what & HAS_PRE)
            VSTORE(v + b, pre + row + j);
        VSTORE(ends(v, b, what & HAS_RESIDUAL ? VLOAD(residual + row + j) : none, what), c + row + j);
    }
    for (int j = whole + row_lane(); j < n; j += LANES) {
        float v = c[row + j], b = what & HAS_BIAS ? bias[j] : 0, one[VEC];
        if (what & HAS_PRE)
            pre[row + j] = v + b;
        VSTORE(ends((vecf)(v), (vecf)(b), (vecf)(what & HAS_RESIDUAL ? residual[row + j] : 0), what), one);
        c[row + j] = one[0];
    }
}
