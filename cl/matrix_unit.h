/* A device's matrix unit: what MU_LANES work-items that run together multiply at once,
 *
 *     sums[MU_M × MU_N] += A[MU_M × MU_DEPTH] · B[MU_N × MU_DEPTH]ᵀ
 *
 * Operands lie in local memory as rows of 16 words, four uint4 each.  A word is one number (MU_F32, MU_TF32,
 * MU_TF32X3) or two neighbours in k (MU_BF16, MU_F16).  A lane loads whole vectors of four words where the
 * instruction wants words that lie apart: which k an instruction calls its own does not matter as long as A
 * and B agree.  A row's words are taken in MU_PARTS parts, one after another.
 *
 * The unit is one of these build options:
 *
 *     MU_NVIDIA       mma.sync m16n8k8, m16n8k16     32 lanes        TF32, TF32X3, BF16, F16
 *     MU_MFMA         mfma 16x16x4, 16x16x16         64              F32, BF16, F16
 *     MU_WMMA=11, 12  wmma 16x16x16 (RDNA 3, 4)      32              BF16, F16
 *     MU_DPAS=8, 16   dpas 8 × lanes × 16            8, 16           BF16, F16
 *     MU_PLAIN=32, 16 fused multiply-adds of so many rows    32, which need not run together    all but
 * TF32X3 MU_EMULATED=32  lanes and registers of mma.sync, =64 of mfma; anywhere    all kinds
 *
 * MU_TF32X3 holds floats and splits each in two numbers of TF32 as it is used: three products of four, all
 * but the one of the small halves.  MU_PLAIN has its kinds as floats of so few bits: what a unit of the kind
 * would give, on any device. */
#if defined(MU_MFMA) || defined(MU_WMMA)
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
#endif
#define MU_ALWAYS __attribute__((always_inline))
/* MFMA: two waves a SIMD; with registers for one alone the compiler moves sums between both kinds of them. */
#ifdef MU_MFMA
#define MU_KERNEL __kernel __attribute__((amdgpu_waves_per_eu(2)))
#elif defined MU_SUB_GROUP /* lanes of a sub-group, for compilers that otherwise choose themselves */
#define MU_KERNEL __kernel __attribute__((intel_reqd_sub_group_size(MU_SUB_GROUP)))
#else
#define MU_KERNEL __kernel
#endif

/* Loops over what lies in registers.  -DMU_ROLLED leaves them as they are: a processor has no use for so
 * many, and its compiler none for so much code. */
#ifdef MU_ROLLED
#define MU_UNROLL 1
/* Conditions stay within: PoCL 3.1 loses those that it computes once for several regions between barriers. */
#define MU_APART __attribute__((noinline))
#else
#define MU_UNROLL 64
#define MU_APART MU_ALWAYS
#endif

#if (defined(MU_BF16) || defined(MU_F16)) && !defined(MU_PLAIN)
#define MU_EACH 2
#else
#define MU_EACH 1
#endif
#define MU_DEPTH (LAIP_UNIT_DEPTH / 2 * MU_EACH) /* numbers of k in a row */

/* Where vector v of row r lies.  Two rows share the 32 banks; the exclusive or keeps apart the eight items
 * that are served at once, whether they read eight rows at one v, two rows whole, or write every fourth row.
 */
static inline MU_ALWAYS int mu_at(int r, int v)
{
    return (r >> 1) * 8 + ((4 * (r & 1) + v) ^ ((r >> 1 & 3) | (r & 4)));
}

/* bfloat16: the upper half of a float, rounded to the nearest, ties to even; no number stays none.  Two at
 * once and without a condition: Intel's compiler has no registers left for more. */
static inline MU_ALWAYS uint mu_bfloat_pair(float first, float second)
{
#ifdef MU_NVIDIA
    uint d;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(d) : "f"(second), "f"(first));
    return d;
