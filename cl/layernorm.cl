/* Layer normalisation: ops/layernorm.h. */
#include "common.h"

ROW_KERNEL void layernorm_forward(__global const act *restrict x, __global const float *restrict weight,
                                  __global const float *restrict bias, __global act *restrict y,
                                  __global float *restrict stats, int width, float eps)
{
    ROW_SCRATCH(scratch);
    size_t row = row_index();
    int lane = row_lane(), whole = width / VEC * VEC;
    __global const act *s = x + row * width;
    __global act *o = y + row * width;
    vecf sums = (vecf)(0.0f);
    float sum = 0.0f;
    for (int c = lane * VEC; c < whole; c += LANES * VEC)
        sums += ACT_LOAD(s + c);
    for (int c = whole + lane; c < width; c += LANES)
        sum += ACT_GET(s + c);
    float mean = row_sum(sum + vec_sum(sums), scratch) / width;
    sums = (vecf)(0.0f);
    sum = 0.0f;
    for (int c = lane * VEC; c < whole; c += LANES * VEC) {
        vecf d = ACT_LOAD(s + c) - mean;
        sums = fma(d, d, sums);
    }
    for (int c = whole + lane; c < width; c += LANES)
        sum = fma(ACT_GET(s + c) - mean, ACT_GET(s + c) - mean, sum);
    float inverse = 1.0f / sqrt(row_sum(sum + vec_sum(sums), scratch) / width + eps);
    for (int c = lane * VEC; c < whole; c += LANES * VEC)
        ACT_STORE(fma((ACT_LOAD(s + c) - mean) * inverse, VLOAD(weight + c), VLOAD(bias + c)), o + c);
    for (int c = whole + lane; c < width; c += LANES)
        ACT_PUT(fma((ACT_GET(s + c) - mean) * inverse, weight[c], bias[c]), o + c);
    if (lane == 0) {
        stats[2 * row] = mean;
        stats[2 * row + 1] = inverse;
    }
}

/* dy and dx may be the same buffer: each item reads a column before it writes it. */
ROW_KERNEL void layernorm_backward(__global const act *x, __global const float *restrict weight,
                                   __global const act *dy, __global const float *restrict stats,
                                   __global act *dx, int width, int accumulate)
{
    ROW_SCRATCH(scratch);
    size_t row = row_index();
    int lane = row_lane(), whole = width / VEC * VEC;
    __global const act *s = x + row * width, *g = dy + row * width;
    __global act *o = dx + row * width;
    float mean = stats[2 * row], inverse = stats[2 * row + 1];
    vecf sums = (vecf)(0.0f), products = (vecf)(0.0f);
    float sum = 0.0f, product = 0.0f;
    for (int c = lane * VEC; c < whole; c += LANES * VEC) {
        vecf q = ACT_LOAD(g + c) * VLOAD(weight + c);
        sums += q;
        products = fma(q, (ACT_LOAD(s + c) - mean) * inverse, products);
    }
    for (int c = whole + lane; c < width; c += LANES) {
        float q = ACT_GET(g + c) * weight[c];
        sum += q;
        product = fma(q, (ACT_GET(s + c) - mean) * inverse, product);
    }
    float a = row_sum(sum + vec_sum(sums), scratch) / width,
          b = row_sum(product + vec_sum(products), scratch) / width;
    for (int c = lane * VEC; c < whole; c += LANES * VEC) {
        vecf h = (ACT_LOAD(s + c) - mean) * inverse;
        vecf d = (ACT_LOAD(g + c) * VLOAD(weight + c) - a - h * b) * inverse;
        ACT_STORE(accumulate ? ACT_LOAD(o + c) + d : d, o + c);
    }
    for (int c = whole + lane; c < width; c += LANES) {
        float d = (ACT_GET(g + c) * weight[c] - a - (ACT_GET(s + c) - mean) * inverse * b) * inverse;
        ACT_PUT(accumulate ? ACT_GET(o + c) + d : d, o + c);
    }
}

/* Partial sums over a band of rows for a vector of columns: part[band, 0, c] = Σ dy h, part[band, 1, c] = Σ
 * dy. */
FLAT_KERNEL void layernorm_partials(__global const act *restrict x, __global const act *restrict dy,
                                    __global const float *restrict stats, __global float *restrict part,
                                    int rows, int width, int band)
{
    int c = get_global_id(0) * VEC, first = get_global_id(1) * band, last = min(first + band, rows);
    if (c >= width)
        return;
    __global float *o = part + (size_t)get_global_id(1) * 2 * width + c;
    if (c + VEC <= width) {
        vecf w = (vecf)(0.0f), b = (vecf)(0.0f);
        for (int r = first; r < last; r++) {
            vecf g = ACT_LOAD(dy + (size_t)r * width + c);
            w = fma(g, (ACT_LOAD(x + (size_t)r * width + c) - stats[2 * r]) * stats[2 * r + 1], w);
            b += g;
        }
        VSTORE(w, o);
        VSTORE(b, o + width);
        return;
    }
    for (int k = 0; k < width - c; k++) {
        float w = 0.0f, b = 0.0f;
        for (int r = first; r < last; r++) {
            float g = ACT_GET(dy + (size_t)r * width + c + k);
            w = fma(g, (ACT_GET(x + (size_t)r * width + c + k) - stats[2 * r]) * stats[2 * r + 1], w);
            b += g;
        }
        o[k] = w;
        o[width + k] = b;
    }
}

FLAT_KERNEL void layernorm_gather(__global const float *restrict part, __global float *restrict dweight,
                                  __global float *restrict dbias, int bands, int width)
{
    int c = get_global_id(0);
    if (c >= width)
        return;
    float w = 0.0f, b = 0.0f;
    for (int i = 0; i < bands; i++) {
        w += part[(size_t)i * 2 * width + c];
        b += part[(size_t)i * 2 * width + width + c];
    }
    dweight[c] += w;
    dbias[c] += b;
}
