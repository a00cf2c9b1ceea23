/* Dot products of head vectors, of HEAD floats, of which one stays an item's. */
#define HEAD_VECS (HEAD / VEC)

static inline float head_dot(__global const act *a, const float *b)
{
    vecf sums = (vecf)(0.0f);
    float sum = 0.0f;
#pragma unroll
    for (int c = 0; c < HEAD_VECS; c++)
        sums = fma(ACT_LOAD(a + c * VEC), VLOAD(b + c * VEC), sums);
    for (int c = HEAD_VECS * VEC; c < HEAD; c++)
        sum = fma(ACT_GET(a + c), b[c], sum);
    return sum + vec_sum(sums);
}

static inline void head_load(float *to, __global const act *from, float scale)
{
#pragma unroll
    for (int c = 0; c < HEAD_VECS; c++)
        VSTORE(ACT_LOAD(from + c * VEC) * scale, to + c * VEC);
    for (int c = HEAD_VECS * VEC; c < HEAD; c++)
        to[c] = ACT_GET(from + c) * scale;
}