#else
    float2 x = (float2)(first, second);
    uint2 u = as_uint2(x), rounded = u + (uint2)(0x7fffu) + (u >> 16 & (uint2)(1u));
    u = select(rounded, (uint2)(0x7fffffffu), isnan(x));
    return u.x >> 16 | (u.y & 0xffff0000u);
#endif
}

static inline MU_ALWAYS uint mu_bfloat(float x)
{
    return mu_bfloat_pair(x, 0.0f);
}

static inline MU_ALWAYS uint mu_half_pair(float first, float second)
{
#ifdef MU_NVIDIA
    uint d;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(d) : "f"(second), "f"(first));
    return d;
#elif defined(MU_MFMA) || defined(MU_WMMA)
    return as_uint((half2)((half)first, (half)second));
#else
    ushort2 bits;
    vstore_half2_rte((float2)(first, second), 0, (half *)&bits);
    return as_uint(bits);
#endif
}

static inline MU_ALWAYS uint mu_tf32(float x) /* to the nearest, ties away from 0 */
{
    return (as_uint(x) + 0x1000u) & 0xffffe000u;
}

#ifdef MU_PLAIN
/* The nearest numbers of the kind, as floats. */
static inline MU_ALWAYS float4 mu_rounded(float4 x)
{
#ifdef MU_BF16
    return as_float4((uint4)(mu_bfloat(x.x), mu_bfloat(x.y), mu_bfloat(x.z), mu_bfloat(x.w)) << 16);
#elif defined MU_F16
    ushort4 bits;
    vstore_half4_rte(x, 0, (half *)&bits);
    return vload_half4(0, (const half *)&bits);
#elif defined MU_TF32
    return as_float4((uint4)(mu_tf32(x.x), mu_tf32(x.y), mu_tf32(x.z), mu_tf32(x.w)));
#else
    return x;
#endif
}
#endif

/* Four words of 4 · MU_EACH numbers: x, and then y where a word is two. */
static inline MU_ALWAYS uint4 mu_pack(float4 x, float4 y)
{
#ifdef MU_PLAIN
    return as_uint4(mu_rounded(x));
#elif defined MU_BF16
    return (uint4)(mu_bfloat_pair(x.x, x.y), mu_bfloat_pair(x.z, x.w), mu_bfloat_pair(y.x, y.y),
                   mu_bfloat_pair(y.z, y.w));
#elif defined MU_F16
    return (uint4)(mu_half_pair(x.x, x.y), mu_half_pair(x.z, x.w), mu_half_pair(y.x, y.y),
                   mu_half_pair(y.z, y.w));
#elif defined MU_TF32
    return (uint4)(mu_tf32(x.x), mu_tf32(x.y), mu_tf32(x.z), mu_tf32(x.w));
#else
    return as_uint4(x);
#endif
}

/* What a unit defines:
 *     MU_SUMS sums a lane; sum i is C's row mu_row(i, lane), column mu_col(i, lane);
 *     mu_load_a, mu_load_b(tile, row, part, lane): a lane's registers of the rows from `row` on, a multiple
 *     of 8;
 *     mu_mad(a, b, sums). */
