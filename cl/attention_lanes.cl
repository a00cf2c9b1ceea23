/* Attention on a CPU with queries as lanes: a work-item has 32 of them, turned over, as two vectors a column
 * of the head, and walks the keys as they lie.  So no sum crosses lanes and no key is ever turned.
 *
 * The backward is one pass: an item owns a block of keys and a head, and takes the queries that read it, 32
 * by 32 in their order.  It computes their probabilities and products once, into scratch as wide as the block
 * is long, whence dq, dk and dv.  HEAD is a multiple of 16.  ops/attention.h says what is computed. */
#include "common.h"

#define LANE 32  /* queries of an item at once */
#define TILE 8   /* rows of a register tile */
#define BLOCK 96 /* keys between two looks at the running maximum */
#define HEAD_VECS (HEAD / 16)

/* to[c][i] = from[i·stride + c] for `rows` rows; lanes beyond are 0. */
inline void turn(float *to, __global const float *from, int stride, int rows)
{
    for (int c = 0; c < HEAD; c++)
        for (int i = 0; i < LANE; i++)
            to[c * LANE + i] = i < rows ? from[(size_t)i * stride + c] : 0.0f;
}

/* The way back, each row times its factor. */
inline void turn_back(__global float *to, int stride, const float *from, const float *factor, int rows)
{
    for (int i = 0; i < rows; i++)
        for (int c = 0; c < HEAD; c++)
            to[(size_t)i * stride + c] = from[c * LANE + i] * factor[i];
}

/* out[j][i] = ⟨row j, turned row i⟩ for `count` rows, and as far as the next multiple of TILE the last again.
 */
inline void dots(float *out, __global const float *a, int stride, int count, const float *turned)
{
    for (int j = 0; j < count; j += TILE) {
        __global const float *row[TILE];
        float16 s0[TILE], s1[TILE];
#pragma unroll
        for (int r = 0; r < TILE; r++) {
            row[r] = a + (size_t)min(j + r, count - 1) * stride;
            s0[r] = s1[r] = (float16)(0.0f);
        }
        for (int c = 0; c < HEAD; c++) {
            float16 b0 = vload16(0, turned + c * LANE), b1 = vload16(1, turned + c * LANE);
#pragma unroll
            for (int r = 0; r < TILE; r++) {
                float16 x = (float16)(row[r][c]);
                s0[r] = fma(x, b0, s0[r]);
                s1[r] = fma(x, b1, s1[r]);
            }
        }
#pragma unroll
        for (int r = 0; r < TILE; r++) {
            vstore16(s0[r], 0, out + (j + r) * LANE);
            vstore16(s1[r], 1, out + (j + r) * LANE);
        }
    }
}

/* sum[c][i] += Σ_j w[j][i] · b[j·stride + c] over `count` rows. */
inline void gather(float *sum, const float *w, __global const float *b, int stride, int count)
{
    for (int c = 0; c < HEAD; c += TILE) {
        float16 s0[TILE], s1[TILE];
#pragma unroll
        for (int r = 0; r < TILE; r++) {
            s0[r] = vload16(0, sum + (c + r) * LANE);
            s1[r] = vload16(1, sum + (c + r) * LANE);
        }
        for (int j = 0; j < count; j++) {
            float16 b0 = vload16(0, w + j * LANE), b1 = vload16(1, w + j * LANE);
#pragma unroll
            for (int r = 0; r < TILE; r++) {
                float16 x = (float16)(b[(size_t)j * stride + c + r]);
                s0[r] = fma(x, b0, s0[r]);
                s1[r] = fma(x, b1, s1[r]);
            }
        }
#pragma unroll
        for (int r = 0; r < TILE; r++) {
            vstore16(s0[r], 0, sum + (c + r) * LANE);
            vstore16(s1[r], 1, sum + (c + r) * LANE);
        }
    }
}

/* to[j] (+)= Σ_i w[j][i] · b[i·b_stride + …] for `count` rows of the head's columns, over `lanes` rows of b.
 */
