/* What every kernel file includes.
 *
 * LANES work-items share a row: 1 on a CPU, where an item walks its row alone in vectors of VEC floats,
 * without local memory or barriers; 64 on a GPU, where items stride through the row and sums end in a tree in
 * local memory.  Both come from the build options, so one source serves both shapes. */
#include "shared.h"

/* On every function that is given local memory.  PoCL gives each thread local memory of its own by way of the
 * kernel's arguments; a function that stays a call has the address of the one that they then share put into
 * it, and groups write into each other's. */
#define WITH_LOCAL __attribute__((always_inline))

#if VEC == 16
typedef float16 vecf;
typedef int16 veci;
typedef uint16 vecu;
/* vload16 and vstore16 in one access each: PoCL makes four of one of theirs. */
typedef struct __attribute__((packed)) loose_float16 {
    float16 v;
} loose_float16;
typedef struct __attribute__((packed)) loose_ushort16 {
    ushort16 v;
} loose_ushort16;
#define OVERLOADED __attribute__((overloadable))
static inline float16 OVERLOADED load16(size_t i, __global const float *p)
{
    return ((__global const loose_float16 *)(p + 16 * i))->v;
}
static inline float16 OVERLOADED load16(size_t i, const float *p)
{
    return ((const loose_float16 *)(p + 16 * i))->v;
}
static inline void OVERLOADED store16(float16 v, size_t i, __global float *p)
{
    ((__global loose_float16 *)(p + 16 * i))->v = v;
}
static inline void OVERLOADED store16(float16 v, size_t i, float *p)
{
    ((loose_float16 *)(p + 16 * i))->v = v;
}
#define VLOAD(p) load16(0, p)
#define VSTORE(v, p) store16(v, 0, p)
#define AS_VECF(x) as_float16(x)
#define AS_VECI(x) as_int16(x)
#define AS_VECU(x) as_uint16(x)
#elif VEC == 8
typedef float8 vecf;
typedef int8 veci;
typedef uint8 vecu;
typedef struct __attribute__((packed)) loose_float8 { /* as above */
    float8 v;
} loose_float8;
static inline float8 __attribute__((overloadable)) load8(__global const float *p)
{
    return ((__global const loose_float8 *)p)->v;
}
static inline float8 __attribute__((overloadable)) load8(const float *p)
{
    return ((const loose_float8 *)p)->v;
}
static inline void __attribute__((overloadable)) store8(float8 v, __global float *p)
{
    ((__global loose_float8 *)p)->v = v;
}
static inline void __attribute__((overloadable)) store8(float8 v, float *p)
{
    ((loose_float8 *)p)->v = v;
}
#define VLOAD(p) load8(p)
#define VSTORE(v, p) store8(v, p)
#define AS_VECF(x) as_float8(x)
#define AS_VECI(x) as_int8(x)
#define AS_VECU(x) as_uint8(x)
#elif VEC == 4
typedef float4 vecf;
typedef int4 veci;
typedef uint4 vecu;
#define VLOAD(p) vload4(0, p)
#define VSTORE(v, p) vstore4(v, 0, p)
#define AS_VECF(x) as_float4(x)
#define AS_VECI(x) as_int4(x)
#define AS_VECU(x) as_uint4(x)
#else
#error VEC is 4, 8 or 16
#endif

/* Numbers of 16 bits: halves or, with -DBFLOAT16, the upper half of a float.  Vectors pass through private
 * memory: PoCL 3.1 takes vectors of halves to lie at multiples of 16 bytes, which rows of any width do not.
 */