#if defined(MU_NVIDIA) || defined(MU_EMULATED) && MU_EMULATED == 32
/* Lane 4g + t has rows g and g + 8 of A and row g of B; in words, both instructions are m16n8k8. */
#define MU_LANES 32
#define MU_M 16
#define MU_N 8
#define MU_SUMS 4
#define MU_PARTS 1
static inline MU_ALWAYS int mu_row(int i, int lane)
{
    return lane / 4 + 8 * (i / 2);
}
static inline MU_ALWAYS int mu_col(int i, int lane)
{
    return lane % 4 * 2 + i % 2;
}
#elif defined(MU_MFMA) || defined(MU_EMULATED) && MU_EMULATED == 64
/* Lane 16q + r has row r of A and of B. */
#define MU_LANES 64
#define MU_M 16
#define MU_N 16
#define MU_SUMS 4
#define MU_PARTS 1
static inline MU_ALWAYS int mu_row(int i, int lane)
{
    return lane / 16 * 4 + i;
}
static inline MU_ALWAYS int mu_col(int i, int lane)
{
    return lane % 16;
}
#elif defined MU_WMMA
#define MU_LANES 32
#define MU_M 16
#define MU_N 16
#define MU_SUMS 8
#define MU_PARTS 2
static inline MU_ALWAYS int mu_row(int i, int lane)
{
    return MU_WMMA == 12 ? lane / 16 * 8 + i : 2 * i + lane / 16;
}
static inline MU_ALWAYS int mu_col(int i, int lane)
{
    return lane % 16;
}
#elif defined MU_DPAS
#define MU_LANES MU_DPAS
#define MU_M 8
#define MU_N MU_LANES
#define MU_SUMS 8
#define MU_PARTS 2
static inline MU_ALWAYS int mu_row(int i, int lane)
{
    return i;
}
static inline MU_ALWAYS int mu_col(int i, int lane)
{
    return lane;
}
#elif defined MU_PLAIN
/* Lane 8x + y has MU_PLAIN / 8 × 4 of C: rows y, y + 8, …, columns 4x … 4x + 3. */
#define MU_LANES 32
#define MU_M MU_PLAIN
#define MU_N 16
#define MU_SUMS (MU_PLAIN / 2)
#define MU_PARTS 4
static inline MU_ALWAYS int mu_row(int i, int lane)
{
    return i / 4 * 8 + lane % 8;
}
static inline MU_ALWAYS int mu_col(int i, int lane)
{
    return lane / 8 * 4 + i % 4;
}
#else
#error which unit
#endif

/* DO(i) for each of a lane's sums s, which is s.s##i and number 0x##i. */
#define MU_FOUR_SUMS(DO) DO(0) DO(1) DO(2) DO(3)
#define MU_EIGHT_SUMS(DO) MU_FOUR_SUMS(DO) DO(4) DO(5) DO(6) DO(7)
#if MU_SUMS == 4
typedef float4 mu_sums;
#define MU_EACH_SUM(sums, to) vstore4(sums, 0, to)
#define MU_FOR_SUMS(DO) MU_FOUR_SUMS(DO)
#elif MU_SUMS == 8
typedef float8 mu_sums;
#define MU_EACH_SUM(sums, to) vstore8(sums, 0, to)
#define MU_FOR_SUMS(DO) MU_EIGHT_SUMS(DO)
#else
typedef float16 mu_sums;
#define MU_EACH_SUM(sums, to) vstore16(sums, 0, to)
#define MU_FOR_SUMS(DO) MU_EIGHT_SUMS(DO) DO(8) DO(9) DO(a) DO(b) DO(c) DO(d) DO(e) DO(f)
#endif

#ifdef MU_EMULATED
/* A lane's registers are what it would have loaded: where from is enough, and any lane can look. */
typedef __local const uint4 *mu_a;
typedef mu_a mu_b;
static inline MU_ALWAYS mu_a mu_load_a(__local const uint4 *tile, int row, int part, int lane)
{
    return tile + 4 * row; /* row is a multiple of 8, after which mu_at repeats */
}
#define mu_load_b mu_load_a
static inline MU_ALWAYS float mu_times(uint a, uint b, float sum)
{
#ifdef MU_BF16
    return sum + as_float(a << 16) * as_float(b << 16) +
           as_float(a & 0xffff0000u) * as_float(b & 0xffff0000u);
#elif defined MU_F16
    ushort2 p = as_ushort2(a), q = as_ushort2(b);
    float2 x = vload_half2(0, (const half *)&p), y = vload_half2(0, (const half *)&q);
    return sum + x.x * y.x + x.y * y.y;
#elif defined MU_TF32X3
    float x = as_float(mu_tf32(as_float(a))), y = as_float(mu_tf32(as_float(b)));
    float u = as_float(mu_tf32(as_float(a) - x)), v = as_float(mu_tf32(as_float(b) - y));
    return fma(x, y, fma(x, v, fma(u, y, sum)));
#else
    return fma(as_float(a), as_float(b), sum);
#endif
}
/* Word k of 16 of a row: the lane and the register that the instructions take it from, and what that lane
 * loaded into it. */
