#include "base/half.h"

#include <string.h>

static uint32_t bits_of(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static float from_bits(uint32_t u)
{
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

uint16_t laip_half_from(float x)
{
    uint32_t u = bits_of(x), sign = u >> 16 & 0x8000, a = u & 0x7fffffff;
    if (a > 0x7f800000)
        return (uint16_t)(sign | 0x7e00);
    if (a >= 0x477ff000) /* 65520, halfway from the largest half to the next that there would be */
        return (uint16_t)(sign | 0x7c00);
    if (a < 0x38800000) { /* subnormal: adding 1/2 leaves the bits of multiples of 2^-24 */
        uint32_t rounded = bits_of(from_bits(a) + 0.5f) - 0x3f000000;
        return (uint16_t)(sign | rounded);
    }
    uint32_t odd = a >> 13 & 1;
    return (uint16_t)(sign | ((a - 0x38000000 + 0xfff + odd) >> 13));
}

float laip_half_value(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, a = half & 0x7fff;
    if (a >= 0x7c00)
        return from_bits(sign | 0x7f800000 | (a & 0x3ff) << 13);
    return from_bits(sign | bits_of(from_bits(a << 13) * 0x1p112f));
}

uint16_t laip_bfloat16_from(float x)
{
    uint32_t u = bits_of(x);
    return (uint16_t)(x != x ? u >> 16 | 0x40 : (u + 0x7fff + (u >> 16 & 1)) >> 16);
}

float laip_bfloat16_value(uint16_t bits)
{
    return from_bits((uint32_t)bits << 16);
}

laip_split_float laip_bfloat16_split(float x)
{
    uint32_t u = x != x ? 0x7fc00000 : bits_of(x);
    return (laip_split_float){(uint16_t)((u + 0x8000) >> 16), (uint16_t)u};
}

float laip_bfloat16_join(laip_split_float x)
{
    return from_bits(((uint32_t)x.high << 16) + x.low - (x.low >= 0x8000 ? 0x10000u : 0));
}

static laip_split_float once(float x)
{
    uint16_t high = laip_half_from(x);
    return (laip_split_float){high, laip_half_from((x - laip_half_value(high)) * LAIP_LOW_SCALE)};
}

laip_split_float laip_float_split(float x)
{
    /* the low half may round up to a tie, which belongs to the next high one */
    return once(laip_float_join(once(x)));
}

float laip_float_join(laip_split_float x)
{
    return laip_half_value(x.high) + laip_half_value(x.low) / LAIP_LOW_SCALE;
}