inline void spread(__global float *to, int stride, int count, const float *w, __global const float *b,
                   int b_stride, int lanes, int fresh)
{
    for (int j = 0; j < count; j += TILE)
        for (int v = 0; v < HEAD_VECS; v += 2) {
            int second = v + 1 < HEAD_VECS, rows = min(TILE, count - j);
            float16 s0[TILE], s1[TILE];
#pragma unroll
            for (int r = 0; r < TILE; r++) {
                __global const float *old = to + (size_t)(j + min(r, rows - 1)) * stride;
                s0[r] = fresh ? (float16)(0.0f) : vload16(v, old);
                s1[r] = fresh || !second ? (float16)(0.0f) : vload16(v + 1, old);
            }
            for (int i = 0; i < lanes; i++) {
                float16 b0 = vload16(v, b + (size_t)i * b_stride);
                float16 b1 = second ? vload16(v + 1, b + (size_t)i * b_stride) : b0;
#pragma unroll
                for (int r = 0; r < TILE; r++) {
                    float16 x = (float16)(w[(j + r) * LANE + i]);
                    s0[r] = fma(x, b0, s0[r]);
                    s1[r] = fma(x, b1, s1[r]);
                }
            }
#pragma unroll
            for (int r = 0; r < TILE; r++)
                if (r < rows) {
                    vstore16(s0[r], v, to + (size_t)(j + r) * stride);
                    if (second)
                        vstore16(s1[r], v + 1, to + (size_t)(j + r) * stride);
                }
        }
}

inline void clear(float *x)
{
    for (int c = 0; c < HEAD * LANE; c += 16)
        vstore16((float16)(0.0f), 0, x + c);
}

/* The dropout's factors of 16 queries, `first` and on, at key j. */
inline float16 mask16(uint key0, uint key1, int first, int j, int keys, uint threshold, float kept_scale)
{
    float each[16];
    for (int i = 0; i < 16; i++)
        each[i] = mask_bits(key0, key1, (uint)((first + i) * keys + j)) >= threshold ? kept_scale : 0.0f;
    return vload16(0, each);
}

ITEM_KERNEL void attention_lanes_forward(__global const float *restrict q, __global const float *restrict k,
                                         __global const float *restrict v, __global float *restrict o,
                                         __global float *restrict lse, __global const int *restrict q_begin,
                                         __global const int *restrict kv_of,
                                         __global const int *restrict k_begin,
                                         __global const uint *restrict key, int heads, int q_stride,
                                         int q_col, int kv_stride, int k_col, int v_col, float scale,
                                         uint threshold, float kept_scale)
{
    int s = get_global_id(0), h = get_global_id(1), t = kv_of[s], first = (int)get_global_id(2) * LANE;
    int q0 = q_begin[s], nq = q_begin[s + 1] - q0, k0 = k_begin[t], nk = k_begin[t + 1] - k0;
    int rows = min(LANE, nq - first);
    uint key0 = threshold ? key[2 * s] : 0, key1 = threshold ? key[2 * s + 1] : 0;
    float16 room[HEAD * LANE / 8 + (BLOCK + TILE) * LANE / 16], ends[2 * LANE / 16];
    float *turned = (float *)room, *sum = turned + HEAD * LANE, *score = sum + HEAD * LANE,
          *end = (float *)ends;
    if (rows <= 0)
        return;
    size_t r0 = q0 + first;
    turn(turned, q + r0 * q_stride + q_col + h * HEAD, q_stride, rows);
    clear(sum);
    float16 most0 = (float16)(-1e30f), most1 = most0, total0 = (float16)(0.0f), total1 = total0;
    for (int j0 = 0; j0 < nk; j0 += BLOCK) {
        int count = min(BLOCK, nk - j0);
        size_t at = (size_t)(k0 + j0) * kv_stride + h * HEAD;
        dots(score, k + at + k_col, kv_stride, count, turned);
        float16 top0 = (float16)(-INFINITY), top1 = top0, all0 = (float16)(0.0f), all1 = all0;
        for (int j = 0; j < count; j++) {
            top0 = fmax(top0, vload16(0, score + j * LANE));
            top1 = fmax(top1, vload16(1, score + j * LANE));
        }
        top0 = fmax(most0, top0 * scale);
        top1 = fmax(most1, top1 * scale);
        float16 shrink0 = vec_exp(most0 - top0), shrink1 = vec_exp(most1 - top1);
        most0 = top0;
        most1 = top1;
        for (int j = 0; j < count; j++) {
            float16 p0 = vec_exp(fma(vload16(0, score + j * LANE), (float16)(scale), -most0));
            float16 p1 = vec_exp(fma(vload16(1, score + j * LANE), (float16)(scale), -most1));
            all0 += p0;
            all1 += p1;
            if (threshold) {
                p0 *= mask16(key0, key1, h * nq + first, j0 + j, nk, threshold, kept_scale);
                p1 *= mask16(key0, key1, h * nq + first + 16, j0 + j, nk, threshold, kept_scale);
            }
            vstore16(p0, 0, score + j * LANE);
            vstore16(p1, 1, score + j * LANE);
        }
        total0 = fma(total0, shrink0, all0);
        total1 = fma(total1, shrink1, all1);
        for (int c = 0; j0 && c < HEAD; c++) {
            vstore16(vload16(0, sum + c * LANE) * shrink0, 0, sum + c * LANE);
            vstore16(vload16(1, sum + c * LANE) * shrink1, 1, sum + c * LANE);
        }
        gather(sum, score, v + at + v_col, kv_stride, count);
    }
    vstore16(1.0f / total0, 0, end);
    vstore16(1.0f / total1, 1, end);
    vstore16(most0 + log(total0), 2, end);
    vstore16(most1 + log(total1), 3, end);
    turn_back(o + (r0 * heads + h) * HEAD, heads * HEAD, sum, end, rows);
    for (int i = 0; i < rows; i++)
        lse[(r0 + i) * heads + h] = end[LANE + i];
}

