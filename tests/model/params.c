/* The parameters' memory: no two share a place, initial values follow from the seed alone, the momentum
 * copies move as the equation says, and decay is for products and tables only. */
#include "support/test.h"

#include "base/memory.h"
#include "device/internal.h"
#include "support/device.h"
#include "support/tiny.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int drop(void **state)
{
    (void)state;
    laip_test_device_close();
    return 0;
}

static void open_model(laip_model *m, bool training)
{
    laip_error error;
    laip_model_config sizes = laip_tiny_sizes();
    assert_ok(laip_model_create(m, laip_test_device(), &sizes, training, &error), error);
}

static float *part_of(laip_model *m, const laip_param *p, int k, int which)
{
    float *values = laip_alloc(laip_part_count(&p->part[k]), sizeof *values);
    laip_params_read(&m->params, p, &p->part[k], which, values);
    return values;
}

typedef void visitor(laip_model *m, const laip_param *p, int k, size_t number);

static void each_part(laip_model *m, const laip_table *t, visitor *visit)
{
    size_t number = 0;
    for (size_t i = 0; i < t->count; i++)
        for (int k = 0; k < t->params[i]->parts; k++)
            visit(m, t->params[i], k, number++);
}

static void write_number(laip_model *m, const laip_param *p, int k, size_t number)
{
    size_t n = laip_part_count(&p->part[k]);
    float *values = laip_alloc(n, sizeof *values);
    for (int which = 0; which < (p->copy ? 1 : 4); which++) {
        for (size_t i = 0; i < n; i++)
            values[i] = (float)(4 * number + (size_t)which) + (p->copy ? 0.5f : 0);
        laip_params_write(&m->params, p, &p->part[k], which, values);
    }
    free(values);
}

static void check_number(laip_model *m, const laip_param *p, int k, size_t number)
{
    for (int which = 0; which < (p->copy ? 1 : 4); which++) {
        float *values = part_of(m, p, k, which);
        for (size_t i = 0; i < laip_part_count(&p->part[k]); i++)
            if (values[i] != (float)(4 * number + (size_t)which) + (p->copy ? 0.5f : 0))
                fail_msg("%s, kind %d: element %zu is another's", p->part[k].name, which, i);
        free(values);
    }
}

/* Every part of every parameter, its gradient, its moments and its momentum copy have places of their own,
 * in one chunk or in many. */
static void apart(void **state)
{
    (void)state;
    laip_device *d = laip_test_device();
    size_t largest = d->traits.largest, chunks = 0;
    for (int k = 0; k < 2; k++) {
        laip_model m;
        if (k)
            d->traits.largest = 96 * 1024; /* of a device that allows only small buffers */
        open_model(&m, true);
        assert_true(m.params.count > chunks);
        chunks = m.params.count;
        each_part(&m, &m.table, write_number);
        each_part(&m, &m.table_m, write_number);
        each_part(&m, &m.table, check_number);
        each_part(&m, &m.table_m, check_number);
        for (size_t i = 0; i < m.params.count; i++)
            assert_true(m.params.chunks[i].floats * sizeof(float) <= d->traits.largest);
        laip_model_free(&m);
    }
    d->traits.largest = largest;
    laip_test_finish(d);
}

/* No decay of biases, norms, the class token, image positions and the temperature (src/model/README.md, 4).
 */
static void check_decay(laip_model *m, const laip_param *p, int k, size_t number)
{
    const char *name = p->part[k].name;
    size_t n = strlen(name);
    bool none = (n > 5 && strcmp(name + n - 5, ".bias") == 0) || strstr(name, "norm") ||
                strstr(name, "Norm") || strstr(name, "cls_token") || strstr(name, "pos_embed") ||
                strcmp(name, "temp") == 0;
    const laip_chunk *chunk = &m->params.chunks[p->chunk];
    (void)number;
    if (chunk->decay != p->decay || chunk->averaged != p->averaged)
        fail_msg("%s: its chunk is treated otherwise", name);
    if (p->decay != !none)
        fail_msg("%s: decay is %d", name, p->decay);
}

static void decay(void **state)
{
    (void)state;
    laip_model m;
    open_model(&m, false);
    each_part(&m, &m.table, check_decay);
    laip_model_free(&m);
}

