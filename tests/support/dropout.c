#include "support/dropout.h"

#include "base/memory.h"
#include "support/device.h"
#include <stdlib.h>

static uint32_t mask_bits(uint32_t key0, uint32_t key1, uint32_t index)
{
    uint32_t x = index * 0x9e3779b1u ^ key0;
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x += key1;
    x *= 0x846ca68bu;
    x ^= x >> 16;
    x *= 0x9e3779b1u;
    return x ^ x >> 15;
}

double laip_test_mask_factor(uint64_t id, uint32_t index, double p)
{
    laip_rng stream = laip_rng_stream(LAIP_TEST_MASK_SEED, LAIP_TEST_MASK_STEP, id, LAIP_TEST_MASK_SITE);
    uint32_t key0 = laip_rng_u32(&stream), key1 = laip_rng_u32(&stream);
    return mask_bits(key0, key1, index) >= (uint32_t)(p * 4294967296.0) ? 1 / (1 - p) : 0;
}

laip_test_mask laip_test_mask_create(laip_device *d, size_t rows, size_t cols, float p)
{
    static const size_t lengths[] = {1, 8, 3};
    laip_test_mask m = {.factor = laip_alloc(rows * cols, sizeof(double))};
    int32_t *sequence = laip_alloc(rows, sizeof *sequence), *begin = laip_alloc(rows + 1, sizeof *begin),
            *ids = laip_alloc(2 * rows, sizeof *ids);
    size_t count = 0;
    for (size_t r = 0; r < rows; count++) {
        uint64_t id = 5 + count + ((uint64_t)(count + 3) << 34);
        begin[count] = (int32_t)r;
        ids[2 * count] = (int32_t)(uint32_t)id;
        ids[2 * count + 1] = (int32_t)(id >> 32);
        for (size_t i = 0; i < lengths[count % 3] && r < rows; i++, r++) {
            sequence[r] = (int32_t)count;
            for (size_t c = 0; c < cols; c++)
                m.factor[r * cols + c] = laip_test_mask_factor(id, (uint32_t)(i * cols + c), (double)p);
        }
    }
    begin[count] = (int32_t)rows;
    m.mask = (laip_dropout_mask){
        .row_sequence = laip_test_ints(d, rows, sequence),
        .begin = laip_test_ints(d, count + 1, begin),
        .ids = laip_test_ints(d, 2 * count, ids),
        .stream = laip_rng_fold(LAIP_TEST_MASK_SEED, LAIP_TEST_MASK_STEP, LAIP_TEST_MASK_SITE),
        .p = p};
    free(sequence);
    free(begin);
    free(ids);
    return m;
}

void laip_test_mask_free(laip_test_mask *m)
{
    laip_mem_release(m->mask.row_sequence.mem);
    laip_mem_release(m->mask.begin.mem);
    laip_mem_release(m->mask.ids.mem);
    free(m->factor);
}