/* Probabilities (negative where dropout took them) and their gradients, of 32 queries against a whole block
 * of keys, to kept[j][0 or 1][i]; returns in mean[i] what the gradients' sum over the probabilities is.  That
 * is ⟨dO, O⟩ of the row, but of these very numbers, so that the scores' gradients sum up to 0 as they should:
 * see attention_dq. */
inline void probabilities(__global float *kept, float *mean, const float *turned, const float *turned_out,
                          const float *l, float *score, float *dp, __global const float *k,
                          __global const float *v, int kv_stride, int nk, int index, uint key0, uint key1,
                          float scale, uint threshold, float kept_scale)
{
    float16 all[2] = {(float16)(0.0f), (float16)(0.0f)}, sum[2] = {(float16)(0.0f), (float16)(0.0f)};
    for (int j0 = 0; j0 < nk; j0 += BLOCK) {
        int count = min(BLOCK, nk - j0);
        dots(score, k + (size_t)j0 * kv_stride, kv_stride, count, turned);
        dots(dp, v + (size_t)j0 * kv_stride, kv_stride, count, turned_out);
        for (int j = 0; j < count; j++) {
            __global float *at = kept + (size_t)(j0 + j) * 2 * LANE;
#pragma unroll
            for (int z = 0; z < 2; z++) {
                float16 p = vec_exp(fma(vload16(z, score + j * LANE), (float16)(scale), -vload16(z, l)));
                float16 g = vload16(z, dp + j * LANE), shown = p;
                if (threshold) {
                    float16 mask = mask16(key0, key1, index + 16 * z, j0 + j, nk, threshold, kept_scale);
                    g *= mask;
                    shown = select(p, -p, mask == (float16)(0.0f));
                }
                all[z] += p;
                sum[z] = fma(p, g, sum[z]);
                vstore16(shown, z, at);
                vstore16(g, 2 + z, at);
            }
        }
    }
    vstore16(sum[0] / all[0], 0, mean);
    vstore16(sum[1] / all[1], 1, mean);
}