static void initial_values(void **state)
{
    (void)state;
    laip_model a, b;
    open_model(&a, true);
    open_model(&b, false); /* training or not, the values are the same */
    laip_params_initialise(&a.params, &a.table, 4, 0, 0.07f);
    laip_params_initialise(&b.params, &b.table, 4, 0, 0.07f);
    size_t different = 0;
    for (int other = 0; other < 2; other++) {
        for (size_t i = 0; i < a.table.count; i++) {
            float *x = part_of(&a, a.table.params[i], 0, 0), *y = part_of(&b, b.table.params[i], 0, 0);
            size_t n = laip_part_count(&a.table.params[i]->part[0]);
            bool same = memcmp(x, y, n * sizeof *x) == 0;
            bool drawn =
                a.table.params[i]->init == LAIP_INIT_MATRIX || a.table.params[i]->init == LAIP_INIT_TABLE;
            assert_int_equal(same, !other || !drawn);
            different += !same;
            free(x);
            free(y);
        }
        laip_params_initialise(&b.params, &b.table, 5, 0, 0.07f);
    }
    assert_true(different > 20);
    laip_param *p;
    laip_part *part;
    float temperature, word[41 * 32];
    assert_true(laip_model_find(&a, "temp", &p, &part));
    laip_params_read(&a.params, p, part, 0, &temperature);
    assert_true(temperature == 0.07f);
    laip_params_initialise(&a.params, &a.table, 4, 0.5f, 0.07f); /* a deviation of the run's own */
    assert_true(laip_model_find(&a, "text_encoder.bert.embeddings.word_embeddings.weight", &p, &part));
    laip_params_read(&a.params, p, part, 0, word);
    double square = 0;
    for (int i = 0; i < 41 * 32; i++)
        square += (double)word[i] * (double)word[i];
    assert_near(sqrt(square / (41 * 32)), 0.5, 0.03);
    laip_model_free(&a);
    laip_model_free(&b);
}

/* m ← μ m + (1 − μ) p for every averaged parameter, and for no other. */
static void average(void **state)
{
    (void)state;
    laip_model m;
    open_model(&m, true);
    laip_params_initialise(&m.params, &m.table, 4, 0, 0.07f);
    laip_params_copy_average(&m.params);
    laip_params_initialise(&m.params, &m.table, 5, 0.3f, 0.07f);
    size_t next = 0;
    for (size_t i = 0; i < m.table.count; i++) {
        laip_param *p = m.table.params[i];
        if (!p->averaged)
            continue;
        assert_true(next < m.table_m.count);
        laip_param *copy = m.table_m.params[next++];
        const char *name = p->part[0].name, *name_m = copy->part[0].name, *dot = strchr(name, '.');
        assert_memory_equal(name, name_m, (size_t)(dot - name)); /* visual_encoder.x, visual_encoder_m.x */
        assert_memory_equal(name_m + (dot - name), "_m", 2);
        assert_string_equal(name_m + (dot - name) + 2, dot);
    }
    assert_int_equal(next, m.table_m.count);
    laip_param *p = m.vision_proj.weight, *copy = m.vision_proj_m.weight;
    size_t n = laip_part_count(&p->part[0]);
    float *online = part_of(&m, p, 0, 0), *before = part_of(&m, copy, 0, 0);
    laip_optimiser_ema_update(&(laip_optimiser){.params = &m.params}, 0.75f);
    float *after = part_of(&m, copy, 0, 0), *kept = part_of(&m, p, 0, 0);
    for (size_t i = 0; i < n; i++)
        assert_near(after[i], 0.75 * (double)before[i] + 0.25 * (double)online[i], 1e-6);
    assert_memory_equal(online, kept, n * sizeof *online);
    assert_memory_not_equal(online, before, n * sizeof *online);
    free(online);
    free(before);
    free(after);
    free(kept);
    laip_model_free(&m);
}

static void check_gradient(laip_model *m, const laip_param *p, int k, float expected)
{
    float *values = part_of(m, p, k, 1);
    for (size_t i = 0; i < laip_part_count(&p->part[k]); i++)
        if (values[i] != expected)
            fail_msg("gradient of %s: element %zu is %g, expected %g", p->part[k].name, i, (double)values[i],
                     (double)expected);
    free(values);
}

