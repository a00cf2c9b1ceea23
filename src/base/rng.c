#include "base/rng.h"

#include <Random123/philox.h>
#include <math.h>

/* A stream is two rounds of the cipher: the first folds seed, step and site into the key of the second, whose
 * counter is left to the position in the stream and the sample. */
laip_rng_key laip_rng_fold(uint64_t seed, uint64_t step, uint32_t site)
{
    philox4x32_ctr_t c = {{(uint32_t)step, (uint32_t)(step >> 32), site, 0}};
    philox4x32_key_t k = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    philox4x32_ctr_t folded = philox4x32(c, k);
    return (laip_rng_key){{folded.v[0], folded.v[1]}, folded.v[2]};
}

laip_rng laip_rng_stream(uint64_t seed, uint64_t step, uint64_t sample, uint32_t site)
{
    laip_rng_key folded = laip_rng_fold(seed, step, site);
    return (laip_rng){.key = {folded.key[0], folded.key[1]},
                      .counter = {0, folded.counter, (uint32_t)sample, (uint32_t)(sample >> 32)},
                      .used = 4};
}

uint32_t laip_rng_u32(laip_rng *r)
{
    if (r->used == 4) {
        philox4x32_ctr_t c = {{r->counter[0], r->counter[1], r->counter[2], r->counter[3]}};
        philox4x32_key_t k = {{r->key[0], r->key[1]}};
        philox4x32_ctr_t out = philox4x32(c, k);
        for (int i = 0; i < 4; i++)
            r->block[i] = out.v[i];
        r->counter[0]++;
        r->used = 0;
    }
    return r->block[r->used++];
}

double laip_rng_uniform(laip_rng *r)
{
    uint64_t high = laip_rng_u32(r) >> 5, low = laip_rng_u32(r) >> 6;
    return (double)(high * 67108864u + low) * 0x1p-53;
}

uint32_t laip_rng_below(laip_rng *r, uint32_t n)
{
    uint32_t floor = -n % n; /* 2^32 mod n: values below it would favour small results */
    for (;;) {
        uint64_t product = (uint64_t)laip_rng_u32(r) * n;
        if ((uint32_t)product >= floor)
            return (uint32_t)(product >> 32);
    }
}

double laip_rng_normal(laip_rng *r)
{
    double u = 1.0 - laip_rng_uniform(r), v = laip_rng_uniform(r);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

void laip_rng_shuffle(laip_rng *r, uint32_t *values, uint32_t count)
{
    for (uint32_t i = count; i > 1; i--) {
        uint32_t j = laip_rng_below(r, i), t = values[j];
        values[j] = values[i - 1];
        values[i - 1] = t;
    }
}