ITEM_KERNEL void attention_lanes_backward(
    __global const float *restrict q, __global const float *restrict k, __global const float *restrict v,
    __global const float *restrict dout, __global const float *restrict lse, __global float *restrict scratch,
    __global float *dq, __global float *dk, __global float *dv, __global const int *restrict q_begin,
    __global const int *restrict k_begin, __global const int *restrict readers_begin,
    __global const int *restrict readers, __global const uint *restrict key, int heads, int q_stride,
    int q_col, int kv_stride, int k_col, int v_col, int dq_stride, int dq_col, int dkv_stride, int dk_col,
    int dv_col, int longest, float scale, uint threshold, float kept_scale)
{
    int t = get_global_id(0), h = get_global_id(1), k0 = k_begin[t], nk = k_begin[t + 1] - k0,
        width = heads * HEAD;
    int fresh = 1, last = readers_begin[t + 1];
    float16 room[(3 * HEAD + 2 * (BLOCK + TILE) + 3) * LANE / 16];
    float *turned = (float *)room, *turned_out = turned + HEAD * LANE, *sum = turned_out + HEAD * LANE;
    float *score = sum + HEAD * LANE, *dp = score + (BLOCK + TILE) * LANE, *mean = dp + (BLOCK + TILE) * LANE;
    float *l = mean + LANE, *ones = l + LANE;
    scratch += ((size_t)t * heads + h) * longest * 2 * LANE;
    k += (size_t)k0 * kv_stride + k_col + h * HEAD;
    v += (size_t)k0 * kv_stride + v_col + h * HEAD;
    dk += (size_t)k0 * dkv_stride + dk_col + h * HEAD;
    dv += (size_t)k0 * dkv_stride + dv_col + h * HEAD;
    for (int i = 0; i < LANE; i++)
        ones[i] = 1.0f;
    for (int u = readers_begin[t]; u < last; u++) {
        int s = readers[u], q0 = q_begin[s], nq = q_begin[s + 1] - q0;
        uint key0 = threshold ? key[2 * s] : 0, key1 = threshold ? key[2 * s + 1] : 0;
        for (int first = 0; first < nq; first += LANE) {
            int rows = min(LANE, nq - first);
            size_t r0 = q0 + first;
            __global const float *mine = q + r0 * q_stride + q_col + h * HEAD,
                                 *g = dout + r0 * width + h * HEAD;
            turn(turned, mine, q_stride, rows);
            turn(turned_out, g, width, rows);
            for (int i = 0; i < LANE; i++)
                l[i] = i < rows ? lse[(r0 + i) * heads + h] : 0.0f;
            probabilities(scratch, mean, turned, turned_out, l, score, dp, k, v, kv_stride, nk,
                          h * nq + first, key0, key1, scale, threshold, kept_scale);
            clear(sum);
            for (int j0 = 0; j0 < nk; j0 += BLOCK) {
                int count = min(BLOCK, nk - j0);
                for (int j = 0; j < count; j++) {
                    __global const float *at = scratch + (size_t)(j0 + j) * 2 * LANE;
#pragma unroll
                    for (int z = 0; z < 2; z++) {
                        float16 p = vload16(z, at),
                                ds = fabs(p) * (vload16(2 + z, at) - vload16(z, mean)) * scale;
                        vstore16(threshold ? fmax(p, (float16)(0.0f)) * kept_scale : p, z, score + j * LANE);
                        vstore16(ds, z, dp + j * LANE);
                    }
                }
                size_t to = (size_t)j0 * dkv_stride;
                gather(sum, dp, k + (size_t)j0 * kv_stride, kv_stride, count);
                spread(dv + to, dkv_stride, count, score, g, width, rows, fresh);
                spread(dk + to, dkv_stride, count, dp, mine, q_stride, rows, fresh);
            }
            turn_back(dq + r0 * dq_stride + dq_col + h * HEAD, dq_stride, sum, ones, rows);
            fresh = 0;
        }
    }
    for (int j = 0; fresh && j < nk; j++)
        for (int c = 0; c < HEAD; c++)
            dk[(size_t)j * dkv_stride + c] = dv[(size_t)j * dkv_stride + c] = 0.0f;
}
