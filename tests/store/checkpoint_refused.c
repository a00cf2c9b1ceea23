/* Checkpoints that do not fit the model, that are cut, damaged or not finite are refused by name. */
#include "support/test.h"

#include "base/file.h"
#include "base/memory.h"
#include "store/weights.h"
#include "support/runs.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char word[] = "text_encoder.bert.embeddings.word_embeddings.weight";

static void strict(void **state)
{
    (void)state;
    laip_model_config m = laip_test_run_sizes();
    laip_test_run r;
    laip_test_run_open_model(&r, &m, true, 1);
    char *path = laip_test_run_save(&r, "fits", false);
    laip_test_refused(&r,
                      laip_test_changed(path, "missing", (laip_test_change){.leave_out = "itm_head.bias"}),
                      "", "itm_head.bias is missing (1 missing, 0 of another shape, 0 unexpected)");
    laip_test_refused(&r, laip_test_changed(path, "more", (laip_test_change){.add = "itm_hed.bias"}), "",
                      "itm_hed.bias is unexpected (0 missing, 0 of another shape, 1 unexpected)");
    laip_test_refused(&r, laip_test_changed(path, "turned", (laip_test_change){.turn = word}), "",
                      "word_embeddings.weight is [32, 41], expected [41, 32] (0 missing, 1 of another shape");
    laip_test_refused(&r, laip_test_changed(path, "flat", (laip_test_change){.flatten = word}), "",
                      "is [1312], expected [41, 32]");
    laip_test_refused(&r, laip_test_changed(path, "shape", (laip_test_change){.cut = "itm_head.bias"}),
                      "itm_head", "itm_head.bias is [1], expected [2]");
    laip_test_refused(&r, laip_test_changed(path, "ints", (laip_test_change){.as_ints = "temp"}), "",
                      "temp: is of type I32, expected a floating type");
    laip_test_refused(&r, laip_test_inside("no such file"), "", "cannot be read");
    free(path);
    laip_test_run_close(&r);
}

static float first_of(laip_test_run *r, const char *name)
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
    laip_model_config m = laip_test_run_sizes();
    laip_test_run a, b;
    laip_test_run_open_model(&a, &m, true, 1);
    laip_test_run_open_model(&b, &m, true, 2);
    const char *const token = "visual_encoder.cls_token";
    char *path = laip_test_run_save(&a, "whole", false),
         *less = laip_test_changed(path, "less", (laip_test_change){.leave_out = token});
    float before = first_of(&b, token);
    assert_true(before != first_of(&a, token) && first_of(&b, word) != first_of(&a, word));
    assert_ok(laip_checkpoint_load(less, NULL, &b.model, "mlm,visual_encoder.cls", &error), error);
    assert_true(first_of(&b, token) == before);
    assert_true(first_of(&b, word) == first_of(&a, word));
    const char *const closed[] = {"", ",", "cls_token", "visual_encoder.cls_tokens",
                                  "visual_encoder.pos,vision_proj"};
    for (size_t i = 0; i < sizeof closed / sizeof *closed; i++)
        laip_test_refused(&b, laip_strdup(less), closed[i], "visual_encoder.cls_token is missing");
    free(path);
    free(less);
    laip_test_run_close(&a);
    laip_test_run_close(&b);
}

/* A file that is cut short while it is open is bad input, and ends nothing. */
static void cut_while_open(void **state)
{
    (void)state;
    laip_error error;
    laip_model_config m = laip_test_run_sizes();
    laip_weights w;
    laip_tensor_entry t;
    laip_test_run r;
    laip_test_run_open_model(&r, &m, false, 1);
    char *path = laip_test_run_save(&r, "shrinks", false);
    assert_ok(laip_weights_open(&w, path, &error), error);
    assert_ok(laip_weights_load(&w, 0, &t, &error), error);
    assert_int_equal(truncate(path, 100), 0);
    assert_false(laip_weights_load(&w, w.count - 1, &t, &error));
    assert_int_equal(error.status, LAIP_BAD_INPUT);
    assert_non_null(strstr(error.text, "file became shorter"));
    laip_weights_close(&w);
    unlink(path);
    free(path);
    laip_test_run_close(&r);
}

