/* The optimiser's moments shared out among ranks: steps move the weights as with all moments everywhere, each
 * rank holds its part of them alone, and a state that was saved so is that of one rank. */
#include "support/ranks.h"

#include "base/file.h"
#include "dist/exchange.h"
#include "dist/shard.h"
#include "store/checkpoint.h"
#include "support/device.h"
#include "support/tiny.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MICRO = 3, STEPS = 3 };

typedef struct run {
    laip_model model;
    laip_shard *shard;
    laip_step step;
    laip_arena arena;
    laip_batch batch[MICRO];
} run;

static void open_run(run *r, bool shard, bool halves)
{
    laip_error error;
    laip_model_config m = laip_tiny_sizes();
    laip_loss_config l = laip_loss_config_default();
    laip_step_sizes z = laip_tiny_step_sizes();
    *r = (run){.arena = {0}};
    m.queue = 20;
    m.storage = halves ? LAIP_STORE_HALF : LAIP_STORE_FLOAT;
    l.bidiratt_layer = 1;
    z.micro_batches = MICRO;
    if (shard) {
        m.shard_ranks = laip_test_ranks.size;
        m.shard = laip_test_ranks.rank;
    }
    laip_test_fix_products(laip_test_device());
    assert_ok(laip_model_create(&r->model, laip_test_device(), &m, true, &error), error);
    if (shard)
        r->shard = laip_shard_create(&laip_test_ranks, &r->model.params);
    laip_params_initialise(&r->model.params, &r->model.table, 5, 0, 0.1f);
    laip_params_copy_average(&r->model.params);
    assert_ok(laip_step_create(&r->step, &r->model, &l, &z, 5, &error), error);
    for (uint64_t i = 0; i < MICRO; i++)
        r->batch[i] = laip_tiny_batch(&r->arena, &m, 10 + i);
}

static void close_run(run *r)
{
    laip_step_free(&r->step);
    laip_shard_free(r->shard);
    laip_model_free(&r->model);
    laip_arena_free(&r->arena);
}

/* Whole steps, of which the ranks share out the micro-batches. */
static void take_steps(run *r, uint64_t from, float clip_norm)
{
    const laip_optimiser_config o = {.lr = 1e-3f,
                                     .beta1 = 0.9f,
                                     .beta2 = 0.98f,
                                     .eps = 1e-8f,
                                     .weight_decay = 0.02f,
                                     .clip_norm = clip_norm};
    laip_error error;
    size_t first, last;
    laip_ranks_division(&laip_test_ranks, laip_test_ranks.rank, MICRO, &first, &last);
    for (uint64_t t = from; t < from + STEPS; t++) {
        laip_step_begin(&r->step, 0.9f);
        for (size_t i = first; i < last; i++)
            laip_step_momentum(&r->step, &r->batch[i], i);
        laip_exchange_keys(&laip_test_ranks, &r->step);
        for (size_t i = first; i < last; i++)
            assert_ok(laip_step_micro(&r->step, &r->batch[i], i, t, &error), error);
        assert_ok(laip_exchange_gradients(&laip_test_ranks, &r->step, &error), error);
        assert_ok(laip_step_end(&r->step, &o, t, &error), error);
    }
    laip_test_finish(r->model.device);
}

/* which: as of laip_params_read.  Moments are whole on rank 0 alone. */
static void assert_alike(run *a, run *b, int which, double bound)
{
    for (size_t i = 0; i < a->model.table.count; i++)
        for (int k = 0; k < a->model.table.params[i]->parts; k++) {
            const laip_param *p = a->model.table.params[i], *q = b->model.table.params[i];
            size_t n = laip_part_count(&p->part[k]);
            float *x = laip_alloc(n, sizeof *x), *y = laip_alloc(n, sizeof *y);
            double *wanted = laip_alloc(n, sizeof *wanted);
            laip_params_read(&a->model.params, p, &p->part[k], which, x);
            laip_params_read(&b->model.params, q, &q->part[k], which, y);
            for (size_t j = 0; j < n; j++)
                wanted[j] = (double)x[j];
            double distance = laip_test_distance(y, wanted, n);
            if (distance > bound && (which == 0 || laip_test_ranks.rank == 0))
                fail_msg("%s, %d: differs by %g", p->part[k].name, which, distance);
            free(x);
            free(y);
            free(wanted);
        }
}

static void same_steps(bool halves, float clip_norm, double bound)
{
    run whole, shared;
    open_run(&whole, false, halves);
    open_run(&shared, true, halves);
    take_steps(&whole, 1, clip_norm);
    take_steps(&shared, 1, clip_norm);
    for (int which = 0; which < 4; which++)
        if (which != 1)
            assert_alike(&whole, &shared, which, which ? 10 * bound : bound); /* squares, of few bits */
    close_run(&whole);
    close_run(&shared);
}

