/* Similarity of pairs of unit vectors: ops/cosine.h. */
#include "common.h"

ROW_KERNEL void cosine(__global const float *restrict x, __global const float *restrict y,
                       __global const float *restrict weight, __global float *restrict similarity,
                       __global float *restrict dx, __global float *restrict dy, int width,
                       __global const float *restrict report, int scaled)
{
    ROW_SCRATCH(scratch);
    size_t row = row_index();
    int lane = row_lane();
    float sum = 0.0f, w = weight[row] * loss_scale(report, scaled);
    for (int c = lane; c < width; c += LANES) {
        float a = x[row * width + c], b = y[row * width + c];
        sum = fma(a, b, sum);
        dx[row * width + c] = w * b;
        dy[row * width + c] = w * a;
    }
    sum = row_sum(sum, scratch);
    if (lane == 0)
        similarity[row] = sum;
}
