/* The exact GELU, x Φ(x), by polynomials: erf to 1.5e-7 absolute (Abramowitz and Stegun 7.1.26). */
static inline vecf vec_erf(vecf x, vecf e) /* e: exp(−x²) */
{
    vecf a = fabs(x), t = 1.0f / fma((vecf)(0.3275911f), a, (vecf)(1.0f));
    vecf p = (vecf)(1.061405429f);
    p = fma(p, t, (vecf)(-1.453152027f));
    p = fma(p, t, (vecf)(1.421413741f));
    p = fma(p, t, (vecf)(-0.284496736f));
    p = fma(p, t, (vecf)(0.254829592f));
    return copysign(1.0f - p * t * e, x);
}

static inline vecf vec_gelu(vecf x)
{
    vecf e = vec_exp(-0.5f * x * x);
    return 0.5f * x * (1.0f + vec_erf(x * 0.70710678f, e));
}

/* d gelu/dx = Φ(x) + x φ(x) */
static inline vecf vec_gelu_slope(vecf x)
{
    vecf e = vec_exp(-0.5f * x * x);
    return fma(x * 0.39894228f, e, 0.5f * (1.0f + vec_erf(x * 0.70710678f, e)));
}
