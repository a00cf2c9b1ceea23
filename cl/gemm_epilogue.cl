/* What follows a product whose implementation has no epilogue of its own: bias, GELU, residual, from the sums
 * into C, which may be the same.  A group a row; see ops/gemm.h. */
#include "common.h"

#include "gelu.h"

/* v are the values of columns j up to j + count of the row that begins at `row`. */
static inline vecf ends(vecf v, vecf bias, vecf residual, int what)
{
    if (what & LAIP_HAS_BIAS)
        v += bias;
    if (what & LAIP_HAS_GELU)
        v = vec_gelu(v);
    return what & (LAIP_HAS_RESIDUAL | LAIP_ADD_TO_C) ? v + residual : v;
}

ROW_KERNEL void gemm_epilogue(__global const float *sums, __global act *c, __global const float *bias,
                              __global act *pre, __global const act *residual, int what, int n)
{
    size_t row = row_index() * n;
    int whole = n / VEC * VEC, adds = what & (LAIP_HAS_RESIDUAL | LAIP_ADD_TO_C);
    vecf none = (vecf)(0.0f);
    if (what & LAIP_ADD_TO_C)
        residual = c;
    for (int j = row_lane() * VEC; j < whole; j += LANES * VEC) {
        vecf v = VLOAD(sums + row + j), b = what & LAIP_HAS_BIAS ? VLOAD(bias + j) : none;
        if (what & LAIP_HAS_PRE)
            ACT_STORE(v + b, pre + row + j);
        ACT_STORE(ends(v, b, adds ? ACT_LOAD(residual + row + j) : none, what), c + row + j);
    }
    for (int j = whole + row_lane(); j < n; j += LANES) {
        float v = sums[row + j], b = what & LAIP_HAS_BIAS ? bias[j] : 0, one[VEC];
        if (what & LAIP_HAS_PRE)
            ACT_PUT(v + b, pre + row + j);
        VSTORE(ends((vecf)(v), (vecf)(b), (vecf)(adds ? ACT_GET(residual + row + j) : 0), what), one);
        ACT_PUT(one[0], c + row + j);
    }
}