/* Without a norm to cut to only the sums' order differs; with one, the norm's last bits do, too.  Biases
 * begin at 0, so that they are nothing but steps, which have the gradients' relative error: 1.4e-6 was seen.
 */
static void steps(void **state)
{
    (void)state;
    same_steps(false, 0, 5e-6);
    same_steps(false, 0.1f, 5e-6);
    same_steps(true, 1, 5e-6);
}

/* Two of the copies are divided, and laip_model_bytes says so. */
static void memory(void **state)
{
    (void)state;
    run whole, shared;
    open_run(&whole, false, false);
    open_run(&shared, true, false);
    size_t moments = 0, all = 0, floats = whole.model.params.floats;
    for (size_t i = 0; i < shared.model.params.count; i++) {
        const laip_chunk *c = &shared.model.params.chunks[i];
        size_t own = c->last - c->first;
        assert_true(!own || (c->exp_avg.cols == own && c->exp_avg_sq.cols == own));
        assert_true(own > 0 || !c->exp_avg.mem);
        assert_int_equal(c->first, laip_params_share(&shared.model.params, c, laip_test_ranks.rank));
        moments += own;
    }
    assert_int_equal(laip_model_bytes(&whole.model, whole.model.device) -
                         laip_model_bytes(&shared.model, shared.model.device),
                     2 * (floats - moments) * sizeof(float));
    double sum = (double)moments;
    laip_ranks_sum_doubles(&laip_test_ranks, &sum, 1);
    all = (size_t)sum;
    assert_int_equal(all, floats); /* every moment is one rank's */
    size_t part = floats / (size_t)laip_test_ranks.size;
    assert_in_range(moments, part - part / 3, part + part / 3);
    close_run(&whole);
    close_run(&shared);
}

static void save(run *r, const char *path)
{
    laip_error error;
    const laip_checkpoint_notes notes = {.step = STEPS};
    if (laip_test_ranks.rank)
        laip_checkpoint_contribute(&r->model);
    else
        assert_ok(laip_checkpoint_save(path, &r->model, &r->step, &notes, &error), error);
    laip_ranks_barrier(&laip_test_ranks);
}

/* A state saved by ranks that share the moments is read by those that do not, and the other way round. */
static void states(void **state)
{
    (void)state;
    char path[200];
    int number = (int)getpid();
    laip_ranks_broadcast(&laip_test_ranks, &number, sizeof number);
    snprintf(path, sizeof path, "%s/laip-test-shard-%d.safetensors",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", number);
    for (int from = 0; from < 2; from++) {
        run before, after;
        laip_error error;
        laip_checkpoint_notes notes;
        open_run(&before, from == 0, false);
        open_run(&after, from == 1, false);
        take_steps(&before, 1, 1);
        save(&before, path);
        assert_ok(laip_checkpoint_resume(path, &after.model, &after.step, &notes, &error), error);
        for (int which = 0; which < 4; which++)
            if (which != 1)
                assert_alike(&before, &after, which, 0);
        take_steps(&before, STEPS + 1, 1);
        take_steps(&after, STEPS + 1, 1);
        assert_alike(&before, &after, 0, 1e-6);
        laip_ranks_barrier(&laip_test_ranks);
        if (!laip_test_ranks.rank)
            unlink(path);
        close_run(&before);
        close_run(&after);
    }
    /* a state that is not written, as a weight is no number, keeps nobody waiting */
    run bad;
    laip_error error;
    const laip_checkpoint_notes notes = {.step = 1};
    open_run(&bad, true, false);
    laip_param *p = bad.model.table.params[0];
    float *values = laip_alloc(laip_part_count(&p->part[0]), sizeof *values);
    values[0] = NAN;
    laip_params_write(&bad.model.params, p, &p->part[0], 0, values);
    if (laip_test_ranks.rank)
        laip_checkpoint_contribute(&bad.model);
    else
        assert_false(laip_checkpoint_save(path, &bad.model, &bad.step, &notes, &error));
    laip_ranks_barrier(&laip_test_ranks);
    assert_true(access(path, F_OK) != 0);
    free(values);
    close_run(&bad);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(steps), cmocka_unit_test(memory),
                                       cmocka_unit_test(states)};
    int status = laip_test_run_ranks(argc, argv, tests, sizeof tests / sizeof *tests);
    laip_test_device_close();
    return status;
}
