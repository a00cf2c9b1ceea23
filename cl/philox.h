/* Random numbers from counters, Philox4x32-10: the streams of base/rng.h, whose part that all samples share
 * the host has folded into `stream`: the cipher's key in x and y, a word of its counter in z. */
#ifndef LAIP_CL_PHILOX_H
#define LAIP_CL_PHILOX_H

static inline uint4 philox(uint4 c, uint2 key)
{
    for (int round = 0; round < 10; round++) {
        uint low0 = 0xD2511F53u * c.x, low1 = 0xCD9E8D57u * c.z;
        c = (uint4)(mul_hi(0xCD9E8D57u, c.z) ^ c.y ^ key.x, low1, mul_hi(0xD2511F53u, c.x) ^ c.w ^ key.y,
                    low0);
        key += (uint2)(0x9E3779B9u, 0xBB67AE85u);
    }
    return c;
}

/* The first four numbers of the stream of a sample, whose number's low and high words are ids[2 i] and
 * ids[2 i + 1]. */
static inline uint4 stream_block(uint4 stream, __global const uint *ids, int i)
{
    return philox((uint4)(0u, stream.z, ids[2 * i], ids[2 * i + 1]), stream.xy);
}

/* The key of a sequence's dropout mask: see mask_bits. */
static inline uint2 dropout_key(uint4 stream, __global const uint *ids, int sequence)
{
    return stream_block(stream, ids, sequence).xy;
}

/* What dropout makes of 1 at an element's index: 0 or kept_scale. */
static inline float dropout_factor(uint key0, uint key1, uint index, uint threshold, float kept_scale)
{
    return mask_bits(key0, key1, index) >= threshold ? kept_scale : 0.0f;
}

#if VEC == 4
/* At index, index + step, … */
static inline float4 dropout_factors(uint key0, uint key1, uint index, uint step, uint threshold,
                                     float kept_scale)
{
    uint4 bits = vec_mask_bits((uint4)(key0), (uint4)(key1),
                               (uint4)(index, index + step, index + 2 * step, index + 3 * step));
    return select((float4)(0.0f), (float4)(kept_scale), bits >= (uint4)(threshold));
}
#endif

#endif