static inline MU_ALWAYS uint mu_word(mu_a a, int row, int k)
{
    __local const uint *words = (__local const uint *)a;
#if MU_EMULATED == 32
    /* PTX ISA, fragments of m16n8k8 and m16n8k16: A is (g, t), (g + 8, t), (g, t + 4), (g + 8, t + 4); B is
     * (t, g), (t + 4, g).  Two instructions take words 0, 1 and 2, 3 of the lane's vectors. */
    int lane = row % 8 * 4 + k % 4, low = row / 8, word = k / 8 * 2 + k % 8 / 4;
    return words[4 * mu_at(8 * low + lane / 4, lane % 4) + word];
#elif MU_EACH == 2
    /* 16x16x16: lane 16q + r has row r, words 2q and 2q + 1 */
    int lane = row + k % 8 / 2 * 16, word = k / 8 * 2 + k % 2;
    return words[4 * mu_at(lane % 16, lane / 16) + word];
#else
    /* 16x16x4: lane 16q + r has row r, word q */
    int lane = row + k % 4 * 16, word = k / 4;
    return words[4 * mu_at(lane % 16, lane / 16) + word];
#endif
}
static inline MU_ALWAYS mu_sums mu_mad(mu_a a, mu_b b, mu_sums c)
{
    int lane = get_local_id(0) % MU_LANES;
    float each[MU_SUMS];
    MU_EACH_SUM(c, each);
    for (int i = 0; i < MU_SUMS; i++) {
        int row = mu_row(i, lane), col = mu_col(i, lane);
        for (int k = 0; k < 16; k++)
            each[i] = mu_times(mu_word(a, row, k), mu_word(b, col, k), each[i]);
    }
    return vload4(0, each);
}

#elif defined MU_NVIDIA
typedef struct mu_a {
    uint4 low, high; /* rows g and g + 8 */
} mu_a;
typedef uint4 mu_b;
static inline MU_ALWAYS mu_a mu_load_a(__local const uint4 *tile, int row, int part, int lane)
{
    mu_a a = {tile[mu_at(row + lane / 4, lane % 4)], tile[mu_at(row + 8 + lane / 4, lane % 4)]};
    return a;
}
static inline MU_ALWAYS mu_b mu_load_b(__local const uint4 *tile, int row, int part, int lane)
{
    return tile[mu_at(row + lane / 4, lane % 4)];
}
#ifdef MU_BF16
#define MU_MMA "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32"
#elif defined MU_F16
#define MU_MMA "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32"
#else
#define MU_MMA "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32"
#endif
static inline MU_ALWAYS float4 mu_step(uint4 a, uint2 b, float4 c)
{
    asm(MU_MMA " {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(c.x), "+f"(c.y), "+f"(c.z), "+f"(c.w)
        : "r"(a.x), "r"(a.y), "r"(a.z), "r"(a.w), "r"(b.x), "r"(b.y));
    return c;
}
static inline MU_ALWAYS float4 mu_both(uint4 low, uint4 high, uint4 b, float4 c)
{
    c = mu_step((uint4)(low.x, high.x, low.y, high.y), b.xy, c);
    return mu_step((uint4)(low.z, high.z, low.w, high.w), b.zw, c);
}
#ifdef MU_TF32X3
/* The larger part of four floats is cut off, not rounded: what is left is exact either way. */
static inline MU_ALWAYS uint4 mu_large(uint4 x)
{
    return x & 0xffffe000u;
}
static inline MU_ALWAYS uint4 mu_small(uint4 x)
{
    return as_uint4(as_float4(x) - as_float4(mu_large(x))) + 0x1000u; /* the unit reads 19 bits of it */
}
static inline MU_ALWAYS mu_sums mu_mad(mu_a a, mu_b b, mu_sums c)
{
    c = mu_both(mu_small(a.low), mu_small(a.high), mu_large(b), c);
    c = mu_both(mu_large(a.low), mu_large(a.high), mu_small(b), c);
    return mu_both(mu_large(a.low), mu_large(a.high), mu_large(b), c);
}
#else
static inline MU_ALWAYS mu_sums mu_mad(mu_a a, mu_b b, mu_sums c)
{
    return mu_both(a.low, a.high, b, c);
}
#endif

