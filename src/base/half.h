/* fp16 (IEEE 754 binary16) and bfloat16, the upper half of a float, on the host: as 16 bits. */
#ifndef LAIP_BASE_HALF_H
#define LAIP_BASE_HALF_H

#include "cl/shared.h" /* LAIP_LOW_SCALE */
#include <stdint.h>

/* Rounded to nearest, ties to even; what is too large becomes infinite, a NaN stays one. */
uint16_t laip_half_from(float x);
float laip_half_value(uint16_t half);     /* exact */
uint16_t laip_bfloat16_from(float x);     /* likewise */
float laip_bfloat16_value(uint16_t bits); /* exact */

/* A float in two halves, high + low / 4096, to 22 bits where high is normal: the working copy of a weight,
 * and what its master has beyond that.  Splitting what two halves make gives the same two halves again. */
typedef struct laip_split_float {
    uint16_t high, low;
} laip_split_float;
laip_split_float laip_float_split(float x);
float laip_float_join(laip_split_float x);
/* The same of bfloat16: high is the nearest one, ties away from 0, low the float's lower 16 bits, of which
 * the first says whether high was rounded up.  Exact. */
laip_split_float laip_bfloat16_split(float x);
float laip_bfloat16_join(laip_split_float x);

#endif