/* Cut anywhere, a file is refused. */
static void truncated(void **state)
{
    (void)state;
    laip_error error;
    laip_model_config m = laip_test_run_sizes();
    laip_test_run r;
    char *data;
    size_t size;
    laip_test_run_open_model(&r, &m, false, 1);
    char *path = laip_test_run_save(&r, "whole", false);
    assert_ok(laip_file_read(path, &data, &size, &error), error);
    const size_t lengths[] = {0, 5, 8, 100, size / 2, size - 4, size - 1};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char *part = laip_test_inside("part");
        assert_ok(laip_file_write(part, data, lengths[i], &error), error);
        laip_test_refused(&r, part, "",
                          lengths[i] < size / 2 ? "is no safetensors file" : "lie outside the file's");
    }
    memset(data + 8, '!', 20);
    char *spoiled = laip_test_inside("spoiled");
    assert_ok(laip_file_write(spoiled, data, size, &error), error);
    laip_test_refused(&r, spoiled, "", "header at byte");
    free(data);
    free(path);
    laip_test_run_close(&r);
}

/* A bit that turned anywhere in a file, or a byte after its end, is refused; what it is in is named. */
static void flipped(void **state)
{
    (void)state;
    enum { FLIPS = 60 };
    laip_error error;
    laip_model_config m = laip_test_run_sizes();
    laip_test_run r;
    char *data;
    size_t size, named = 0;
    laip_test_run_open_model(&r, &m, false, 1);
    char *path = laip_test_run_save(&r, "sound", false), *bad = laip_test_inside("flipped");
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
        laip_test_check_refusal(&error, bad, "");
        named += strstr(error.text, ".weight is damaged: its checksum is ") != NULL;
        data[at] ^= (char)(1 << i % 7);
    }
    assert_true(named > FLIPS / 4);
    data[size] = 0;
    assert_ok(laip_file_write(bad, data, size + 1, &error), error);
    laip_test_refused(&r, bad, "", "1 bytes follow the last tensor");
    free(data);
    free(path);
    laip_test_run_close(&r);
}

/* Numbers that are not finite are neither read nor written, and the file that was there stays. */
static void only_finite(void **state)
{
    (void)state;
    laip_error error;
    laip_model_config m = laip_test_run_sizes();
    laip_checkpoint_notes notes = {"seed: 1\n", "[PAD]\n", 7, 2, 0.1, 5};
    laip_param *q;
    laip_part *part;
    laip_test_run r;
    laip_test_run_open_model(&r, &m, false, 1);
    char *path = laip_test_run_save(&r, "finite", false), *before, *after;
    size_t size, same;
    laip_test_refused(&r, laip_test_changed(path, "ones", (laip_test_change){.ones = "vision_proj.bias"}), "",
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
    laip_test_run_close(&r);
}

static void strict_state(void **state)
{
    (void)state;
    laip_test_run r;
    laip_test_run_open(&r, 1);
    laip_test_run_train(&r, 0, 1);
    char *path = laip_test_run_save(&r, "state", true);
    const struct {
        laip_test_change change;
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
        char *spoiled = laip_test_changed(path, "spoiled", cases[i].change);
        assert_false(laip_checkpoint_resume(spoiled, &r.model, &r.step, &notes, &error));
        laip_test_check_refusal(&error, spoiled, cases[i].says);
        free(spoiled);
    }
    free(path);
    laip_test_run_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(strict),      cmocka_unit_test(the_door),
                                       cmocka_unit_test(truncated),   cmocka_unit_test(cut_while_open),
                                       cmocka_unit_test(flipped),     cmocka_unit_test(only_finite),
                                       cmocka_unit_test(strict_state)};
    return cmocka_run_group_tests(tests, laip_test_runs_begin, laip_test_runs_end);
}
