/* BidirAtt's image regions: weights of patches, the region they make, and the gradients: ops/region.h. */
#include "common.h"

/* What a weight is made of: the unnormalised value of patch i. */
static inline float raw_weight(int attention, float fore, float back)
{
    return attention == LAIP_ATTENTION_FORWARD    ? fore
           : attention == LAIP_ATTENTION_BACKWARD ? fmax(back, 0.0f)
                                                  : fore * fmax(back, 0.0f);
}

ROW_KERNEL void region_weights(__global const float *restrict fore, __global const float *restrict back,
                               __global float *restrict weight, __global float *restrict total, int patches,
                               int attention)
{
    ROW_SCRATCH(scratch);
    size_t row = row_index();
    int lane = row_lane();
    __global const float *f = fore + row * patches, *b = back + row * patches;
    float sum = 0.0f, sum_f = 0.0f;
    for (int i = lane; i < patches; i += LANES) {
        sum += raw_weight(attention, f[i], b[i]);
        sum_f += f[i];
    }
    sum = row_sum(sum, scratch);
    sum_f = row_sum(sum_f, scratch);
    int falls_back = !(sum > 0.0f);
    float scale = 1.0f / (falls_back ? sum_f : fmax(sum, 1e-12f));
    for (int i = lane; i < patches; i += LANES)
        weight[row * patches + i] = scale * (falls_back ? f[i] : raw_weight(attention, f[i], b[i]));
    if (lane == 0) {
        total[2 * row] = scale;
        total[2 * row + 1] = falls_back ? 1.0f : 0.0f;
    }
}

/* region[p, c] = Σ_i weight[p, i] image[owner(p) (P + 1) + 1 + i, c]; an item a vector of columns. */
FLAT_KERNEL void region_pool(__global const float *restrict weight, __global const act *restrict image,
                             __global const int *restrict owner, __global act *restrict region, int patches,
                             int width)
{
    int c = get_global_id(0) * VEC;
    size_t p = get_global_id(1);
    if (c >= width)
        return;
    __global const act *x = image + ((size_t)owner[p] * (patches + 1) + 1) * width + c;
    __global const float *w = weight + p * patches;
    __global act *y = region + p * width + c;
    if (c + VEC <= width) {
        vecf sum = (vecf)(0.0f);
        for (int i = 0; i < patches; i++, x += width)
            sum = fma((vecf)(w[i]), ACT_LOAD(x), sum);
        ACT_STORE(sum, y);
    } else {
        for (int k = 0; k < width - c; k++) {
            float sum = 0.0f;
            for (int i = 0; i < patches; i++)
                sum = fma(w[i], ACT_GET(x + (size_t)i * width + k), sum);
            ACT_PUT(sum, y + k);
        }
    }
}

/* dweight[p, i] = ⟨dregion[p], image[owner(p) (P + 1) + 1 + i]⟩; a row for each (p, i). */
ROW_KERNEL void region_dweight(__global const act *restrict dregion, __global const act *restrict image,
                               __global const int *restrict owner, __global float *restrict dweight,
                               int patches, int width)
{
    ROW_SCRATCH(scratch);
    size_t row = row_index(), p = row / patches, i = row % patches;
    int lane = row_lane(), whole = width / VEC * VEC;
    __global const act *g = dregion + p * width;
    __global const act *x = image + ((size_t)owner[p] * (patches + 1) + 1 + i) * width;
    vecf sums = (vecf)(0.0f);
    float sum = 0.0f;
    for (int c = lane * VEC; c < whole; c += LANES * VEC)
        sums = fma(ACT_LOAD(g + c), ACT_LOAD(x + c), sums);
    for (int c = whole + lane; c < width; c += LANES)
        sum = fma(ACT_GET(g + c), ACT_GET(x + c), sum);
    sum = row_sum(sum + vec_sum(sums), scratch);
    if (lane == 0)
        dweight[row] = sum;
}

/* dimage[t (P + 1) + 1 + i, c] += Σ_{phrases p of image t} weight[p, i] dregion[p, c]; a row for each (t, i).
 */
ROW_KERNEL void region_dimage(__global const float *restrict weight, __global const act *restrict dregion,
                              __global const int *restrict first, __global act *restrict dimage, int patches,
                              int width)
{
    size_t row = row_index(), t = row / patches, i = row % patches;
    int lane = row_lane(), whole = width / VEC * VEC;
    __global act *y = dimage + (t * (patches + 1) + 1 + i) * width;
    for (int c = lane * VEC; c < whole; c += LANES * VEC) {
        vecf sum = ACT_LOAD(y + c);
        for (int p = first[t]; p < first[t + 1]; p++)
            sum =
                fma((vecf)(weight[(size_t)p * patches + i]), ACT_LOAD(dregion + (size_t)p * width + c), sum);
        ACT_STORE(sum, y + c);
    }
    for (int c = whole + lane; c < width; c += LANES) {
        float sum = ACT_GET(y + c);
        for (int p = first[t]; p < first[t + 1]; p++)
            sum = fma(weight[(size_t)p * patches + i], ACT_GET(dregion + (size_t)p * width + c), sum);
        ACT_PUT(sum, y + c);
    }
}

/* dfore in place of dweight: through weight = raw / Σ raw, the backward attention a constant. */
ROW_KERNEL void region_dfore(__global float *restrict dweight, __global const float *restrict weight,
                             __global const float *restrict back, __global const float *restrict total,
                             int patches, int attention)
{
    ROW_SCRATCH(scratch);
    size_t row = row_index();
    int lane = row_lane();
    float scale = total[2 * row];
    int falls_back = total[2 * row + 1] > 0.0f;
    float sum = 0.0f;
    for (int i = lane; i < patches; i += LANES)
        sum = fma(dweight[row * patches + i], weight[row * patches + i], sum);
    sum = row_sum(sum, scratch);
    for (int i = lane; i < patches; i += LANES) {
        size_t at = row * patches + i;
        float slope = falls_back || attention == LAIP_ATTENTION_FORWARD ? 1.0f
                      : attention == LAIP_ATTENTION_BACKWARD            ? 0.0f
                                                                        : fmax(back[at], 0.0f);
        dweight[at] = (dweight[at] - sum) * scale * slope;
    }
}
