/* Checkpoints: a saved run goes on to the same bits; what does not fit the model is refused by name. */
#include "support/test.h"

#include "base/file.h"
#include "base/memory.h"
#include "store/checkpoint.h"
#include "store/weights.h"
#include "support/device.h"
#include "support/tiny.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *folder;

static int make(void **state)
{
    (void)state;
    folder = laip_test_folder("checkpoint");
    laip_test_fix_products(laip_test_device()); /* nothing here is to depend on a measurement */
    return 0;
}

static int drop(void **state)
{
    (void)state;
    free(folder);
    laip_test_device_close();
    return 0;
}

static char *inside(const char *name)
{
    return laip_path_join(folder, name);
}

/* A model with values of its own and, for training, a step. */
typedef struct run {
    laip_model model;
    laip_step step;
    laip_arena arena;
} run;

static laip_model_config sizes(void)
{
    laip_model_config m = laip_tiny_sizes();
    m.dropout = 0.1f;
    return m;
}

static void open_model(run *r, const laip_model_config *m, bool training, uint64_t seed)
{
    laip_error error;
    *r = (run){.arena = {0}};
    assert_ok(laip_model_create(&r->model, laip_test_device(), m, training, &error), error);
    laip_params_initialise(&r->model.params, &r->model.table, seed, 0, 0.2f);
    if (training)
        laip_params_copy_average(&r->model.params);
}

static void open_run(run *r, uint64_t seed)
{
    laip_error error;
    laip_model_config m = sizes();
    laip_loss_config l = laip_loss_config_default();
    laip_step_sizes z = laip_tiny_step_sizes();
    l.weight[LAIP_LOSS_MLM] = 0.5f;
    l.bidiratt_layer = 1;
    assert_ok(laip_loss_config_check(&l, &m, &error), error);
    open_model(r, &m, true, seed);
    assert_ok(laip_step_create(&r->step, &r->model, &l, &z, 5, &error), error);
}

static void close_run(run *r)
{
    if (r->step.model)
        laip_step_free(&r->step);
    laip_model_free(&r->model);
    laip_arena_free(&r->arena);
}

/* Steps first … last − 1, each of its own batch; negatives are drawn. */
static void train(run *r, uint64_t first, uint64_t last)
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

static char *save(run *r, const char *name, bool state)
{
    laip_error error;
    laip_checkpoint_notes notes = {"seed: 1\n", "[PAD]\n\"\\\n", 7, 2, 0.1, 5};
    char *path = inside(name);
    assert_ok(laip_checkpoint_save(path, &r->model, state ? &r->step : NULL, &notes, &error), error);
    return path;
}

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
    run a, b;
    open_run(&a, 1);
    open_run(&b, 2);
    train(&a, 0, 3); /* nine pairs: the queue of seven has turned */
    assert_int_equal(a.step.queue.pointer, 2);
    char *middle = save(&a, "middle", true);
    train(&a, 3, 6);
    char *whole = save(&a, "whole", true);
    assert_same_files(middle, whole, false);
    train(&b, 0, 1);
    assert_ok(laip_checkpoint_resume(middle, &b.model, &b.step, &notes, &error), error);
    assert_int_equal(notes.step, 7);
    assert_int_equal(notes.phase, 2);
    assert_true(notes.best == 0.1);
    char *again = save(&b, "again", true);
    assert_same_files(middle, again, true);
    train(&b, 3, 6);
    char *resumed = save(&b, "resumed", true);
    assert_same_files(whole, resumed, true);
    char *all[] = {middle, whole, again, resumed};
    for (int i = 0; i < 4; i++)
        free(all[i]);
    close_run(&a);
    close_run(&b);
}

/* Every tensor of `which` table is that of the other model's online ones, in the same order. */
static void assert_same_values(run *a, const laip_table *t, run *b, const laip_table *u)
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
    laip_model_config m = sizes();
    run a, b, c;
    open_run(&a, 1);
    train(&a, 0, 2); /* the momentum copies have left the weights */
    char *path = save(&a, "weights", false);
    open_model(&b, &m, true, 2);
    assert_ok(laip_checkpoint_load(path, NULL, &b.model, "", &error), error);
    assert_same_values(&b, &b.model.table, &a, &a.model.table);
    assert_same_values(&b, &b.model.table_m, &a, &a.model.table);
    open_model(&c, &m, false, 3);
    assert_ok(laip_checkpoint_load(path, NULL, &c.model, NULL, &error), error);
    char *copy = save(&c, "copy", false);
    assert_same_files(path, copy, true);
    free(path);
    free(copy);
    close_run(&a);
    close_run(&b);
    close_run(&c);
}

