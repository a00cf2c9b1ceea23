/* Rows by index, and back: ops/gather.h. */
#include "common.h"

ROW_KERNEL void gather_rows(__global const float *restrict x, __global const int *restrict index,
                            __global float *restrict y, int width)
{
    size_t row = row_index();
    int from = index[row], lane = row_lane(), whole = width / VEC * VEC;
    __global const float *s = x + (size_t)max(from, 0) * width;
    __global float *o = y + row * width;
    for (int c = lane * VEC; c < whole; c += LANES * VEC)
        VSTORE(from < 0 ? (vecf)(0.0f) : VLOAD(s + c), o + c);
    for (int c = whole + lane; c < width; c += LANES)
        o[c] = from < 0 ? 0.0f : s[c];
}

ROW_KERNEL void scatter_rows(__global const float *restrict x, __global const int *restrict target,
                             __global const int *restrict begin, __global const int *restrict source,
                             __global float *restrict y, int width)
{
    size_t u = row_index();
    int lane = row_lane(), whole = width / VEC * VEC, first = begin[u], last = begin[u + 1];
    __global float *o = y + (size_t)target[u] * width;
    for (int c = lane * VEC; c < whole; c += LANES * VEC) {
        vecf sum = VLOAD(o + c);
        for (int r = first; r < last; r++)
            sum += VLOAD(x + (size_t)source[r] * width + c);
        VSTORE(sum, o + c);
    }
    for (int c = whole + lane; c < width; c += LANES) {
        float sum = o[c];
        for (int r = first; r < last; r++)
            sum += x[(size_t)source[r] * width + c];
        o[c] = sum;
    }
}
