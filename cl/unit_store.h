/* Numbers as they are stored for a matrix unit's kernels: `store` is 32 (floats), 16 (halves) or 17
 * (bfloat16), a constant wherever these are called. */

/* Four neighbours from number `at` on, of which `valid` are there, 0 for the rest: floats in all of the
 * vector, 16 bits in its first half.  aligned: they lie at a multiple of their size. */
static inline MU_ALWAYS uint4 load_four(__global const void *from, int store, size_t at, int valid,
                                        bool aligned)
{
    if (store == 32) {
        __global const uint *p = (__global const uint *)from + at;
        if (valid >= 4)
            return aligned ? *(__global const uint4 *)p : vload4(0, p);
        return (uint4)(valid > 0 ? p[0] : 0u, valid > 1 ? p[1] : 0u, valid > 2 ? p[2] : 0u, 0u);
    }
    __global const ushort *p = (__global const ushort *)from + at;
    if (valid >= 4 && aligned)
        return (uint4)(*(__global const uint2 *)p, 0u, 0u);
    ushort4 x =
        (ushort4)(valid > 0 ? p[0] : 0, valid > 1 ? p[1] : 0, valid > 2 ? p[2] : 0, valid > 3 ? p[3] : 0);
    return (uint4)(as_uint2(x), 0u, 0u);
}

/* Eight neighbours of 16 bits. */
static inline MU_ALWAYS uint4 load_eight(__global const void *from, size_t at, int valid, bool aligned)
{
    if (valid >= 8 && aligned)
        return *(__global const uint4 *)((__global const ushort *)from + at);
    return (uint4)(load_four(from, 16, at, valid, false).xy,
                   load_four(from, 16, at + 4, valid - 4, false).xy);
}

/* The numbers of load_four. */
static inline MU_ALWAYS float4 widen(uint4 x, int store)
{
    if (store == 32)
        return as_float4(x);
    if (store == 17)
        return as_float4((uint4)(x.x << 16, x.x & 0xffff0000u, x.y << 16, x.y & 0xffff0000u));
    ushort4 bits = as_ushort4(x.xy);
    return vload_half4(0, (const half *)&bits);
}

/* To number `at` and its neighbours, `valid` of the four. */
static inline MU_ALWAYS void store_four(__global void *to, int store, size_t at, float4 x, int valid,
                                        bool aligned)
{
    if (store == 32) {
        __global float *p = (__global float *)to + at;
        if (valid >= 4 && aligned) {
            *(__global float4 *)p = x;
            return;
        }
        float each[4];
        vstore4(x, 0, each);
        for (int i = 0; i < 4; i++)
            if (i < valid)
                p[i] = each[i];
        return;
    }
    __global ushort *p = (__global ushort *)to + at;
    uint2 pairs = store == 17 ? (uint2)(mu_bfloat_pair(x.x, x.y), mu_bfloat_pair(x.z, x.w))
                              : (uint2)(mu_half_pair(x.x, x.y), mu_half_pair(x.z, x.w));
    if (valid >= 4 && aligned) {
        *(__global uint2 *)p = pairs;
        return;
    }
    ushort each[4];
    vstore4(as_ushort4(pairs), 0, each);
    for (int i = 0; i < 4; i++)
        if (i < valid)
            p[i] = each[i];
}

/* Of two words the two lower halves, and the two upper ones. */
static inline MU_ALWAYS uint lows(uint first, uint second)
{
    return (first & 0xffffu) | second << 16;
}
static inline MU_ALWAYS uint highs(uint first, uint second)
{
    return first >> 16 | (second & 0xffff0000u);
}
