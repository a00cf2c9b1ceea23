/* Dropout with masks from counters: ops/dropout.h. */
#include "common.h"

ROW_KERNEL void dropout(__global const float *x, __global const float *residual, __global float *y,
                        __global const int *restrict row_sequence, __global const int *restrict begin,
                        __global const uint *restrict key, int width, int has_residual, uint threshold,
                        float scale)
{
    size_t row = row_index();
    int s = row_sequence[row];
    uint key0 = key[2 * s], key1 = key[2 * s + 1], base = ((uint)row - (uint)begin[s]) * (uint)width;
    for (int c = row_lane(); c < width; c += LANES) {
        size_t at = row * width + c;
        float kept = mask_bits(key0, key1, base + c) >= threshold ? x[at] * scale : 0.0f;
        y[at] = has_residual ? residual[at] + kept : kept;
    }
}
