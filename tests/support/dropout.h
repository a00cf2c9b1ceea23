/* Masks of dropout for tests, worked out from the formula of ops/dropout.h. */
#ifndef LAIP_TESTS_SUPPORT_DROPOUT_H
#define LAIP_TESTS_SUPPORT_DROPOUT_H

#include "ops/dropout.h"

typedef struct laip_test_mask {
    laip_dropout_mask mask;
    double *factor; /* [rows, cols]: 0, or 1 / (1 - p) */
} laip_test_mask;

/* Of sequences of 1, 8, 3, 1, 8, … rows whose numbers take both words. */
laip_test_mask laip_test_mask_create(laip_device *device, size_t rows, size_t cols, float p);
void laip_test_mask_free(laip_test_mask *mask);

#endif
