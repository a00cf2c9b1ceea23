/* Turns a square of 16 × 16 around: four rounds that interleave row i with row i + 8. */
static inline __attribute__((always_inline)) void transpose_16x16(float16 *v)
{
    float16 t[16];
#pragma unroll
    for (int round = 0; round < 4; round++) {
#pragma unroll
        for (int i = 0; i < 8; i++) {
            float16 a = v[i], b = v[i + 8];
            t[2 * i] = (float16)(a.s0, b.s0, a.s1, b.s1, a.s2, b.s2, a.s3, b.s3, a.s4, b.s4, a.s5, b.s5, a.s6,
                                 b.s6, a.s7, b.s7);
            t[2 * i + 1] = (float16)(a.s8, b.s8, a.s9, b.s9, a.sa, b.sa, a.sb, b.sb, a.sc, b.sc, a.sd, b.sd,
                                     a.se, b.se, a.sf, b.sf);
        }
#pragma unroll
        for (int i = 0; i < 16; i++)
            v[i] = t[i];
    }
}
