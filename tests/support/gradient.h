/* Kernels against double precision: forwards value by value, backwards against finite differences of the
 * double reference; each test body on both shapes of kernels, that of CPUs and that of GPUs. */
#ifndef LAIP_TESTS_SUPPORT_GRADIENT_H
#define LAIP_TESTS_SUPPORT_GRADIENT_H

#include "support/device.h"

/* Runs body on a device whose kernels have the one shape, then the other; LAIP_SHAPE=cpu or gpu: on that
 * alone. */
void laip_test_shapes(void (*body)(laip_device *device));

/* A scalar function of n values, in double. */
typedef double laip_scalar(const double *x, void *context);

/* Fails unless `gradient` is that of f at x: central differences at up to 60 of the n places. The error
 * counts relative to the gradient's largest element (at least `floor`). */
void laip_check_gradient(const char *what, laip_scalar *f, void *context, const float *x, size_t n,
                         const float *gradient, double tolerance);
/* Fails unless the matrix on the device holds want, within tolerance of its norm. */
void laip_check_mat(const char *what, laip_device *device, laip_mat m, const double *want, double tolerance);

double *laip_test_doubles(const float *x, size_t n); /* free() releases it */
double laip_test_dot(const double *a, const float *b, size_t n);

#endif
