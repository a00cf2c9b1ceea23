/* fp16 on the host: IEEE 754 binary16 as 16 bits. */
#ifndef LAIP_BASE_HALF_H
#define LAIP_BASE_HALF_H

#include "cl/shared.h" /* LAIP_LOW_SCALE */
#include <stdint.h>

/* Rounded to nearest, ties to even; what is too large becomes infinite, a NaN stays one. */
uint16_t laip_half_from(float x);
float laip_half_value(uint16_t half); /* exact */

/* A float in two halves, high + low / 4096, to 22 bits where high is normal: the working copy of a weight,
 * and what its master has beyond that.  Splitting what two halves make gives the same two halves again. */
typedef struct laip_split_float {
    uint16_t high, low;
} laip_split_float;
laip_split_float laip_float_split(float x);
float laip_float_join(laip_split_float x);

#endif
