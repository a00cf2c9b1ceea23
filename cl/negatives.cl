/* Hard negatives, drawn: ops/negatives.h. */
#include "common.h"
#include "philox.h"

/* [0, 1) from two words: as laip_rng_uniform, to the digits of a float. */
static inline float uniform(uint high, uint low)
{
    return ((float)(high >> 5) * 67108864.0f + (float)(low >> 6)) * 0x1p-53f;
}

FLAT_KERNEL void draw_negatives(__global const float *restrict image_to_text,
                                __global const float *restrict text_to_image,
                                __global const float *restrict temperature,
                                __global const int *restrict person, __global const uint *restrict sample,
                                uint4 stream, __global int *restrict negative, int batch, float least)
{
    int at = get_global_id(0), self = at % batch, side = at / batch;
    if (at >= 2 * batch)
        return;
    __global const float *s = (side ? text_to_image : image_to_text) + self * batch;
    float most = -INFINITY, sum = 0.0f, total = 0.0f, t = temperature[0];
    for (int j = 0; j < batch; j++)
        most = fmax(most, s[j]);
    for (int j = 0; j < batch; j++)
        sum += exp((s[j] - most) / t);
    for (int j = 0; j < batch; j++)
        total += person[j] == person[self] ? 0.0f : exp((s[j] - most) / t) / sum + least;
    uint4 r = stream_block(stream, sample, self);
    float left = uniform(side ? r.z : r.x, side ? r.w : r.y) * total;
    int last = -1;
    for (int j = 0; j < batch && left >= 0.0f; j++) {
        float weight = person[j] == person[self] ? 0.0f : exp((s[j] - most) / t) / sum + least;
        last = weight > 0.0f ? j : last;
        left -= weight;
    }
    negative[at] = last; /* rounding may go past the end, to the last one; -1: there is none */
}
