/* Weights of others into a model: a ViT as timm computes it, a BERT as Hugging Face's library does
 * (fixtures/encoders; their outputs to 1e-5), a checkpoint without the head for masked words, and one's
 * queues. */
#include "support/test.h"

#include "base/file.h"
#include "base/memory.h"
#include "model/score.h"
#include "store/checkpoint.h"
#include "support/device.h"
#include "support/tiny.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static laip_safetensors expected;

static char *fixture(const char *name)
{
    char path[600];
    snprintf(path, sizeof path, "%s/tests/fixtures/encoders/%s", getenv("LAIP_SOURCE_DIR"), name);
    return laip_strdup(path);
}

static int make(void **state)
{
    (void)state;
    laip_error error;
    char *path = fixture("expected.safetensors");
    assert_ok(laip_safetensors_open(&expected, path, &error) && laip_safetensors_load(&expected, &error),
              error);
    free(path);
    laip_test_fix_products(laip_test_device());
    return 0;
}

static int drop(void **state)
{
    (void)state;
    laip_safetensors_close(&expected);
    laip_test_device_close();
    return 0;
}

static laip_model_config sizes(void)
{
    laip_model_config m = laip_tiny_sizes();
    m.image_width = 32;
    m.patch = 8;
    m.width = 16;
    return m;
}

static void open_model(laip_model *m, const laip_model_config *c, bool training)
{
    laip_error error;
    assert_ok(laip_model_create(m, laip_test_device(), c, training, &error), error);
    laip_params_initialise(&m->params, &m->table, 4, 0, 0.2f);
    if (training)
        laip_params_copy_average(&m->params);
}

static float *floats(const char *name)
{
    laip_error error;
    const laip_tensor_entry *t = laip_safetensors_find(&expected, name);
    float *values = laip_alloc(t->count, sizeof *values);
    assert_ok(laip_tensor_floats(t, values, &error), error);
    return values;
}

static void near(const float *have, const char *name)
{
    const laip_tensor_entry *t = laip_safetensors_find(&expected, name);
    float *want = floats(name);
    for (size_t i = 0; i < t->count; i++)
        if (!(fabsf(have[i] - want[i]) <= 1e-5f))
            fail_msg("%s: element %zu is %.7g, expected %.7g", name, i, (double)have[i], (double)want[i]);
    free(want);
}

static void vit(void **state)
{
    (void)state;
    laip_error error;
    laip_model_config c = sizes();
    laip_model m;
    laip_scorer s;
    laip_score_sizes z = {.images = 2, .captions = 1, .rows = 4, .longest = 4};
    char *path = fixture("vit.pth");
    open_model(&m, &c, false);
    assert_ok(laip_pretrained_vit(path, &m, &error), error);
    assert_ok(laip_scorer_create(&s, &m, &z, &error), error);
    float *image = floats("image"), *features = laip_alloc(2 * 12, 4), *tokens = laip_alloc(2 * 17 * 16, 4);
    assert_ok(laip_score_images(&s, image, 2, features, &error), error);
    assert_ok(laip_score_tokens(&s, 0, 2, tokens, &error), error);
    near(tokens, "tokens");
    free(image);
    free(features);
    free(tokens);
    laip_scorer_free(&s);
    laip_model_free(&m);
    c.image_height = 48; /* another grid: positions are resized */
    open_model(&m, &c, true);
    assert_ok(laip_pretrained_vit(path, &m, &error), error);
    laip_model_free(&m);
    c.mlp = 3;
    open_model(&m, &c, false);
    assert_false(laip_pretrained_vit(path, &m, &error));
    assert_non_null(strstr(error.text, "fc1.weight is [32, 16], expected [48, 16]"));
    laip_model_free(&m);
    free(path);
}

/* A tensor of the model by its name; which table it is in does not matter. */
static float *values_of(laip_model *m, const char *name, size_t *count)
{
    laip_param *p;
    laip_part *part;
    if (!laip_model_find(m, name, &p, &part))
        fail_msg("no %s", name);
    *count = laip_part_count(part);
    float *values = laip_alloc(*count, sizeof *values);
    laip_params_read(&m->params, p, part, 0, values);
    return values;
}

static bool same(laip_model *a, const char *x, laip_model *b, const char *y)
{
    size_t n, k;
    float *u = values_of(a, x, &n), *v = values_of(b, y, &k);
    bool equal = n == k && memcmp(u, v, n * sizeof *u) == 0;
    free(u);
    free(v);
    return equal;
}

