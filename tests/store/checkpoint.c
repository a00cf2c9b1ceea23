/* Checkpoints: a saved run goes on to the same bits; weights, momentum copies and notes return. */
#include "support/test.h"

#include "base/file.h"
#include "base/memory.h"
#include "support/runs.h"
#include <stdlib.h>
#include <string.h>

static void assert_same_files(const char *a, const char *b, bool same)
{
    laip_error error;
    char *x, *y;
    size_t m, n;
    assert_ok(laip_file_read(a, &x, &m, &error), error);
    assert_ok(laip_file_read(b, &y, &n, &error), error);
    assert_int_equal(m, n);
    assert_int_equal(memcmp(x, y, m) == 0, same);
    free(x);
    free(y);
}

static void resumes(void **state)
{
    (void)state;
    laip_error error;
    laip_checkpoint_notes notes = {0};
    laip_test_run a, b;
    laip_test_run_open(&a, 1);
    laip_test_run_open(&b, 2);
    laip_test_run_train(&a, 0, 3); /* nine pairs: the queue of seven has turned */
    assert_int_equal(a.step.queue.pointer, 2);
    char *middle = laip_test_run_save(&a, "middle", true);
    laip_test_run_train(&a, 3, 6);
    char *whole = laip_test_run_save(&a, "whole", true);
    assert_same_files(middle, whole, false);
    laip_test_run_train(&b, 0, 1);
    assert_ok(laip_checkpoint_resume(middle, &b.model, &b.step, &notes, &error), error);
    assert_int_equal(notes.step, 7);
    assert_int_equal(notes.phase, 2);
    assert_true(notes.best == 0.1);
    char *again = laip_test_run_save(&b, "again", true);
    assert_same_files(middle, again, true);
    laip_test_run_train(&b, 3, 6);
    char *resumed = laip_test_run_save(&b, "resumed", true);
    assert_same_files(whole, resumed, true);
    char *all[] = {middle, whole, again, resumed};
    for (int i = 0; i < 4; i++)
        free(all[i]);
    laip_test_run_close(&a);
    laip_test_run_close(&b);
}

/* Every tensor of `which` table is that of the other model's online ones, in the same order. */
static void assert_same_values(laip_test_run *a, const laip_table *t, laip_test_run *b, const laip_table *u)
{
    size_t next = 0, compared = 0;
    for (size_t i = 0; i < t->count; i++) {
        const laip_param *p = t->params[i];
        while (next < u->count && p->copy && !u->params[next]->copy && !u->params[next]->averaged)
            next++;
        assert_true(next < u->count);
        const laip_param *q = u->params[next++];
        for (int k = 0; k < p->parts; k++) {
            size_t n = laip_part_count(&p->part[k]);
            float *x = laip_alloc(n, sizeof *x), *y = laip_alloc(n, sizeof *y);
            laip_params_read(&a->model.params, p, &p->part[k], 0, x);
            laip_params_read(&b->model.params, q, &q->part[k], 0, y);
            if (memcmp(x, y, n * sizeof *x) != 0)
                fail_msg("%s differs from %s", p->part[k].name, q->part[k].name);
            free(x);
            free(y);
            compared++;
        }
    }
    assert_true(compared > 20);
}

/* Weights alone: into a model for training, whose momentum copies become them, and into one for scoring. */
static void weights(void **state)
{
    (void)state;
    laip_error error;
    laip_model_config m = laip_test_run_sizes();
    laip_test_run a, b, c;
    laip_test_run_open(&a, 1);
    laip_test_run_train(&a, 0, 2); /* the momentum copies have left the weights */
    char *path = laip_test_run_save(&a, "weights", false);
    laip_test_run_open_model(&b, &m, true, 2);
    assert_ok(laip_checkpoint_load(path, NULL, &b.model, "", &error), error);
    assert_same_values(&b, &b.model.table, &a, &a.model.table);
    assert_same_values(&b, &b.model.table_m, &a, &a.model.table);
    laip_test_run_open_model(&c, &m, false, 3);
    assert_ok(laip_checkpoint_load(path, NULL, &c.model, NULL, &error), error);
    char *copy = laip_test_run_save(&c, "copy", false);
    assert_same_files(path, copy, true);
    free(path);
    free(copy);
    laip_test_run_close(&a);
    laip_test_run_close(&b);
    laip_test_run_close(&c);
}

static void notes_return(void **state)
{
    (void)state;
    laip_error error;
    laip_model_config m = laip_test_run_sizes();
    laip_test_run a;
    char *config, *vocab;
    laip_checkpoint_notes notes;
    laip_test_run_open_model(&a, &m, false, 1);
    char *path = laip_test_run_save(&a, "notes", false);
    assert_ok(laip_checkpoint_notes_read(path, &config, &vocab, &notes, &error), error);
    assert_string_equal(config, "seed: 1\n");
    assert_string_equal(vocab, "[PAD]\n\"\\\n");
    assert_int_equal(notes.step, 7);
    assert_int_equal(notes.phase, 2);
    free(config);
    free(vocab);
    free(path);
    laip_safetensors_writer w = {0};
    path = laip_test_inside("no notes");
    assert_true(laip_safetensors_begin(&w, path, &error) && laip_safetensors_end(&w, &error));
    assert_false(laip_checkpoint_notes_read(path, &config, &vocab, &notes, &error));
    assert_int_equal(error.status, LAIP_BAD_INPUT);
    assert_non_null(strstr(error.text, "has no config and vocabulary"));
    free(path);
    laip_test_run_close(&a);
}

/* The momentum copies of a file are taken where it has all of them; else all are the online weights. */
static void momentum(void **state)
{
    (void)state;
    laip_error error;
    laip_model_config m = laip_test_run_sizes();
    laip_test_run a, b;
    laip_test_run_open(&a, 1);
    laip_test_run_train(&a, 0, 2);
    char *path = laip_test_run_save(&a, "momentum", true),
         *less =
             laip_test_changed(path, "less momentum", (laip_test_change){.leave_out = "text_proj_m.bias"});
    laip_test_run_open_model(&b, &m, true, 2);
    assert_ok(laip_checkpoint_load(path, NULL, &b.model, "", &error), error);
    assert_same_values(&b, &b.model.table, &a, &a.model.table);
    assert_same_values(&b, &b.model.table_m, &a, &a.model.table_m);
    assert_ok(laip_checkpoint_load(less, NULL, &b.model, "", &error), error);
    assert_same_values(&b, &b.model.table_m, &a, &a.model.table);
    free(path);
    free(less);
    laip_test_run_close(&a);
    laip_test_run_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(resumes), cmocka_unit_test(weights),
                                       cmocka_unit_test(notes_return), cmocka_unit_test(momentum)};
    return cmocka_run_group_tests(tests, laip_test_runs_begin, laip_test_runs_end);
}
