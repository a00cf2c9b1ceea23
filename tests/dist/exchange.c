/* A step shared out among ranks: the keys that each made are everyone's afterwards, the same bits as one rank
 * would have made; the gradients are their sum, the same bits on every rank, and one rank's up to rounding.
 */
#include "support/ranks.h"

#include "dist/exchange.h"
#include "dist/gradients.h"
#include "support/device.h"
#include "support/tiny.h"
#include <stdlib.h>
#include <string.h>

enum { B = LAIP_TINY_BATCH, MICRO = 5 };

static const laip_ranks alone = {.size = 1};

typedef struct run {
    laip_model model;
    laip_step step;
    laip_arena arena;
    laip_batch batch[MICRO];
} run;

/* Gradients that an earlier step left. */
static void leave_gradients(run *r)
{
    for (size_t i = 0; i < r->model.table.count; i++)
        for (int k = 0; k < r->model.table.params[i]->parts; k++) {
            const laip_param *p = r->model.table.params[i];
            size_t n = laip_part_count(&p->part[k]);
            float *values = laip_alloc(n, sizeof *values);
            for (size_t j = 0; j < n; j++)
                values[j] = 7;
            laip_params_write(&r->model.params, p, &p->part[k], 1, values);
            free(values);
        }
}

/* Without phrases the head that guesses words has no gradient, nor have the cross layers, as the matching
 * head is still zero. */
static void open_run(run *r, bool phrases)
{
    laip_error error;
    laip_model_config m = laip_tiny_sizes();
    laip_loss_config l = laip_loss_config_default();
    laip_step_sizes z = laip_tiny_step_sizes();
    *r = (run){.arena = {0}};
    m.dropout = 0.1f;
    m.queue = 20;
    l.bidiratt_layer = 1;
    z.micro_batches = MICRO;
    if (!phrases)
        l.weight[LAIP_LOSS_BIDIRATT] = l.weight[LAIP_LOSS_MPM] = 0;
    laip_test_fix_products(laip_test_device());
    assert_ok(laip_model_create(&r->model, laip_test_device(), &m, true, &error), error);
    laip_params_initialise(&r->model.params, &r->model.table, 5, 0, 0.1f);
    laip_params_copy_average(&r->model.params);
    assert_ok(laip_step_create(&r->step, &r->model, &l, &z, 5, &error), error);
    for (uint64_t i = 0; i < MICRO; i++) {
        r->batch[i] = laip_tiny_batch(&r->arena, &m, 10 + i);
        for (int k = 0; k < B; k++)
            r->batch[i].person[k] = (int32_t)(100 * i) + k;
    }
    leave_gradients(r);
}

static void close_run(run *r)
{
    laip_step_free(&r->step);
    laip_model_free(&r->model);
    laip_arena_free(&r->arena);
}

/* A step of this rank's micro-batches up to the update; both exchanges, each after what it follows. */
static void half_step(run *r, const laip_ranks *ranks)
{
    size_t first, last;
    laip_ranks_division(ranks, ranks->rank, MICRO, &first, &last);
    laip_step_begin(&r->step, 1);
    for (size_t i = first; i < last; i++)
        laip_step_momentum(&r->step, &r->batch[i], i);
    laip_exchange_keys(ranks, &r->step);
    laip_gradients *g = laip_gradients_create(ranks, &r->step);
    laip_error error;
    for (size_t i = first; i < last; i++) {
        if (i + 1 == last)
            laip_gradients_begin(g);
        assert_ok(laip_step_micro(&r->step, &r->batch[i], i, 3, &error), error);
    }
    laip_gradient_times times;
    assert_ok(laip_gradients_end(g, &times, &error), error);
    assert_true(times.exposed <= times.busy + 1e-9);
    laip_gradients_free(g);
    laip_test_finish(r->model.device);
}

static void assert_same_keys(run *a, run *b)
{
    laip_mat of_a[] = {a->step.queue.image, a->step.queue.text},
             of_b[] = {b->step.queue.image, b->step.queue.text};
    for (int side = 0; side < 2; side++) {
        float *x = laip_test_read(a->model.device, of_a[side]),
              *y = laip_test_read(b->model.device, of_b[side]);
        assert_memory_equal(x, y, of_a[side].rows * of_a[side].cols * sizeof *x);
        free(x);
        free(y);
    }
    assert_memory_equal(a->step.queue.person, b->step.queue.person,
                        (a->step.queue.batch + a->step.queue.slots) * sizeof(int32_t));
    for (size_t i = 0; i < B * MICRO; i++)
        assert_int_equal(a->step.queue.person[i], 100 * (i / B) + i % B);
}

/* Fails unless all ranks hold the same bits. */
static void same_everywhere(const float *values, size_t count)
{
    size_t ranks = (size_t)laip_test_ranks.size, *first = laip_alloc(ranks + 1, sizeof *first);
    float *all = laip_alloc(ranks * count, sizeof *all);
    for (size_t k = 0; k <= ranks; k++)
        first[k] = k * count;
    memcpy(all + first[laip_test_ranks.rank], values, count * sizeof *values);
    laip_ranks_allgatherv(&laip_test_ranks, all, first);
    for (size_t k = 0; k < ranks; k++)
        assert_memory_equal(all + first[k], values, count * sizeof *values);
    free(all);
    free(first);
}

static void share_step(bool phrases)
{
    run one, many, again;
    open_run(&one, phrases);
    open_run(&many, phrases);
    open_run(&again, phrases);
    half_step(&one, &alone);
    half_step(&many, &laip_test_ranks);
    half_step(&again, &laip_test_ranks);
    assert_same_keys(&one, &many);
    for (size_t c = 0; c < one.model.params.count; c++) {
        laip_device *d = one.model.device;
        size_t n = one.model.params.chunks[c].floats;
        float *want = laip_test_read(d, one.model.params.chunks[c].gradient),
              *got = laip_test_read(d, many.model.params.chunks[c].gradient),
              *twice = laip_test_read(d, again.model.params.chunks[c].gradient);
        double *wanted = laip_alloc(n, sizeof *wanted), norm = 0;
        for (size_t i = 0; i < n; i++) {
            wanted[i] = (double)want[i];
            norm += wanted[i] * wanted[i];
        }
        assert_true(norm > 1e-6 || !phrases);
        double distance = laip_test_distance(got, wanted, n);
        if (distance > 1e-5)
            fail_msg("gradients of chunk %zu differ from one rank's by %g", c, distance);
        assert_memory_equal(got, twice, n * sizeof *got);
        same_everywhere(got, n);
        free(want);
        free(got);
        free(twice);
        free(wanted);
    }
    close_run(&one);
    close_run(&many);
    close_run(&again);
}

static void shared_step(void **state)
{
    (void)state;
    share_step(true);
    share_step(false);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(shared_step)};
    int status = laip_test_run_ranks(argc, argv, tests, sizeof tests / sizeof *tests);
    laip_test_device_close();
    return status;
}
