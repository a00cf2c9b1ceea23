#include "support/device.h"

#include "base/memory.h"
#include "base/rng.h"
#include "ops/gemm/internal.h"
#include "support/test.h"
#include <math.h>
#include <stdlib.h>

static laip_device *device;

laip_device *laip_test_device(void)
{
    laip_error error;
    if (!device)
        assert_ok(laip_device_open(&device, NULL, 0, &error), error);
    return device;
}

void laip_test_device_close(void)
{
    laip_device_close(device);
    device = NULL;
}

const char *laip_test_products(const laip_device *d)
{
    if (d->traits.lanes > 1)
        return "clblast";
    int native = d->traits.native_vector;
    return native >= 16 ? "packed-16-12x32" : native >= 8 ? "packed-8-6x16" : "packed-4-8x8";
}

void laip_test_fix_products(laip_device *d)
{
    laip_gemm_force(d, laip_test_products(d));
}

laip_device *laip_test_packed_device(void)
{
    laip_device *d = laip_test_device();
    if (laip_device_traits(d)->lanes > 1)
        skip();
    laip_test_fix_products(d);
    return d;
}

void laip_test_finish(laip_device *d)
{
    laip_error error;
    assert_ok(laip_device_finish(d, &error), error);
}

laip_mat laip_test_mat(laip_device *d, size_t rows, size_t cols, const float *values)
{
    laip_mat m = laip_mat_create(d, rows, cols);
    if (values)
        laip_mat_write(d, m, values);
    laip_test_finish(d);
    return m;
}

laip_ints laip_test_ints(laip_device *d, size_t count, const int32_t *values)
{
    laip_ints v = laip_ints_create(d, count);
    laip_ints_write(d, v, values);
    laip_test_finish(d);
    return v;
}

float *laip_test_read(laip_device *d, laip_mat m)
{
    float *values = laip_alloc(m.rows * m.cols, sizeof *values);
    laip_mat_read(d, m, values);
    laip_test_finish(d);
    return values;
}

float *laip_test_random(size_t count, double scale, uint64_t seed)
{
    float *values = laip_alloc(count, sizeof *values);
    laip_rng r = laip_rng_stream(seed, 0, 0, LAIP_SITE_TEST);
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(scale * laip_rng_normal(&r));
    return values;
}

double laip_test_distance(const float *a, const double *b, size_t count)
{
    double difference = 0, size = 0;
    for (size_t i = 0; i < count; i++) {
        difference += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        size += b[i] * b[i];
    }
    return sqrt(difference) / fmax(sqrt(size), 1e-30);
}
