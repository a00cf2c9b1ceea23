#include "support/runs.h"

#include "base/file.h"
#include "base/memory.h"
#include "store/safetensors.h"
#include "support/device.h"
#include "support/test.h"
#include "support/tiny.h"
#include <stdlib.h>
#include <string.h>

static char *folder;

int laip_test_runs_begin(void **state)
{
    (void)state;
    folder = laip_test_folder("checkpoint");
    laip_test_fix_products(laip_test_device()); /* nothing here is to depend on a measurement */
    return 0;
}

int laip_test_runs_end(void **state)
{
    (void)state;
    free(folder);
    laip_test_device_close();
    return 0;
}

char *laip_test_inside(const char *name)
{
    return laip_path_join(folder, name);
}

laip_model_config laip_test_run_sizes(void)
{
    laip_model_config m = laip_tiny_sizes();
    m.dropout = 0.1f;
    return m;
}

void laip_test_run_open_model(laip_test_run *r, const laip_model_config *m, bool training, uint64_t seed)
{
    laip_error error;
    *r = (laip_test_run){.arena = {0}};
    assert_ok(laip_model_create(&r->model, laip_test_device(), m, training, &error), error);
    laip_params_initialise(&r->model.params, &r->model.table, seed, 0, 0.2f);
    if (training)
        laip_params_copy_average(&r->model.params);
}

void laip_test_run_open(laip_test_run *r, uint64_t seed)
{
    laip_error error;
    laip_model_config m = laip_test_run_sizes();
    laip_loss_config l = laip_tiny_losses();
    laip_step_sizes z = laip_tiny_step_sizes();
    assert_ok(laip_loss_config_check(&l, &m, &error), error);
    laip_test_run_open_model(r, &m, true, seed);
    assert_ok(laip_step_create(&r->step, &r->model, &l, &z, 5, &error), error);
}

void laip_test_run_close(laip_test_run *r)
{
    if (r->step.model)
        laip_step_free(&r->step);
    laip_model_free(&r->model);
    laip_arena_free(&r->arena);
}

void laip_test_run_train(laip_test_run *r, uint64_t first, uint64_t last)
{
    for (uint64_t t = first; t < last; t++) {
        laip_error error;
        laip_optimiser_config o = laip_optimiser_config_default();
        laip_batch batch = laip_tiny_batch(&r->arena, &r->model.sizes, 100 + t);
        batch.text_negative = batch.image_negative = NULL;
        o.lr = 1e-3f;
        laip_step_begin(&r->step, 0.9f);
        laip_step_momentum(&r->step, &batch, 0);
        assert_ok(laip_step_micro(&r->step, &batch, 0, t, &error), error);
        assert_ok(laip_step_end(&r->step, &o, t + 1, &error), error);
    }
}

char *laip_test_run_save(laip_test_run *r, const char *name, bool state)
{
    laip_error error;
    laip_checkpoint_notes notes = {"seed: 1\n", "[PAD]\n\"\\\n", 7, 2, 0.1, 5};
    char *path = laip_test_inside(name);
    assert_ok(laip_checkpoint_save(path, &r->model, state ? &r->step : NULL, &notes, &error), error);
    return path;
}

static bool is(const char *a, const char *b)
{
    return a && strcmp(a, b) == 0;
}

static size_t declare_changed(laip_safetensors_writer *w, const laip_tensor_entry *t,
                              const laip_test_change *c)
{
    size_t shape[LAIP_RANK], rank = (size_t)t->rank, count = t->count;
    memcpy(shape, t->shape, sizeof shape);
    if (is(c->turn, t->name)) {
        shape[0] = t->shape[1];
        shape[1] = t->shape[0];
    } else if (is(c->flatten, t->name) || is(c->cut, t->name)) {
        rank = 1;
        shape[0] = count -= is(c->cut, t->name);
    }
    laip_dtype type = is(c->as_ints, t->name) ? LAIP_I32 : is(c->as_floats, t->name) ? LAIP_F32 : t->type;
    laip_safetensors_declare(w, t->name, type, (int)rank, shape);
    return count * laip_dtype_size(t->type);
}

char *laip_test_changed(const char *path, const char *name, laip_test_change c)
{
    laip_error error;
    laip_safetensors f;
    laip_safetensors_writer w = {0};
    const char *const keys[] = {"config", "vocab", "step", "phase", "best"};
    const char *const named[] = {c.turn, c.flatten, c.as_ints, c.as_floats, c.ones, c.cut};
    char *to = laip_test_inside(name), *ones = NULL;
    assert_ok(laip_safetensors_open(&f, path, &error) && laip_safetensors_load(&f, &error), error);
    for (size_t i = 0; i < 5 && !c.leave_out_notes; i++)
        laip_safetensors_metadata_add(&w, keys[i], laip_safetensors_metadata(&f, keys[i]));
    size_t *bytes = laip_alloc(f.count, sizeof *bytes), one = 1, found = 0;
    for (size_t i = 0; i < f.count; i++) {
        if (is(c.leave_out, f.tensors[i].name))
            found++;
        else {
            bytes[i] = declare_changed(&w, &f.tensors[i], &c);
            for (size_t k = 0; k < sizeof named / sizeof *named; k++)
                found += is(named[k], f.tensors[i].name);
        }
    }
    assert_int_equal(found, !c.add && !c.leave_out_notes);
    if (c.add)
        laip_safetensors_declare(&w, c.add, LAIP_F32, 1, &one);
    assert_ok(laip_safetensors_begin(&w, to, &error), error);
    for (size_t i = 0; i < f.count; i++) {
        ones = laip_realloc(ones, bytes[i], 1);
        memset(ones, 255, bytes[i]);
        laip_safetensors_write(&w, is(c.ones, f.tensors[i].name) ? ones : f.tensors[i].data, bytes[i]);
    }
    if (c.add)
        laip_safetensors_write(&w, "\0\0\0\0", 4);
    assert_ok(laip_safetensors_end(&w, &error), error);
    laip_safetensors_close(&f);
    free(bytes);
    free(ones);
    return to;
}

void laip_test_check_refusal(const laip_error *error, const char *path, const char *says)
{
    assert_int_equal(error->status, LAIP_BAD_INPUT);
    assert_ptr_equal(strstr(error->text, path), error->text);
    assert_null(strchr(error->text, '\n'));
    if (!strstr(error->text, says))
        fail_msg("'%s' does not say '%s'", error->text, says);
}

void laip_test_refused(laip_test_run *r, char *path, const char *allow_missing, const char *says)
{
    laip_error error = {0};
    assert_false(laip_checkpoint_load(path, NULL, &r->model, allow_missing, &error));
    laip_test_check_refusal(&error, path, says);
    free(path);
}
