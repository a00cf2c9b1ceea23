/* The exact GELU, x Φ(x), Φ the normal distribution's: Φ(x) − ½ = x R(x²), R a quotient of polynomials fitted
 * for the least largest error within ±5.65, 2e-8; Φ is 0 below (8e-9 and less).  Rounding adds 2e-8,
 * root mean square. */
static inline vecf vec_normal_cdf(vecf x)
{
    vecf z = clamp(x, (vecf)(-5.65f), (vecf)(5.65f)), s = z * z;
    vecf p = (vecf)(2.16232507e-08f);
    p = fma(p, s, (vecf)(6.44083411e-06f));
    p = fma(p, s, (vecf)(1.82788703e-04f));
    p = fma(p, s, (vecf)(4.76180576e-03f));
    p = fma(p, s, (vecf)(3.52276713e-02f));
    p = fma(p, s, (vecf)(3.98942173e-01f));
    vecf q = (vecf)(1.17118771e-06f);
    q = fma(q, s, (vecf)(7.80878181e-05f));
    q = fma(q, s, (vecf)(1.9634522e-03f));
    q = fma(q, s, (vecf)(2.94336099e-02f));
    q = fma(q, s, (vecf)(2.5496763e-01f));
    q = fma(q, s, (vecf)(1.0f));
    return select(fma(z, p / q, (vecf)(0.5f)), (vecf)(0.0f), x < (vecf)(-5.65f));
}

static inline vecf vec_gelu(vecf x)
{
    return x * vec_normal_cdf(x);
}

/* d gelu/dx = Φ(x) + x φ(x) */
static inline vecf vec_gelu_slope(vecf x)
{
    return fma(x * 0.39894228f, vec_exp(-0.5f * x * x), vec_normal_cdf(x));
}
