/* The queues against a plain ring: what the last batches left, in the slots they went to. */
#include "support/test.h"

#include "base/memory.h"
#include "model/keys.h"
#include "support/device.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { E = 5 };

static int drop(void **state)
{
    (void)state;
    laip_test_device_close();
    return 0;
}

typedef struct keys {
    laip_plan *plan;
    laip_queue q;
} keys;

static void open_keys(keys *k, size_t batch, size_t slots)
{
    laip_device *d = laip_test_device();
    laip_error error;
    *k = (keys){.plan = laip_plan_create(d, "keys")};
    laip_queue_plan(&k->q, k->plan, batch, slots, E);
    assert_ok(laip_plan_allocate(k->plan, &error), error);
    laip_queue_plan(&k->q, k->plan, batch, slots, E);
    laip_queue_initialise(&k->q, d, 3);
}

static void close_keys(keys *k)
{
    laip_queue_free(&k->q);
    laip_plan_free(k->plan);
    laip_test_finish(laip_test_device());
}

/* Key e of pair number n on one side. */
static float key_of(int side, size_t n, size_t e)
{
    return (float)(1000 * side + 10 * (int)n + (int)e);
}

static void fill_batch(keys *k, size_t first)
{
    float *rows = laip_alloc(k->q.batch * E, sizeof *rows);
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < k->q.batch * E; i++)
            rows[i] = key_of(side, first + i / E, i % E);
        laip_mat_write(laip_test_device(), laip_rows(side ? k->q.text : k->q.image, k->q.batch), rows);
    }
    for (size_t i = 0; i < k->q.batch; i++)
        k->q.person[i] = (int32_t)(first + i);
    free(rows);
}

/* Batches of many sizes into queues of many sizes: each slot holds the last pair that went there. */
static void ring(void **state)
{
    (void)state;
    const size_t sizes[][2] = {{3, 7}, {4, 8}, {1, 3}, {5, 5}, {8, 3}, {7, 4}, {2, 0}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        size_t batch = sizes[s][0], slots = sizes[s][1], pushed = 0;
        int32_t held[8];
        keys k;
        open_keys(&k, batch, slots);
        for (size_t i = 0; i < slots; i++)
            held[i] = -100;
        for (int step = 0; step < 6; step++) {
            fill_batch(&k, pushed);
            laip_queue_push(&k.q);
            for (size_t i = 0; slots && i < batch; i++)
                held[(pushed + i) % slots] = (int32_t)(pushed + i);
            pushed += batch;
            assert_int_equal(k.q.pointer, slots ? pushed % slots : 0);
            for (int side = 0; side < 2; side++) {
                float *rows = laip_test_read(laip_test_device(), side ? k.q.text : k.q.image);
                for (size_t i = 0; i < slots; i++) {
                    assert_int_equal(k.q.person[batch + i], held[i]);
                    for (size_t e = 0; held[i] >= 0 && e < E; e++)
                        assert_true(rows[(batch + i) * E + e] == key_of(side, (size_t)held[i], e));
                }
                free(rows);
            }
        }
        close_keys(&k);
    }
}

/* At first every slot holds a direction, of length one, and belongs to nobody; both sides differ. */
static void beginning(void **state)
{
    (void)state;
    keys k;
    open_keys(&k, 2, 6);
    float side[2][E * 6];
    laip_queue_read(&k.q, k.q.image, side[0]);
    laip_queue_read(&k.q, k.q.text, side[1]);
    for (int s = 0; s < 2; s++)
        for (int i = 0; i < 6; i++) {
            double square = 0;
            for (int e = 0; e < E; e++)
                square += pow((double)side[s][e * 6 + i], 2);
            assert_near(square, 1, 1e-6);
        }
    assert_memory_not_equal(side[0], side[1], sizeof side[0]);
    for (int i = 0; i < 8; i++)
        assert_int_equal(k.q.person[i], -100);
    close_keys(&k);
}

/* Checkpoints hold the sides turned, [E, slots]; what is written so is read so, and lies in the rows. */
static void turned(void **state)
{
    (void)state;
    keys k;
    float given[E * 6], back[E * 6];
    open_keys(&k, 2, 6);
    for (int i = 0; i < E * 6; i++)
        given[i] = (float)i;
    laip_queue_write(&k.q, k.q.text, given);
    laip_queue_read(&k.q, k.q.text, back);
    assert_memory_equal(given, back, sizeof given);
    float *rows = laip_test_read(laip_test_device(), k.q.text);
    for (int i = 0; i < 6; i++)
        for (int e = 0; e < E; e++)
            assert_true(rows[(2 + i) * E + e] == given[e * 6 + i]);
    free(rows);
    close_keys(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ring), cmocka_unit_test(beginning),
                                       cmocka_unit_test(turned)};
    return cmocka_run_group_tests(tests, NULL, drop);
}