static void notes_return(void **state)
{
    (void)state;
    laip_error error;
    laip_model_config m = sizes();
    run a;
    char *config, *vocab;
    laip_checkpoint_notes notes;
    open_model(&a, &m, false, 1);
    char *path = save(&a, "notes", false);
    assert_ok(laip_checkpoint_notes_read(path, &config, &vocab, &notes, &error), error);
    assert_string_equal(config, "seed: 1\n");
    assert_string_equal(vocab, "[PAD]\n\"\\\n");
    assert_int_equal(notes.step, 7);
    assert_int_equal(notes.phase, 2);
    free(config);
    free(vocab);
    free(path);
    laip_safetensors_writer w = {0};
    path = inside("no notes");
    assert_true(laip_safetensors_begin(&w, path, &error) && laip_safetensors_end(&w, &error));
    assert_false(laip_checkpoint_notes_read(path, &config, &vocab, &notes, &error));
    assert_int_equal(error.status, LAIP_BAD_INPUT);
    assert_non_null(strstr(error.text, "has no config and vocabulary"));
    free(path);
    close_run(&a);
}

/* What is done to a checkpoint to spoil it. */
typedef struct change {
    const char *leave_out;      /* a tensor */
    const char *turn, *flatten; /* a matrix with its sides exchanged; a tensor as one row of all elements */
    const char *as_ints, *as_floats; /* of type I32, F32, with the same bytes */
    const char *ones;                /* with every bit set */
    const char *add;                 /* a tensor of one element */
    const char *cut;                 /* a tensor of one element less */
    const char *leave_out_notes;     /* "yes": the metadata */
} change;

static bool is(const char *a, const char *b)
{
    return a && strcmp(a, b) == 0;
}

static size_t declare_changed(laip_safetensors_writer *w, const laip_tensor_entry *t, const change *c)
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

