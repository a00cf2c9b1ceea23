/* BERT's embeddings: ops/embedding.h. */
#include "common.h"

ROW_KERNEL void embedding_forward(__global const int *restrict ids, __global const int *restrict positions,
                                  __global const float *restrict word,
                                  __global const float *restrict position,
                                  __global const float *restrict type, __global float *restrict y, int width)
{
    size_t row = row_index();
    __global const float *w = word + (size_t)ids[row] * width, *p = position + (size_t)positions[row] * width;
    for (int c = row_lane(); c < width; c += LANES)
        y[row * width + c] = w[c] + p[c] + type[c];
}
