/* Rows of unit length: ops/l2norm.h. */
#include "common.h"

ROW_KERNEL void l2norm_forward(__global const float *x, __global float *y, __global float *restrict norm,
                               int width)
{
    ROW_SCRATCH(scratch);
    size_t row = row_index();
    int lane = row_lane();
    float sum = 0.0f;
    for (int c = lane; c < width; c += LANES)
        sum = fma(x[row * width + c], x[row * width + c], sum);
    float length = fmax(sqrt(row_sum(sum, scratch)), 1e-12f);
    for (int c = lane; c < width; c += LANES)
        y[row * width + c] = x[row * width + c] / length;
    if (lane == 0)
        norm[row] = length;
}

ROW_KERNEL void l2norm_backward(__global const float *dy, __global const float *restrict y,
                                __global const float *restrict norm, __global float *dx, int width)
{
    ROW_SCRATCH(scratch);
    size_t row = row_index();
    int lane = row_lane();
    float sum = 0.0f;
    for (int c = lane; c < width; c += LANES)
        sum = fma(dy[row * width + c], y[row * width + c], sum);
    sum = row_sum(sum, scratch);
    for (int c = lane; c < width; c += LANES)
        dx[row * width + c] = (dy[row * width + c] - y[row * width + c] * sum) / norm[row];
}