#define LAYER "text_encoder.bert.encoder.layer."
static void check_states(laip_model *m)
{
    laip_error error;
    laip_text_pass pass = {0};
    laip_device *d = m->device;
    int32_t ids[12], begin[3];
    float out[12 * 16];
    assert_ok(laip_tensor_ints(laip_safetensors_find(&expected, "ids"), ids, &error), error);
    assert_ok(laip_tensor_ints(laip_safetensors_find(&expected, "begin"), begin, &error), error);
    laip_plan *plan = laip_plan_create(d, "test");
    laip_text_plan(&m->text, &pass, plan, 2, 12, 7, LAIP_PASS_BACKWARD);
    assert_ok(laip_plan_allocate(plan, &error), error);
    laip_text_plan(&m->text, &pass, plan, 2, 12, 7, LAIP_PASS_BACKWARD);
    laip_sequences_clear(&pass.tokens);
    for (size_t i = 0; i < 2; i++)
        laip_sequences_add(&pass.tokens, (size_t)(begin[i + 1] - begin[i]), 0, i);
    laip_sequences_upload(&pass.tokens, d, 0, 0);
    laip_context c = {.device = d};
    laip_text_prepare(&m->text, &pass, d, ids);
    laip_text_forward(&m->text, &pass, &c);
    assert_ok(laip_device_ok(d, &error), error);
    laip_mat_read(d, laip_rows(pass.out, 12), out);
    near(out, "states");
    laip_text_pass_free(&pass);
    laip_plan_free(plan);
}

/* From a whole model in the names of TensorFlow's LayerNorm, and from an encoder alone. */
static void bert(void **state)
{
    (void)state;
    const char *const folders[] = {"bert", "bert_safetensors"}, *const head =
                                                                    "text_encoder.cls.predictions.bias";
    laip_error error;
    laip_model_config c = sizes();
    laip_model before, first;
    open_model(&before, &c, false);
    for (int f = 0; f < 2; f++) {
        laip_model m;
        char *path = fixture(folders[f]);
        open_model(&m, &c, true);
        assert_ok(laip_pretrained_bert(path, &m, &error), error);
        check_states(&m);
        assert_true(same(&m, "text_encoder_m.bert.embeddings.LayerNorm.weight", &m,
                         "text_encoder.bert.embeddings.LayerNorm.weight"));
        assert_true(same(&m, LAYER "1.crossattention.self.key.weight", &before,
                         LAYER "1.crossattention.self.key.weight"));
        assert_false(
            same(&m, LAYER "1.attention.self.key.weight", &before, LAYER "1.attention.self.key.weight"));
        assert_true(same(&m, head, &before, head) == (f == 1));
        if (f == 1)
            assert_true(same(&m, LAYER "2.output.dense.weight", &first, LAYER "2.output.dense.weight"));
        if (f == 0)
            first = m;
        else
            laip_model_free(&m);
        free(path);
    }
    laip_model_free(&first);
    laip_model_free(&before);
}

static void bert_refused(laip_model_config c, const char *name, const char *says)
{
    laip_error error;
    laip_model m;
    char *path = fixture(name);
    open_model(&m, &c, false);
    assert_false(laip_pretrained_bert(path, &m, &error));
    if (!strstr(error.text, says))
        fail_msg("'%s' is not in: %s", says, error.text);
    laip_model_free(&m);
    free(path);
}

static void other_berts(void **state)
{
    (void)state;
    laip_model_config c = sizes();
    c.heads = 4;
    bert_refused(c, "bert", "num_attention_heads is 2, expected model.heads, which is 4");
    c = sizes();
    c.cross_layers = 1;
    bert_refused(c, "bert", "encoder.layer.2.attention.self.query.weight is unexpected");
    c.cross_layers = 3;
    bert_refused(c, "bert_safetensors", LAYER "3.attention.self.query.weight is missing");
    bert_refused(sizes(), ".", "has neither model.safetensors nor pytorch_model.bin");
    bert_refused(sizes(), "vit.pth", "is missing");
}

/* A file with the model's tensors whose names do not begin with `without`. */
static char *save_without(laip_model *m, const char *without)
{
    laip_error error;
    char *folder = laip_test_folder("pretrained"), *path = laip_path_join(folder, "file.safetensors");
    laip_safetensors_writer w = {0};
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < m->table.count; i++)
            for (int k = 0; k < m->table.params[i]->parts; k++) {
                laip_part *part = &m->table.params[i]->part[k];
                size_t n;
                if (strncmp(part->name, without, strlen(without)) == 0)
                    continue;
                float *values = values_of(m, part->name, &n);
                if (pass)
                    laip_safetensors_write(&w, values, n * sizeof *values);
                else
                    laip_safetensors_declare(&w, part->name, LAIP_F32, part->rank, part->shape);
                free(values);
            }
        assert_ok(pass ? laip_safetensors_end(&w, &error) : laip_safetensors_begin(&w, path, &error), error);
    }
    free(folder);
    return path;
}