#ifdef BFLOAT16
typedef ushort number16;
/* Of floats' bits the upper ones, rounded to the nearest, ties to even; no number stays none. */
#define BFLOAT_BITS(type, v)                                                                                 \
    select((as_##type(v) + 0x7fffu + (as_##type(v) >> 16 & 1u)) >> 16, as_##type(v) >> 16 | 0x40u,           \
           (as_##type(v) & 0x7fffffffu) > 0x7f800000u)
static inline float number_get(__global const number16 *p)
{
    return as_float((uint)*p << 16);
}
static inline void number_put(float x, __global number16 *p)
{
    uint u = as_uint(x);
    *p = (ushort)(x != x ? u >> 16 | 0x40u : (u + 0x7fffu + (u >> 16 & 1u)) >> 16);
}
#define FROM_BITS(width, bits) as_float##width(convert_uint##width(bits) << 16)
#define TO_BITS(width, v, bits) bits = convert_ushort##width(BFLOAT_BITS(uint##width, v))
#else
typedef half number16;
static inline float number_get(__global const number16 *p)
{
    return vload_half(0, p);
}
static inline void number_put(float x, __global number16 *p)
{
    vstore_half(x, 0, p);
}
#define FROM_BITS(width, bits) vload_half##width(0, (const half *)&(bits))
#define TO_BITS(width, v, bits) vstore_half##width(v, 0, (half *)&(bits))
#endif
#if VEC == 16
static inline float16 half_load16(__global const number16 *p)
{
    ushort16 bits = ((__global const loose_ushort16 *)p)->v;
    return FROM_BITS(16, bits);
}
static inline void half_store16(float16 v, __global number16 *p)
{
    ushort16 bits;
    TO_BITS(16, v, bits);
    ((__global loose_ushort16 *)p)->v = bits;
}
#endif
static inline float8 half_load8(__global const number16 *p)
{
    ushort8 bits = vload8(0, (__global const ushort *)p);
    return FROM_BITS(8, bits);
}
static inline float4 half_load4(__global const number16 *p)
{
    ushort4 bits = vload4(0, (__global const ushort *)p);
    return FROM_BITS(4, bits);
}
static inline void half_store4(float4 v, __global number16 *p)
{
    ushort4 bits;
    TO_BITS(4, v, bits);
    vstore4(bits, 0, (__global ushort *)p);
}
static inline void half_store8(float8 v, __global number16 *p)
{
    ushort8 bits;
    TO_BITS(8, v, bits);
    vstore8(bits, 0, (__global ushort *)p);
}
#if VEC == 16
#define HALF_LOAD(p) half_load16(p)
#define HALF_STORE(v, p) half_store16(v, p)
#elif VEC == 8
#define HALF_LOAD(p) half_load8(p)
#define HALF_STORE(v, p) half_store8(v, p)
#else
#define HALF_LOAD(p) half_load4(p)
#define HALF_STORE(v, p) half_store4(v, p)
#endif

/* An activation, or a matrix of weights, as it lies in memory: a float or, with -DHALF, a number of 16 bits.
 * What is computed with it is float in both. */
#ifdef HALF
typedef number16 act;
#define ACT_LOAD(p) HALF_LOAD(p)
#define ACT_STORE(v, p) HALF_STORE(v, p)
#define ACT_LOAD16(i, p) half_load16((p) + 16 * (i))
#define ACT_LOAD8(i, p) half_load8((p) + 8 * (i))
#define ACT_LOAD4(i, p) half_load4((p) + 4 * (i))
#define ACT_STORE16(v, i, p) half_store16(v, (p) + 16 * (i))
#define ACT_GET(p) number_get(p)
#define ACT_PUT(x, p) number_put(x, p)
#else
typedef float act;
#define ACT_LOAD(p) VLOAD(p)
#define ACT_STORE(v, p) VSTORE(v, p)
#define ACT_LOAD16(i, p) load16(i, p)
#define ACT_LOAD8(i, p) vload8(i, p)
#define ACT_LOAD4(i, p) vload4(i, p)
#define ACT_STORE16(v, i, p) store16(v, i, p)
#define ACT_GET(p) (*(p))
#define ACT_PUT(x, p) (*(p) = (x))
#endif

#if LANES == 1
#define ROW_KERNEL __kernel __attribute__((reqd_work_group_size(1, 1, 1)))
#define FLAT_KERNEL __kernel __attribute__((reqd_work_group_size(1, 1, 1)))
#define ROW_SCRATCH(name) float *name = 0
typedef float *row_scratch;
#else
#define ROW_KERNEL __kernel __attribute__((reqd_work_group_size(LANES, 1, 1)))
#define FLAT_KERNEL __kernel __attribute__((reqd_work_group_size(LAIP_FLAT_ITEMS, 1, 1)))
#define ROW_SCRATCH(name) __local float name[LANES]
typedef __local float *row_scratch;
#endif

/* Of kernels whose items have many floats at once: in the smallest sub-groups an item has the most registers
 * (SUB_GROUP: device/device.h). */
#if defined SUB_GROUP && LANES > 1
#define SMALL_SUB_GROUPS __attribute__((intel_reqd_sub_group_size(SUB_GROUP)))
#else
#define SMALL_SUB_GROUPS
#endif

/* Without this LLVM splits vectors of 512 bits on some processors. */
#if VEC == 16 && defined(__has_attribute)
#if __has_attribute(min_vector_width)
#define WIDE __attribute__((min_vector_width(512)))
#endif
#endif
#ifndef WIDE
#define WIDE
#endif
/* A kernel of a CPU's whose groups have one item. */
#define ITEM_KERNEL __kernel __attribute__((reqd_work_group_size(1, 1, 1))) WIDE

/* The line at p is read, or written, soon: a processor may fetch it meanwhile.  p may lie outside its buffer.
 */
#if defined(__has_builtin)
#if __has_builtin(__builtin_prefetch)
#define PREFETCH(p) __builtin_prefetch((const void *)(size_t)(p))
#define PREFETCH_LATER(p) __builtin_prefetch((const void *)(size_t)(p), 0, 2)
#define PREFETCH_WRITE(p) __builtin_prefetch((const void *)(size_t)(p), 1)
#endif
#endif
#ifndef PREFETCH
#define PREFETCH(p)
#define PREFETCH_LATER(p)
#define PREFETCH_WRITE(p)
#endif

/* Tiles 0 … count − 1 of the work, shared out among the groups of a launch (device/launch.h:
 * laip_tile_counter), each to the group that asks next; which one it is changes nothing.  The last group to
 * find none left sets the counters back. */
#define FOR_EACH_TILE(i, count, tile_counter)                                                                \
    for (int i = atomic_inc(tile_counter); i < (count); i = atomic_inc(tile_counter))
static inline void tile_loop_end(volatile __global int *tile_counter)
{
    if (atomic_inc(tile_counter + 1) ==
        (int)(get_num_groups(0) * get_num_groups(1) * get_num_groups(2)) - 1) {
        atomic_xchg(tile_counter, 0);
        atomic_xchg(tile_counter + 1, 0);
    }
}

/* What a loss is multiplied by before its gradient is taken: of a step's report, where there is one. */
static inline float loss_scale(__global const float *report, int scaled)
{
    return scaled ? report[LAIP_REPORT_SCALE] : 1.0f;
}

/* The row of this group, and this item's place in it. */
static inline size_t row_index(void)
{
    return get_group_id(0);
}
static inline int row_lane(void)
{
    return LANES == 1 ? 0 : (int)get_local_id(0);
}

static inline float vec_sum(vecf v)
{
#if VEC == 16
    float8 a = v.lo + v.hi;
    float4 b = a.lo + a.hi;
#elif VEC == 8
    float4 b = v.lo + v.hi;
#else
    float4 b = v;
#endif
    return (b.x + b.z) + (b.y + b.w);
}

static inline float vec_max(vecf v)
{
#if VEC == 16
    float8 a = fmax(v.lo, v.hi);
    float4 b = fmax(a.lo, a.hi);
#elif VEC == 8
    float4 b = fmax(v.lo, v.hi);
#else
    float4 b = v;
#endif
    return fmax(fmax(b.x, b.z), fmax(b.y, b.w));
}

/* The sum (the largest) of x over the lanes of a row, the same on every lane; a fixed order.  All lanes call
 * it. */
static inline WITH_LOCAL float row_sum(float x, row_scratch scratch)
{
#if LANES == 1
    return x;
#else
    int lane = get_local_id(0);
    barrier(CLK_LOCAL_MEM_FENCE);
    scratch[lane] = x;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int half_width = LANES / 2; half_width > 0; half_width /= 2) {
        if (lane < half_width)
            scratch[lane] += scratch[lane + half_width];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    return scratch[0];
#endif
}

static inline WITH_LOCAL float row_max(float x, row_scratch scratch)
{
#if LANES == 1
    return x;
#else
    int lane = get_local_id(0);
    barrier(CLK_LOCAL_MEM_FENCE);
    scratch[lane] = x;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int half_width = LANES / 2; half_width > 0; half_width /= 2) {
        if (lane < half_width)
            scratch[lane] = fmax(scratch[lane], scratch[lane + half_width]);
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    return scratch[0];
#endif
}

/* 0, 1, 2, …, and x in the elements below count, `other` in the rest. */
#if VEC == 16
#define VEC_INDEX (int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
#elif VEC == 8
#define VEC_INDEX (int8)(0, 1, 2, 3, 4, 5, 6, 7)
#else
#define VEC_INDEX (int4)(0, 1, 2, 3)
#endif
static inline vecf vec_below(vecf x, int count, float other)
{
    return select((vecf)(other), x, VEC_INDEX < (veci)(count));
}

/* e^x to about 2e-7 relative, 0 below -87; for x ≤ 88.  The library's exp on vectors costs several times as
 * much. */
static inline vecf vec_exp(vecf x)
{
    x = fmax(x, (vecf)(-87.0f));
    vecf magic = (vecf)(12582912.0f); /* 1.5 × 2^23: adding it rounds to an integer in the low bits */
    vecf n = x * 1.44269504f + magic;
    veci exponent = AS_VECI(n) << 23;
    n -= magic;
    vecf f = fma(n, (vecf)(-0.693359375f), x);
    f = fma(n, (vecf)(2.12194440e-4f), f);
    vecf p = (vecf)(1.9875691500e-4f);
    p = fma(p, f, (vecf)(1.3981999507e-3f));
    p = fma(p, f, (vecf)(8.3334519073e-3f));
    p = fma(p, f, (vecf)(4.1665795894e-2f));
    p = fma(p, f, (vecf)(1.6666665459e-1f));
    p = fma(p, f, (vecf)(5.0000001201e-1f));
    p = fma(p * f, f, f) + 1.0f;
    return AS_VECF(AS_VECI(p) + exponent);
}

/* 2^x to 2e-7 relative, 0 below −126; for x ≤ 127. */
static inline vecf vec_exp2(vecf x)
{
    vecf magic = (vecf)(12582912.0f); /* as in vec_exp */
    x = fmax(x, (vecf)(-126.0f));
    vecf n = x + magic;
    vecf f = x - (n - magic);
    vecf p = (vecf)(1.32647483e-3f);
    p = fma(p, f, (vecf)(9.67151299e-3f));
    p = fma(p, f, (vecf)(5.55073358e-2f));
    p = fma(p, f, (vecf)(2.40222424e-1f));
    p = fma(p, f, (vecf)(6.93147004e-1f));
    p = fma(p, f, (vecf)(1.0f));
    return AS_VECF(AS_VECI(p) + (AS_VECI(n) << 23));
}

/* fmax that need not mind what is no number, and so is one instruction. */
static inline vecf vec_larger(vecf a, vecf b)
{
    return a > b ? a : b;
}

/* One of the numbers of a dropout mask: uniform 32 bits from a key (of seed, step, sample and site:
 * philox.h) and an element's index in its sample.  Two rounds of a multiply-xorshift mixer. */
static inline uint mask_bits(uint key0, uint key1, uint index)
{
    uint x = index * 0x9e3779b1u ^ key0;
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x += key1;
    x *= 0x846ca68bu;
    x ^= x >> 16;
    x *= 0x9e3779b1u;
    return x ^ x >> 15;
}

static inline vecu vec_mask_bits(vecu key0, vecu key1, vecu index) /* of VEC elements */
{
    vecu x = index * 0x9e3779b1u ^ key0;
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x += key1;
    x *= 0x846ca68bu;
    x ^= x >> 16;
    x *= 0x9e3779b1u;
    return x ^ x >> 15;
}
