/* Random numbers from counters (Philox4x32-10).  A stream is named by (seed, step, sample, site): the same
 * four numbers give the same stream on every rank, thread and machine, and streams are independent of each
 * other. sample is the global index of a sample; site says what the numbers are for (see below). */
#ifndef LAIP_BASE_RNG_H
#define LAIP_BASE_RNG_H

#include <stdint.h>

enum laip_site {
    LAIP_SITE_INIT = 1, /* initial weights; sample is the index of the parameter */
    LAIP_SITE_ORDER,    /* order of samples in an epoch; step is the epoch */
    LAIP_SITE_AUGMENT,  /* augmentation of a picture */
    LAIP_SITE_PHRASE,   /* which phrases, which word is masked */
    LAIP_SITE_MLM,      /* which tokens of a caption are masked */
    LAIP_SITE_NEGATIVE, /* hard negatives */
    LAIP_SITE_SYNTH,    /* drawn data */
    LAIP_SITE_TEST,
    LAIP_SITE_SPLIT,        /* which persons are held back of a list without splits */
    LAIP_SITE_DROPOUT = 256 /* + index of the dropout layer */
};

/* What all samples' streams of one seed, step and site have in common: kernels make the rest from it
 * (cl/philox.h). */
typedef struct laip_rng_key {
    uint32_t key[2], counter;
} laip_rng_key;
laip_rng_key laip_rng_fold(uint64_t seed, uint64_t step, uint32_t site);

typedef struct laip_rng {
    uint32_t key[2], counter[4], block[4];
    int used;
} laip_rng;

laip_rng laip_rng_stream(uint64_t seed, uint64_t step, uint64_t sample, uint32_t site);
uint32_t laip_rng_u32(laip_rng *r);
double laip_rng_uniform(laip_rng *r);             /* in [0, 1), 53 bits */
uint32_t laip_rng_below(laip_rng *r, uint32_t n); /* in [0, n), unbiased; n > 0 */
double laip_rng_normal(laip_rng *r);              /* mean 0, variance 1 (Box-Muller) */
void laip_rng_shuffle(laip_rng *r, uint32_t *values, uint32_t count);

#endif
