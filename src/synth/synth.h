/* Drawn data: pedestrians with what they wear and carry, seen by several cameras, described in words; written
 * in CUHK-PEDES' layout.  Everything follows from the seed: the same seed draws the same bytes. */
#ifndef LAIP_SYNTH_SYNTH_H
#define LAIP_SYNTH_SYNTH_H

#include "laip/error.h"
#include <stdint.h>

typedef struct laip_synth_options {
    const char *folder;     /* reid_raw.json and imgs/ are written there */
    int persons, val, test; /* persons of train, of val and of test; none is in two */
    int images;             /* a person */
    uint64_t seed;
    int threads; /* 0: one a core */
} laip_synth_options;

/* Bad input: no persons in train, no pictures, a negative number, a folder that cannot be made.  Files of the
 * same names are replaced, others stay. */
bool laip_synth_write(const laip_synth_options *options, laip_error *error);

#endif
