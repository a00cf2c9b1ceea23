/* Query tiles of few rows, where most elements of a vector of queries would be idle: products of a query and
 * a key have the head's columns as elements instead, and VEC pairs of them, whichever queries they are of,
 * share the sums across. */

/* Whether these rows go this way. */
static inline int is_few(int rows, int keys)
{
    return rows <= QUERY_TILE / 4 ||
           (rows <= LAIP_ATTENTION_FEW_ROWS && rows * keys <= LAIP_ATTENTION_FEW_PAIRS);
}

/* Element i: the sum over v[i].  A transposition that adds as it goes has half of the moves. */
UNROLLED vecf sum_across(vecf *v)
{
#pragma unroll
    for (int half_count = VEC / 2; half_count > 0; half_count /= 2) {
#pragma unroll
        for (int i = 0; i < half_count; i++) {
            vecf a = v[i], b = v[i + half_count];
            v[i] = INTERLEAVE_LOW(a, b) + INTERLEAVE_HIGH(a, b);
        }
    }
    return v[0];
}

/* out[r · keys + j] = ⟨x[r], row j⟩ of dense rows, and numbers of no meaning up to the next VEC. */
static inline void pair_dots(__global float *out, const float *x, int rows, __global const float *a, int keys)
{
    int r = 0, j = 0;
    for (int p = 0; p < rows * keys; p += VEC) {
        vecf part[VEC];
#pragma unroll
        for (int i = 0; i < VEC; i++) {
            const float *query = x + r * HEAD;
            __global const float *row = a + j * HEAD;
            part[i] = VLOAD(query) * VLOAD(row);
            for (int c = VEC; c < HEAD; c += VEC)
                part[i] = fma(VLOAD(query + c), VLOAD(row + c), part[i]);
            if (++j == keys) {
                j = 0;
                r = min(r + 1, rows - 1);
            }
        }
        VSTORE(sum_across(part), out + p);
    }
}

/* The dropout's factors of row r's probabilities from key j on. */
static inline vecf key_mask(const query_tile *tile, const kv_block *b, int r, int j)
{
    uint index = ((const uint *)tile->index)[r] + (uint)j;
    vecu key0 = (vecu)(((const uint *)tile->key0)[r]), key1 = (vecu)(((const uint *)tile->key1)[r]);
    vecu bits = vec_mask_bits(key0, key1, AS_VECU(VEC_INDEX) + (vecu)(index));
    return select((vecf)(0.0f), (vecf)(b->kept_scale), bits >= (vecu)(b->threshold));
}

/* to = factor · Σ_j w[j] · row j of `count` dense rows. */
static inline void row_pv(__global act *to, __global const float *w, __global const float *a, int count,
                          float factor)
{
    vecf sum[HEAD_VECS];
#pragma unroll
    for (int v = 0; v < HEAD_VECS; v++)
        sum[v] = (vecf)(0.0f);
    for (int j = 0; j < count; j++) {
        vecf x = (vecf)(w[j]);
#pragma unroll
        for (int v = 0; v < HEAD_VECS; v++)
            sum[v] = fma(x, VLOAD(a + j * HEAD + VEC * v), sum[v]);
    }
#pragma unroll
    for (int v = 0; v < HEAD_VECS; v++)
        ACT_STORE(sum[v] * factor, to + VEC * v);
}

/* to[j] (+)= Σ_r w[r · stride + j] · x[r] for `count` dense rows. */
static inline void row_dkv(__global float *to, int count, __global const float *w, int stride, const float *x,
                           int rows, int overwrite)
{
    for (int j = 0; j < count; j++)
        for (int c = 0; c < HEAD; c += VEC) {
            vecf sum = overwrite ? (vecf)(0.0f) : VLOAD(to + j * HEAD + c);
            for (int r = 0; r < rows; r++)
                sum = fma((vecf)(w[r * stride + j]), VLOAD(x + r * HEAD + c), sum);
            VSTORE(sum, to + j * HEAD + c);
        }
}
