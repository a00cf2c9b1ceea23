/* Dropout with masks from counters: ops/dropout.h. */
#include "common.h"
#include "philox.h"

ROW_KERNEL void dropout(__global const act *x, __global const act *residual, __global act *y,
                        __global const int *restrict row_sequence, __global const int *restrict begin,
                        __global const uint *restrict ids, uint4 stream, int width, int has_residual,
                        uint threshold, float scale)
{
    size_t row = row_index();
    int s = row_sequence[row];
    uint2 key = dropout_key(stream, ids, s);
    uint base = ((uint)row - (uint)begin[s]) * (uint)width;
    for (int c = row_lane(); c < width; c += LANES) {
        size_t at = row * width + c;
        float kept = mask_bits(key.x, key.y, base + c) >= threshold ? ACT_GET(x + at) * scale : 0.0f;
        ACT_PUT(has_residual ? ACT_GET(residual + at) + kept : kept, y + at);
    }
}
