/* What follows a product by CLBlast: bias, GELU, residual in one pass over C. */
#include "common.h"
#include "gelu.h"

ROW_KERNEL void gemm_epilogue(__global float *restrict c, __global const float *restrict bias, __global float *restrict pre,
                              __global const float *restrict residual, int n, int has_bias, int gelu, int has_pre,
                              int has_residual)
{
    size_t row = row_index();
    for (int j = row_lane(); j < n; j += LANES) {
        size_t at = row * n + j;
        float x = c[at] + (has_bias ? bias[j] : 0.0f);
        if (has_pre)
            pre[at] = x;
        if (gelu) {
            float one[VEC];
            VSTORE(vec_gelu((vecf)(x)), one);
            x = one[0];
        }
        c[at] = has_residual ? x + residual[at] : x;
    }
}
