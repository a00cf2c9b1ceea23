/* Transposes a square of VEC × VEC floats in registers: log2(VEC) rounds that interleave row i with row
 * i + VEC / 2. */
#if VEC == 16
#define INTERLEAVE_LOW(a, b)                                                                                 \
    (float16)(a.s0, b.s0, a.s1, b.s1, a.s2, b.s2, a.s3, b.s3, a.s4, b.s4, a.s5, b.s5, a.s6, b.s6, a.s7, b.s7)
#define INTERLEAVE_HIGH(a, b)                                                                                \
    (float16)(a.s8, b.s8, a.s9, b.s9, a.sa, b.sa, a.sb, b.sb, a.sc, b.sc, a.sd, b.sd, a.se, b.se, a.sf, b.sf)
#define TRANSPOSE_ROUNDS 4
#elif VEC == 8
#define INTERLEAVE_LOW(a, b) (float8)(a.s0, b.s0, a.s1, b.s1, a.s2, b.s2, a.s3, b.s3)
#define INTERLEAVE_HIGH(a, b) (float8)(a.s4, b.s4, a.s5, b.s5, a.s6, b.s6, a.s7, b.s7)
#define TRANSPOSE_ROUNDS 3
#else
#define INTERLEAVE_LOW(a, b) (float4)(a.s0, b.s0, a.s1, b.s1)
#define INTERLEAVE_HIGH(a, b) (float4)(a.s2, b.s2, a.s3, b.s3)
#define TRANSPOSE_ROUNDS 2
#endif

static inline __attribute__((always_inline)) void transpose_square(vecf *v)
{
    vecf t[VEC];
#pragma unroll
    for (int round = 0; round < TRANSPOSE_ROUNDS; round++) {
#pragma unroll
        for (int i = 0; i < VEC / 2; i++) {
            vecf a = v[i], b = v[i + VEC / 2];
            t[2 * i] = INTERLEAVE_LOW(a, b);
            t[2 * i + 1] = INTERLEAVE_HIGH(a, b);
        }
#pragma unroll
        for (int i = 0; i < VEC; i++)
            v[i] = t[i];
    }
}
