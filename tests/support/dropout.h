/* Masks of dropout for tests, worked out from the formula of ops/dropout.h. */
#ifndef LAIP_TESTS_SUPPORT_DROPOUT_H
#define LAIP_TESTS_SUPPORT_DROPOUT_H

#include "base/rng.h"
#include "ops/dropout.h"

/* Of the masks' streams in tests. */
enum { LAIP_TEST_MASK_SEED = 11, LAIP_TEST_MASK_STEP = 7, LAIP_TEST_MASK_SITE = LAIP_SITE_DROPOUT + 3 };

/* What dropout of p multiplies element `index` of sample `id` with: 0, or 1 / (1 - p). */
double laip_test_mask_factor(uint64_t id, uint32_t index, double p);

typedef struct laip_test_mask {
    laip_dropout_mask mask;
    double *factor; /* [rows, cols]: 0, or 1 / (1 - p) */
} laip_test_mask;

/* Of sequences of 1, 8, 3, 1, 8, … rows whose numbers take both words. */
laip_test_mask laip_test_mask_create(laip_device *device, size_t rows, size_t cols, float p);
void laip_test_mask_free(laip_test_mask *mask);

#endif