static char *changed(const char *path, const char *name, change c)
{
    laip_error error;
    laip_safetensors f;
    laip_safetensors_writer w = {0};
    const char *const keys[] = {"config", "vocab", "step", "phase", "best"};
    const char *const named[] = {c.turn, c.flatten, c.as_ints, c.as_floats, c.ones, c.cut};
    char *to = inside(name), *ones = NULL;
    assert_ok(laip_safetensors_open(&f, path, &error), error);
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

/* The error is one line of bad input that begins with the file's name and holds `says`. */
static void check_refusal(const laip_error *error, const char *path, const char *says)
{
    assert_int_equal(error->status, LAIP_BAD_INPUT);
    assert_ptr_equal(strstr(error->text, path), error->text);
    assert_null(strchr(error->text, '\n'));
    if (!strstr(error->text, says))
        fail_msg("'%s' does not say '%s'", error->text, says);
}

static void refused(run *r, char *path, const char *allow_missing, const char *says)
{
    laip_error error = {0};
    assert_false(laip_checkpoint_load(path, NULL, &r->model, allow_missing, &error));
    check_refusal(&error, path, says);
    free(path);
}

static const char word[] = "text_encoder.bert.embeddings.word_embeddings.weight";

static void strict(void **state)
{
    (void)state;
    laip_model_config m = sizes();
    run r;
    open_model(&r, &m, true, 1);
    char *path = save(&r, "fits", false);
    refused(&r, changed(path, "missing", (change){.leave_out = "itm_head.bias"}), "",
            "itm_head.bias is missing (1 missing, 0 of another shape, 0 unexpected)");
    refused(&r, changed(path, "more", (change){.add = "itm_hed.bias"}), "",
            "itm_hed.bias is unexpected (0 missing, 0 of another shape, 1 unexpected)");
    refused(&r, changed(path, "turned", (change){.turn = word}), "",
            "word_embeddings.weight is [32, 41], expected [41, 32] (0 missing, 1 of another shape");
    refused(&r, changed(path, "flat", (change){.flatten = word}), "", "is [1312], expected [41, 32]");
    refused(&r, changed(path, "shape", (change){.cut = "itm_head.bias"}), "itm_head",
            "itm_head.bias is [1], expected [2]");
    refused(&r, changed(path, "ints", (change){.as_ints = "temp"}), "",
            "temp: is of type I32, expected a floating type");
    refused(&r, inside("no such file"), "", "cannot be read");
    free(path);
    close_run(&r);
}

static float first_of(run *r, const char *name)
{
    laip_param *p;
    laip_part *part;
    assert_true(laip_model_find(&r->model, name, &p, &part));
    float *values = laip_alloc(laip_part_count(part), sizeof *values), first;
    laip_params_read(&r->model.params, p, part, 0, values);
    first = values[0];
    free(values);
    return first;
}

/* allow_missing lets those tensors keep their initial values, and no others. */
static void the_door(void **state)
{
    (void)state;
    laip_error error;
    laip_model_config m = sizes();
    run a, b;
    open_model(&a, &m, true, 1);
    open_model(&b, &m, true, 2);
    const char *const token = "visual_encoder.cls_token";
    char *path = save(&a, "whole", false), *less = changed(path, "less", (change){.leave_out = token});
    float before = first_of(&b, token);
    assert_true(before != first_of(&a, token) && first_of(&b, word) != first_of(&a, word));
    assert_ok(laip_checkpoint_load(less, NULL, &b.model, "mlm,visual_encoder.cls", &error), error);
    assert_true(first_of(&b, token) == before);
    assert_true(first_of(&b, word) == first_of(&a, word));
    const char *const closed[] = {"", ",", "cls_token", "visual_encoder.cls_tokens",
                                  "visual_encoder.pos,vision_proj"};
    for (size_t i = 0; i < sizeof closed / sizeof *closed; i++)
        refused(&b, laip_strdup(less), closed[i], "visual_encoder.cls_token is missing");
    free(path);
    free(less);
    close_run(&a);
    close_run(&b);
}

/* A file that is cut short while it is open is bad input, and ends nothing. */
static void cut_while_open(void **state)
{
    (void)state;
    laip_error error;
    laip_model_config m = sizes();
    laip_weights w;
    laip_tensor_entry t;
    run r;
    open_model(&r, &m, false, 1);
    char *path = save(&r, "shrinks", false);
    assert_ok(laip_weights_open(&w, path, &error), error);
    assert_ok(laip_weights_load(&w, 0, &t, &error), error);
    assert_int_equal(truncate(path, 100), 0);
    assert_false(laip_weights_load(&w, w.count - 1, &t, &error));
    assert_int_equal(error.status, LAIP_BAD_INPUT);
    assert_non_null(strstr(error.text, "file became shorter"));
    laip_weights_close(&w);
    unlink(path);
    free(path);
    close_run(&r);
}

/* Cut anywhere, a file is refused. */
static void truncated(void **state)
{
    (void)state;
    laip_error error;
    laip_model_config m = sizes();
    run r;
    char *data;
    size_t size;
    open_model(&r, &m, false, 1);
    char *path = save(&r, "whole", false);
    assert_ok(laip_file_read(path, &data, &size, &error), error);
    const size_t lengths[] = {0, 5, 8, 100, size / 2, size - 4, size - 1};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char *part = inside("part");
        assert_ok(laip_file_write(part, data, lengths[i], &error), error);
        refused(&r, part, "", lengths[i] < size / 2 ? "is no safetensors file" : "lie outside the file's");
    }
    memset(data + 8, '!', 20);
    char *spoiled = inside("spoiled");
    assert_ok(laip_file_write(spoiled, data, size, &error), error);
    refused(&r, spoiled, "", "header at byte");
    free(data);
    free(path);
    close_run(&r);
}

/* A bit that turned anywhere in a file, or a byte after its end, is refused; what it is in is named. */
static void flipped(void **state)
{
    (void)state;
    enum { FLIPS = 60 };
    laip_error error;
    laip_model_config m = sizes();
    run r;
    char *data;
    size_t size, named = 0;
    open_model(&r, &m, false, 1);
    char *path = save(&r, "sound", false), *bad = inside("flipped");
    assert_ok(laip_file_read(path, &data, &size, &error), error);
    data = laip_realloc(data, size + 1, 1);
    size_t header = 0;
    for (int i = 7; i >= 0; i--)
        header = header << 8 | (unsigned char)data[i];
    for (size_t i = 0; i < FLIPS; i++) { /* half of them in the header */
        size_t at = i % 2 ? i * (size / FLIPS) : i * ((header + 8) / FLIPS);
        data[at] ^= (char)(1 << i % 7);
        assert_ok(laip_file_write(bad, data, size, &error), error);
        if (laip_checkpoint_load(bad, NULL, &r.model, "", &error))
            fail_msg("byte %zu of %zu was changed, and the file accepted", at, size);
        check_refusal(&error, bad, "");
        named += strstr(error.text, ".weight is damaged: its checksum is ") != NULL;
        data[at] ^= (char)(1 << i % 7);
    }
    assert_true(named > FLIPS / 4);
    data[size] = 0;
    assert_ok(laip_file_write(bad, data, size + 1, &error), error);
    refused(&r, bad, "", "1 bytes follow the last tensor");
    free(data);
    free(path);
    close_run(&r);
}