/* Whatever gradients a step left, the next one begins with zeros: for what reads them, for the optimiser, and
 * for the products, of which the first assigns and the second adds. */
static void gradients(void **state)
{
    (void)state;
    laip_device *d = laip_test_device();
    for (int reader = 0; reader < 2; reader++) {
        laip_model m;
        open_model(&m, true);
        each_part(&m, &m.table, write_number);
        laip_params_zero_gradients(&m.params);
        laip_linear *l = &m.vision_proj;
        size_t out = l->weight->value.rows, in = l->weight->value.cols;
        float *ones = laip_alloc(3 * (out + in), sizeof *ones);
        for (size_t i = 0; i < 3 * (out + in); i++)
            ones[i] = 1;
        laip_mat dy = laip_test_mat(d, 3, out, ones), x = laip_test_mat(d, 3, in, ones), none = {0};
        laip_context c = {.device = d, .reduce = laip_mat_create(d, 1, laip_reduce_scratch(d, 3, out + in))};
        for (int pass = 1; pass <= 2; pass++) {
            laip_linear_backward(&c, l, none, false, dy, x);
            if (reader == 0)
                check_gradient(&m, l->weight, 0, 3.0f * (float)pass);
        }
        if (reader == 1) { /* moments decayed by what is not there: AdamW leaves the first in proportion */
            laip_optimiser_config o = {.lr = 0, .beta1 = 0.5f, .beta2 = 0.5f, .eps = 1e-8f};
            laip_optimiser adamw;
            laip_error error;
            assert_ok(laip_optimiser_create(&adamw, &m.params, false, &error), error);
            laip_optimiser_step(&adamw, &o, 1, m.temperature->value);
            laip_optimiser_free(&adamw);
        }
        size_t number = 0;
        for (size_t i = 0; i < m.table.count; i++)
            for (int k = 0; k < m.table.params[i]->parts; k++, number++) {
                const laip_param *p = m.table.params[i];
                bool made = p == l->weight || p == l->bias;
                if (reader == 0 && !made)
                    check_gradient(&m, p, k, 0);
                if (reader == 1 && !made) {
                    float *first = part_of(&m, p, k, 2);
                    assert_near(first[0], 0.5 * (double)(4 * number + 2), 1e-6);
                    free(first);
                }
            }
        laip_mat release[] = {dy, x, c.reduce};
        for (size_t i = 0; i < sizeof release / sizeof *release; i++)
            laip_mem_release(release[i].mem);
        free(ones);
        laip_model_free(&m);
    }
    laip_test_finish(d);
}

/* What laip_model_bytes says is what is taken. */
static void bytes(void **state)
{
    (void)state;
    for (int training = 0; training < 2; training++) {
        laip_model m;
        open_model(&m, training);
        size_t taken = 0;
        for (size_t i = 0; i < m.params.count; i++) {
            laip_chunk *c = &m.params.chunks[i];
            laip_mat all[] = {c->value, c->gradient, c->exp_avg, c->exp_avg_sq, c->average};
            for (int k = 0; k < 5; k++)
                taken += all[k].mem ? all[k].rows * all[k].cols * sizeof(float) : 0;
        }
        assert_int_equal(laip_model_bytes(&m, laip_test_device()), taken);
        laip_model_free(&m);
    }
}

/* A part takes tensors of its own shape; only one element alone may come in another rank. */
static void fits(void **state)
{
    (void)state;
    laip_part matrix = {.rank = 2, .shape = {3, 1}}, scalar = {.rank = 0};
    assert_true(laip_part_fits(&matrix, 2, (size_t[]){3, 1}));
    assert_false(laip_part_fits(&matrix, 2, (size_t[]){1, 3}));
    assert_false(laip_part_fits(&matrix, 1, (size_t[]){3}));
    assert_true(laip_part_fits(&scalar, 0, NULL));
    assert_true(laip_part_fits(&scalar, 1, (size_t[]){1}));
    assert_false(laip_part_fits(&scalar, 1, (size_t[]){2}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(fits),    cmocka_unit_test(apart),
                                       cmocka_unit_test(decay),   cmocka_unit_test(initial_values),
                                       cmocka_unit_test(average), cmocka_unit_test(gradients),
                                       cmocka_unit_test(bytes)};
    return cmocka_run_group_tests(tests, NULL, drop);
}
