/* Dropout with masks from counters: ops/dropout.h. */
#include "common.h"

ROW_KERNEL void dropout(__global const act *x, __global const act *residual, __global act *y,
                        __global const int *restrict row_sequence, __global const int *restrict begin,
                        __global const uint *restrict key, int width, int has_residual, uint threshold,
                        float scale)
{
    size_t row = row_index();
    int s = row_sequence[row];
    uint key0 = key[2 * s], key1 = key[2 * s + 1], base = ((uint)row - (uint)begin[s]) * (uint)width;
    for (int c = row_lane(); c < width; c += LANES) {
        size_t at = row * width + c;
        float kept = mask_bits(key0, key1, base + c) >= threshold ? ACT_GET(x + at) * scale : 0.0f;
        ACT_PUT(has_residual ? ACT_GET(residual + at) + kept : kept, y + at);
    }
}