#elif defined MU_MFMA
typedef uint4 mu_a;
typedef uint4 mu_b;
static inline MU_ALWAYS uint4 mu_load_a(__local const uint4 *tile, int row, int part, int lane)
{
    return tile[mu_at(row + lane % 16, lane / 16)];
}
#define mu_load_b mu_load_a
static inline MU_ALWAYS mu_sums mu_mad(mu_a a, mu_b b, mu_sums c)
{
#ifdef MU_BF16
    c = __builtin_amdgcn_mfma_f32_16x16x16bf16_1k(as_short4(a.xy), as_short4(b.xy), c, 0, 0, 0);
    return __builtin_amdgcn_mfma_f32_16x16x16bf16_1k(as_short4(a.zw), as_short4(b.zw), c, 0, 0, 0);
#elif defined MU_F16
    c = __builtin_amdgcn_mfma_f32_16x16x16f16(as_half4(a.xy), as_half4(b.xy), c, 0, 0, 0);
    return __builtin_amdgcn_mfma_f32_16x16x16f16(as_half4(a.zw), as_half4(b.zw), c, 0, 0, 0);
#else
    float4 x = as_float4(a), y = as_float4(b);
    c = __builtin_amdgcn_mfma_f32_16x16x4f32(x.x, y.x, c, 0, 0, 0);
    c = __builtin_amdgcn_mfma_f32_16x16x4f32(x.y, y.y, c, 0, 0, 0);
    c = __builtin_amdgcn_mfma_f32_16x16x4f32(x.z, y.z, c, 0, 0, 0);
    return __builtin_amdgcn_mfma_f32_16x16x4f32(x.w, y.w, c, 0, 0, 0);
#endif
}

#elif defined MU_WMMA
#if MU_WMMA == 12 /* lane 16q + r has half q of row r */
typedef uint4 mu_a;
static inline MU_ALWAYS mu_a mu_load_a(__local const uint4 *tile, int row, int part, int lane)
{
    return tile[mu_at(row + lane % 16, 2 * part + lane / 16)];
}
#ifdef MU_BF16
#define MU_STEP(a, b, c) __builtin_amdgcn_wmma_f32_16x16x16_bf16_w32_gfx12(as_short8(a), as_short8(b), c)
#else
#define MU_STEP(a, b, c) __builtin_amdgcn_wmma_f32_16x16x16_f16_w32_gfx12(as_half8(a), as_half8(b), c)
#endif
#else /* lanes r and r + 16 have all of row r */
typedef uint8 mu_a;
static inline MU_ALWAYS mu_a mu_load_a(__local const uint4 *tile, int row, int part, int lane)
{
    int r = row + lane % 16;
    return (uint8)(tile[mu_at(r, 2 * part)], tile[mu_at(r, 2 * part + 1)]);
}
#ifdef MU_BF16
#define MU_STEP(a, b, c) __builtin_amdgcn_wmma_f32_16x16x16_bf16_w32(as_short16(a), as_short16(b), c)
#else
#define MU_STEP(a, b, c) __builtin_amdgcn_wmma_f32_16x16x16_f16_w32(as_half16(a), as_half16(b), c)
#endif
#endif
typedef mu_a mu_b;
#define mu_load_b mu_load_a
static inline MU_ALWAYS mu_sums mu_mad(mu_a a, mu_b b, mu_sums c)
{
    return MU_STEP(a, b, c);
}

