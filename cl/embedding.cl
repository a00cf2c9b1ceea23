/* BERT's embeddings: ops/embedding.h. */
#include "common.h"

ROW_KERNEL void embedding_forward(__global const int *restrict ids, __global const int *restrict positions,
                                  __global const act *restrict word, __global const float *restrict position,
                                  __global const float *restrict type, __global act *restrict y, int width)
{
    size_t row = row_index();
    __global const act *w = word + (size_t)ids[row] * width;
    __global const float *p = position + (size_t)positions[row] * width;
    for (int c = row_lane(); c < width; c += LANES)
        ACT_PUT(ACT_GET(w + c) + p[c] + type[c], y + row * width + c);
}