/* Numbers that are not finite are neither read nor written, and the file that was there stays. */
static void only_finite(void **state)
{
    (void)state;
    laip_error error;
    laip_model_config m = sizes();
    laip_checkpoint_notes notes = {"seed: 1\n", "[PAD]\n", 7, 2, 0.1, 5};
    laip_param *q;
    laip_part *part;
    run r;
    open_model(&r, &m, false, 1);
    char *path = save(&r, "finite", false), *before, *after;
    size_t size, same;
    refused(&r, changed(path, "ones", (change){.ones = "vision_proj.bias"}), "",
            "vision_proj.bias: element 0 is not a finite number");
    assert_ok(laip_file_read(path, &before, &size, &error), error);
    assert_true(laip_model_find(&r.model, "itm_head.bias", &q, &part));
    laip_params_write(&r.model.params, q, part, 0, (const float[]){1, INFINITY});
    assert_false(laip_checkpoint_save(path, &r.model, NULL, &notes, &error));
    assert_int_equal(error.status, LAIP_FAILURE);
    assert_non_null(strstr(error.text, "element 1 of itm_head.bias is not a finite number"));
    assert_ok(laip_file_read(path, &after, &same, &error), error);
    assert_int_equal(size, same);
    assert_memory_equal(before, after, size);
    free(before);
    free(after);
    free(path);
    close_run(&r);
}

/* The momentum copies of a file are taken where it has all of them; else all are the online weights. */
static void momentum(void **state)
{
    (void)state;
    laip_error error;
    laip_model_config m = sizes();
    run a, b;
    open_run(&a, 1);
    train(&a, 0, 2);
    char *path = save(&a, "momentum", true),
         *less = changed(path, "less momentum", (change){.leave_out = "text_proj_m.bias"});
    open_model(&b, &m, true, 2);
    assert_ok(laip_checkpoint_load(path, NULL, &b.model, "", &error), error);
    assert_same_values(&b, &b.model.table, &a, &a.model.table);
    assert_same_values(&b, &b.model.table_m, &a, &a.model.table_m);
    assert_ok(laip_checkpoint_load(less, NULL, &b.model, "", &error), error);
    assert_same_values(&b, &b.model.table_m, &a, &a.model.table);
    free(path);
    free(less);
    close_run(&a);
    close_run(&b);
}

static void strict_state(void **state)
{
    (void)state;
    run r;
    open_run(&r, 1);
    train(&r, 0, 1);
    char *path = save(&r, "state", true);
    const struct {
        change change;
        const char *says;
    } cases[] = {{{.leave_out = "exp_avg.itm_head.bias"}, "exp_avg.itm_head.bias is missing (1 missing"},
                 {{.leave_out = "exp_avg_sq.temp"}, "exp_avg_sq.temp is missing"},
                 {{.leave_out = "vision_proj_m.weight"}, "vision_proj_m.weight is missing"},
                 {{.leave_out = "text_queue"}, "text_queue has 0 elements, expected 84"},
                 {{.cut = "image_queue"}, "image_queue has 83 elements, expected 84"},
                 {{.cut = "idx_queue"}, "idx_queue has 6 elements, expected 7"},
                 {{.turn = "exp_avg_sq.vision_proj.weight"}, "is [32, 12], expected [12, 32]"},
                 {{.as_floats = "idx_queue"}, "idx_queue: is of type F32, expected an integer type"},
                 {{.ones = "queue_ptr"}, "queue_ptr is -1, expected a slot of 7"},
                 {{.leave_out_notes = "yes"}, "has no step, phase and best"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        laip_error error = {0};
        laip_checkpoint_notes notes;
        char *spoiled = changed(path, "spoiled", cases[i].change);
        assert_false(laip_checkpoint_resume(spoiled, &r.model, &r.step, &notes, &error));
        check_refusal(&error, spoiled, cases[i].says);
        free(spoiled);
    }
    free(path);
    close_run(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resumes),        cmocka_unit_test(weights),     cmocka_unit_test(notes_return),
        cmocka_unit_test(strict),         cmocka_unit_test(the_door),    cmocka_unit_test(truncated),
        cmocka_unit_test(cut_while_open), cmocka_unit_test(flipped),     cmocka_unit_test(only_finite),
        cmocka_unit_test(momentum),       cmocka_unit_test(strict_state)};
    return cmocka_run_group_tests(tests, make, drop);
}
