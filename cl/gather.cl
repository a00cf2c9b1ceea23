/* Rows by index, and back: ops/gather.h. */
#include "common.h"

/* What scatter adds to: activations, or with -DFLOAT_SUMS the gradient of a parameter. */
#ifdef FLOAT_SUMS
typedef float sums;
#define SUMS_LOAD(p) VLOAD(p)
#define SUMS_STORE(v, p) VSTORE(v, p)
#define SUMS_GET(p) (*(p))
#define SUMS_PUT(x, p) (*(p) = (x))
#else
typedef act sums;
#define SUMS_LOAD(p) ACT_LOAD(p)
#define SUMS_STORE(v, p) ACT_STORE(v, p)
#define SUMS_GET(p) ACT_GET(p)
#define SUMS_PUT(x, p) ACT_PUT(x, p)
#endif

ROW_KERNEL void gather_rows(__global const act *restrict x, __global const int *restrict index,
                            __global act *restrict y, int width)
{
    size_t row = row_index();
    int from = index[row], lane = row_lane(), whole = width / VEC * VEC;
    __global const act *s = x + (size_t)max(from, 0) * width;
    __global act *o = y + row * width;
    for (int c = lane * VEC; c < whole; c += LANES * VEC)
        ACT_STORE(from < 0 ? (vecf)(0.0f) : ACT_LOAD(s + c), o + c);
    for (int c = whole + lane; c < width; c += LANES)
        ACT_PUT(from < 0 ? 0.0f : ACT_GET(s + c), o + c);
}

ROW_KERNEL void scatter_rows(__global const act *restrict x, __global const int *restrict target,
                             __global const int *restrict begin, __global const int *restrict source,
                             __global sums *restrict y, int width)
{
    size_t u = row_index();
    int lane = row_lane(), whole = width / VEC * VEC, first = begin[u], last = begin[u + 1];
    __global sums *o = y + (size_t)target[u] * width;
    for (int c = lane * VEC; c < whole; c += LANES * VEC) {
        vecf sum = SUMS_LOAD(o + c);
        for (int r = first; r < last; r++)
            sum += ACT_LOAD(x + (size_t)source[r] * width + c);
        SUMS_STORE(sum, o + c);
    }
    for (int c = whole + lane; c < width; c += LANES) {
        float sum = SUMS_GET(o + c);
        for (int r = first; r < last; r++)
            sum += ACT_GET(x + (size_t)source[r] * width + c);
        SUMS_PUT(sum, o + c);
    }
}
