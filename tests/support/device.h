/* A device for tests: the one that auto takes, opened once for the whole program. */
#ifndef LAIP_TESTS_SUPPORT_DEVICE_H
#define LAIP_TESTS_SUPPORT_DEVICE_H

#include "device/buffer.h"
#include "device/device.h"
#include "ops/gemm/gemm.h"

laip_device *laip_test_device(void);
void laip_test_device_close(void);
/* The products that the device has and that need no measuring first, so that bits are the same in every run:
 * the packed kernel's, or CLBlast's where it has none; and those from now on. */
const char *laip_test_products(const laip_device *device);
void laip_test_fix_products(laip_device *device);
/* The test's device with the packed kernel's products; where it has none the test is skipped. */
laip_device *laip_test_packed_device(void);
void laip_test_finish(laip_device *device); /* fails the test with the device's error, if there is one */

/* Matrices and tables on the device from host values, and back; released with laip_mem_release(m.mem). */
laip_mat laip_test_mat(laip_device *device, size_t rows, size_t cols, const float *values);
laip_ints laip_test_ints(laip_device *device, size_t count, const int32_t *values);
float *laip_test_read(laip_device *device, laip_mat m); /* free() releases it */
/* count values from N(0, scale²), the same for the same seed; free() releases them. */
float *laip_test_random(size_t count, double scale, uint64_t seed);
/* Euclidean norm of a - b over that of b (over 1e-30 where that is less). */
double laip_test_distance(const float *a, const double *b, size_t count);

#endif