/* Evaluation needs no head for masked words; training says what helps. */
static void without_head(void **state)
{
    (void)state;
    laip_error error;
    laip_model_config c = sizes();
    laip_model from, to;
    open_model(&from, &c, false);
    char *path = save_without(&from, "text_encoder.cls."), *less = save_without(&from, "itm_head.");
    open_model(&to, &c, false);
    laip_test_fill_head(&to, 1);
    assert_ok(laip_checkpoint_load(path, NULL, &to, "", &error), error);
    assert_true(same(&from, "itm_head.weight", &to, "itm_head.weight"));
    size_t n;
    float *head = values_of(&to, "text_encoder.cls.predictions.transform.dense.weight", &n);
    for (size_t i = 0; i < n; i++)
        assert_true(head[i] == 0);
    free(head);
    assert_false(laip_checkpoint_load(less, NULL, &to, "", &error));
    assert_non_null(strstr(error.text, "itm_head.weight is missing (2 missing"));
    assert_null(strstr(error.text, "init."));
    laip_model_free(&to);
    open_model(&to, &c, true);
    assert_false(laip_checkpoint_load(path, NULL, &to, "", &error));
    const char *hint =
        "; init.allow_missing=text_encoder.cls.predictions. lets them begin with initial values";
    if (!strstr(error.text, hint))
        fail_msg("%s", error.text);
    assert_ok(laip_checkpoint_load(path, NULL, &to, "text_encoder.cls.predictions.", &error), error);
    laip_model_free(&to);
    laip_model_free(&from);
    free(path);
    free(less);
}

static void write_queue(const char *path, size_t slots, bool ids, int32_t pointer)
{
    laip_error error;
    laip_safetensors_writer w = {0};
    size_t side[] = {12, slots}, row[] = {1, slots}, one = 1;
    float *values = laip_alloc(12 * slots, sizeof *values);
    int64_t *persons = laip_alloc(slots, sizeof *persons), place = pointer;
    for (size_t i = 0; i < 12 * slots; i++)
        values[i] = (float)i;
    for (size_t i = 0; i < slots; i++)
        persons[i] = 40 + (int64_t)i;
    laip_safetensors_declare(&w, "image_queue", LAIP_F32, 2, side);
    laip_safetensors_declare(&w, "text_queue", LAIP_F32, 2, side);
    if (ids)
        laip_safetensors_declare(&w, "idx_queue", LAIP_I64, 2, row);
    laip_safetensors_declare(&w, "queue_ptr", LAIP_I64, 1, &one);
    assert_ok(laip_safetensors_begin(&w, path, &error), error);
    for (int i = 0; i < 2; i++)
        laip_safetensors_write(&w, values, 12 * slots * sizeof *values);
    if (ids)
        laip_safetensors_write(&w, persons, slots * sizeof *persons);
    laip_safetensors_write(&w, &place, sizeof place);
    assert_ok(laip_safetensors_end(&w, &error), error);
    free(values);
    free(persons);
}

static void queue(void **state)
{
    (void)state;
    laip_error error;
    laip_device *d = laip_test_device();
    laip_queue q = {0};
    float side[12 * 7];
    char *folder = laip_test_folder("queue"), *path = laip_path_join(folder, "queue.safetensors");
    laip_plan *plan = laip_plan_create(d, "test");
    laip_queue_plan(&q, plan, 3, 7, 12);
    assert_ok(laip_plan_allocate(plan, &error), error);
    laip_queue_plan(&q, plan, 3, 7, 12);
    laip_queue_initialise(&q, d, 1);
    write_queue(path, 8, true, 2); /* of another size: nothing changes */
    assert_ok(laip_checkpoint_load_queue(path, NULL, &q, &error), error);
    assert_int_equal(q.pointer, 0);
    assert_int_equal(q.person[3], -100);
    write_queue(path, 7, false, 5);
    assert_ok(laip_checkpoint_load_queue(path, NULL, &q, &error), error);
    laip_queue_read(&q, q.text, side);
    for (int i = 0; i < 12 * 7; i++)
        assert_true(side[i] == (float)i);
    assert_int_equal(q.pointer, 5);
    assert_int_equal(q.person[3], -100);
    write_queue(path, 7, true, 6);
    assert_ok(laip_checkpoint_load_queue(path, NULL, &q, &error), error);
    assert_int_equal(q.person[3 + 4], 44);
    write_queue(path, 7, true, 7);
    assert_false(laip_checkpoint_load_queue(path, NULL, &q, &error));
    assert_non_null(strstr(error.text, "queue_ptr is 7, expected a slot of 7"));
    laip_queue_free(&q);
    laip_plan_free(plan);
    free(path);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(vit), cmocka_unit_test(bert),
                                       cmocka_unit_test(other_berts), cmocka_unit_test(without_head),
                                       cmocka_unit_test(queue)};
    return cmocka_run_group_tests(tests, make, drop);
}
