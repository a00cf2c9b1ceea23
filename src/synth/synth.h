/* Drawn data: pedestrians with what they wear and carry, seen by several cameras, described in words; written
 * in CUHK-PEDES' layout.  Everything follows from the seed: the same seed draws the same bytes. */
#ifndef LAIP_SYNTH_SYNTH_H
#define LAIP_SYNTH_SYNTH_H

#include "base/error.h"
#include <stdint.h>

typedef enum laip_synth_kind {
    LAIP_SYNTH_PERSONS, /* a third of them near-duplicates of another */
    LAIP_SYNTH_BIND,    /* families whose members differ in what has which colour (family.h) */
    LAIP_SYNTH_CONTROL  /* families whose members differ by colours foreign to the family */
} laip_synth_kind;

typedef struct laip_synth_options {
    const char *folder;     /* reid_raw.json and imgs/ are written there */
    int persons, val, test; /* persons of train, of val and of test; none is in two */
    int images;             /* a person */
    uint64_t seed;
    int threads; /* 0: one a core */
    laip_synth_kind kind;
    bool singles; /* of families: train has one member of each, so that no batch contains a family */
    int galleries; /* of families: test is divided into the splits test1, test2, … of as many persons; 1: test
                    */
} laip_synth_options;

/* Families write binding.json beside: the persons' families and members, whether training saw their pairs of
 * colours, the boxes of what is bound in every picture, the pairs kept from train, and what readers of the
 * captions can reach at most (family.h: laip_ceilings), a gallery and on average.
 *
 * Bad input: no persons in train, no pictures, a negative number, a folder that cannot be made.  Files of the
 * same names are replaced, others stay. */
bool laip_synth_write(const laip_synth_options *options, laip_error *error);

#endif
