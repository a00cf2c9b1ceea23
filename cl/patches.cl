/* Images to patches, patches to tokens: ops/patches.h. */
#include "common.h"

/* A row of columns (channel, y, x) for each patch. */
ROW_KERNEL void patches(__global const float *restrict image, __global act *restrict y, int height, int width,
                        int patch)
{
    size_t row = row_index();
    int across = width / patch, count = across * (height / patch), area = patch * patch;
    size_t b = row / count;
    int p = row % count, top = p / across * patch, left = p % across * patch;
    __global const float *s = image + b * 3 * height * width;
    __global act *o = y + row * 3 * area;
    for (int i = row_lane(); i < 3 * patch; i += LANES) {
        int channel = i / patch, dy = i % patch;
        __global const float *line = s + ((size_t)channel * height + top + dy) * width + left;
        for (int dx = 0; dx < patch; dx++)
            ACT_PUT(line[dx], o + channel * area + dy * patch + dx);
    }
}

/* x[b, 0] = cls + positions[0]; x[b, 1 + i] = patches[b, i] + positions[1 + i]. */
ROW_KERNEL void image_tokens(__global const act *restrict patch, __global const float *restrict cls,
                             __global const float *restrict positions, __global act *restrict x, int tokens,
                             int width)
{
    size_t row = row_index(), b = row / tokens;
    int n = row % tokens;
    __global const act *s = patch + (b * (tokens - 1) + max(n, 1) - 1) * width;
    __global const float *p = positions + (size_t)n * width;
    for (int c = row_lane(); c < width; c += LANES)
        ACT_PUT((n ? ACT_GET(s + c) : cls[c]) + p[c], x + row * width + c);
}

/* A row for each token position: sums over the images into positions (and the class token), and a copy of the
 * rest. */
ROW_KERNEL void image_tokens_backward(__global const act *restrict dx, __global act *restrict dpatch,
                                      __global float *restrict dcls, __global float *restrict dpositions,
                                      int images, int tokens, int width)
{
    int n = row_index();
    for (int c = row_lane(); c < width; c += LANES) {
        float sum = 0.0f;
        for (int b = 0; b < images; b++) {
            float g = ACT_GET(dx + ((size_t)b * tokens + n) * width + c);
            sum += g;
            if (n)
                ACT_PUT(g, dpatch + ((size_t)b * (tokens - 1) + n - 1) * width + c);
        }
        dpositions[(size_t)n * width + c] += sum;
        if (n == 0)
            dcls[c] += sum;
    }
}