#elif defined MU_DPAS
/* A lane has a row of B; of 8 rows of A, a word of each (8 lanes) or a number of each (16). */
#if MU_LANES == 8
typedef int8 mu_a;
typedef __local const int *mu_numbers;
#else
typedef short8 mu_a;
typedef __local const short *mu_numbers;
#endif
typedef int8 mu_b;
static inline MU_ALWAYS mu_a mu_load_a(__local const uint4 *tile, int row, int part, int lane)
{
    mu_a a;
    int v = 2 * part + lane / (MU_LANES / 2), at = lane % (MU_LANES / 2);
#define MU_NUMBER(i) ((mu_numbers)(tile + mu_at(row + i, v)))[at]
    a.s0 = MU_NUMBER(0);
    a.s1 = MU_NUMBER(1);
    a.s2 = MU_NUMBER(2);
    a.s3 = MU_NUMBER(3);
    a.s4 = MU_NUMBER(4);
    a.s5 = MU_NUMBER(5);
    a.s6 = MU_NUMBER(6);
    a.s7 = MU_NUMBER(7);
    return a;
}
static inline MU_ALWAYS mu_b mu_load_b(__local const uint4 *tile, int row, int part, int lane)
{
    int r = row + lane;
    return as_int8((uint8)(tile[mu_at(r, 2 * part)], tile[mu_at(r, 2 * part + 1)]));
}
#ifdef MU_BF16
#define MU_STEP intel_sub_group_bf16_bf16_matrix_mad_k16
#else
#define MU_STEP intel_sub_group_f16_f16_matrix_mad_k16
#endif
float8 __attribute__((overloadable)) MU_STEP(mu_a a, int8 b, float8 c); /* not all drivers declare it */
static inline MU_ALWAYS mu_sums mu_mad(mu_a a, mu_b b, mu_sums c)
{
    return MU_STEP(a, b, c);
}

#else /* MU_PLAIN */
typedef float16 mu_b; /* vectors of four rows: a vector and no struct, which oclgrind 21 cannot return */
static inline MU_ALWAYS mu_b mu_four(__local const uint4 *tile, int row, int step, int part)
{
    return as_float16((uint16)(tile[mu_at(row, part)], tile[mu_at(row + step, part)],
                               tile[mu_at(row + 2 * step, part)], tile[mu_at(row + 3 * step, part)]));
}
#if MU_PLAIN == 32
typedef float16 mu_a;
static inline MU_ALWAYS mu_a mu_load_a(__local const uint4 *tile, int row, int part, int lane)
{
    return mu_four(tile, row + lane % 8, 8, part);
}
#else
typedef float8 mu_a;
static inline MU_ALWAYS mu_a mu_load_a(__local const uint4 *tile, int row, int part, int lane)
{
    int r = row + lane % 8;
    return as_float8((uint8)(tile[mu_at(r, part)], tile[mu_at(r + 8, part)]));
}
#endif
static inline MU_ALWAYS mu_b mu_load_b(__local const uint4 *tile, int row, int part, int lane)
{
    return mu_four(tile, row + lane / 8 * 4, 1, part);
}
static inline MU_ALWAYS float mu_dot(float4 a, float4 b, float c)
{
    return fma(a.w, b.w, fma(a.z, b.z, fma(a.y, b.y, fma(a.x, b.x, c))));
}
static inline MU_ALWAYS float4 mu_dots(float4 a, mu_b b, float4 c)
{
    return (float4)(mu_dot(a, b.lo.lo, c.x), mu_dot(a, b.lo.hi, c.y), mu_dot(a, b.hi.lo, c.z),
                    mu_dot(a, b.hi.hi, c.w));
}
static inline MU_ALWAYS mu_sums mu_mad(mu_a a, mu_b b, mu_sums c)
{
#if MU_PLAIN == 16
    return (float8)(mu_dots(a.lo, b, c.lo), mu_dots(a.hi, b, c.hi));
#else
    return (float16)(mu_dots(a.lo.lo, b, c.lo.lo), mu_dots(a.lo.hi, b, c.lo.hi), mu_dots(a.hi.lo, b, c.hi.lo),
                     mu_dots(a.hi.hi, b, c.hi.hi));
#endif
}
#endif
