/* conformance FIXTURE [--device D] [--half | --bfloat16] [--precision P]: runs one golden step whole and
 * compares everything that the fixture expects.
 *
 * A tensor's error is the Euclidean norm of the difference over that of the expected tensor, or over 1e-5 of
 * the group's largest norm where that is more (biases of keys have no gradient but rounding).  A line a
 * group, then `worst relative error X in NAME`; exit status 0 only under 2e-4.  With --half or --bfloat16
 * weights and activations are stored so, what comes of them is allowed more, and updated parameters, whose
 * masters lose nothing, are not.  Rows of expect.text beyond a caption's end are not compared: there is no
 * padding here. */
#include "base/memory.h"
#include "model/score.h"
#include "ops/matrix_unit.h"
#include "support/fixture.h"

#include <argp.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT 2e-4
#define FLOOR 1e-5
#define HALF_LIMIT 5e-2
#define HALF_FLOOR 1e-3
#define PRECISION_LIMIT 7e-3 /* of 11 bits */
#define BF16_LIMIT 6e-2      /* of 8 bits: PyTorch's autocast in bfloat16 gets 5.8e-2 on these steps */
#define HALF_SCALE 256       /* of the loss: what training begins with is more than these gradients allow */

typedef struct check {
    char group[32];
    double largest;
    struct item {
        char name[200];
        double difference, size;
    } * items;
    size_t count, capacity;
} check;

typedef struct run {
    laip_fixture f;
    laip_device *device;
    laip_model model;
    laip_step step;
    check checks[8];
    size_t check_count;
    laip_store store;
    laip_precision precision;
    float scale; /* of the loss */
} run;

static void add(run *r, const char *group, const char *name, double difference, double size)
{
    check *c = NULL;
    for (size_t i = 0; i < r->check_count; i++)
        if (strcmp(r->checks[i].group, group) == 0)
            c = &r->checks[i];
    if (!c) {
        c = &r->checks[r->check_count++];
        snprintf(c->group, sizeof c->group, "%s", group);
    }
    void *array = c->items;
    laip_grow(&array, &c->capacity, c->count + 1, sizeof *c->items);
    c->items = array;
    struct item *item = &c->items[c->count++];
    snprintf(item->name, sizeof item->name, "%s.%s", group, name);
    item->difference = difference;
    item->size = size;
    if (size > c->largest)
        c->largest = size;
}

/* Compares `count` values with the fixture's tensor GROUP.NAME; mask (NULL: all) leaves out those where it is
 * 0. */
static void compare(run *r, const char *group, const char *name, const float *got, const float *mask,
                    size_t row)
{
    char full[200];
    snprintf(full, sizeof full, "%s.%s", group, name);
    const laip_tensor_entry *t = laip_fixture_need(&r->f, full);
    float *want = laip_alloc(t->count + 1, sizeof *want);
    laip_error e;
    if (!laip_tensor_floats(t, want, &e))
        laip_fixture_stop(&e);
    double difference = 0, size = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (mask && mask[i / row] == 0)
            continue;
        double d = (double)got[i] - want[i];
        difference += isfinite(d) ? d * d : INFINITY;
        size += (double)want[i] * want[i];
    }
    free(want);
    add(r, group, name, sqrt(difference), sqrt(size));
}

static void load_parameters(run *r)
{
    for (size_t i = 0; i < r->f.file.count; i++) {
        const laip_tensor_entry *t = &r->f.file.tensors[i];
        const char *dot = strchr(t->name, '.');
        if (strncmp(t->name, "param.", 6) != 0 && strncmp(t->name, "momentum.", 9) != 0)
            continue;
        laip_param *q;
        laip_part *part;
        laip_error e;
        if (!laip_model_find(&r->model, dot + 1, &q, &part) || laip_part_count(part) != t->count) {
            laip_bad_input(&e, "%s: %s: no parameter of that name and size", r->f.file.path, t->name);
            laip_fixture_stop(&e);
        }
        float *values = laip_alloc(t->count, sizeof *values);
        if (!laip_tensor_floats(t, values, &e))
            laip_fixture_stop(&e);
        laip_params_write(&r->model.params, q, part, 0, values);
        free(values);
    }
}

static void compare_parameters(run *r, const char *group, int which)
{
    size_t length = strlen(group);
    for (size_t i = 0; i < r->f.file.count; i++) {
        const laip_tensor_entry *t = &r->f.file.tensors[i];
        laip_param *q;
        laip_part *part;
        if (strncmp(t->name, group, length) != 0 || t->name[length] != '.' ||
            !laip_model_find(&r->model, t->name + length + 1, &q, &part))
            continue;
        float *got = laip_alloc(t->count, sizeof *got);
        laip_params_read(&r->model.params, q, part, which, got);
        for (size_t k = 0; which == 1 && k < t->count; k++)
            got[k] /= r->scale;
        compare(r, group, t->name + length + 1, got, NULL, 1);
        free(got);
    }
}

static void compare_mat(run *r, const char *name, laip_mat m, size_t rows)
{
    char full[200];
    snprintf(full, sizeof full, "expect.%s", name);
    if (!laip_fixture_has(&r->f, full))
        return;
    float *got = laip_alloc(rows * m.cols, sizeof *got);
    laip_mat_read(r->device, laip_rows(m, rows), got);
    compare(r, "expect", name, got, NULL, 1);
    free(got);
}

static void compare_text(run *r)
{
    const laip_tensor_entry *t = laip_fixture_need(&r->f, "expect.text");
    size_t b = t->shape[0], L = t->shape[1], D = t->shape[2];
    float *packed = laip_alloc(r->step.text.tokens.rows * D, sizeof *packed),
          *got = laip_alloc(b * L * D, sizeof *got);
    float *mask = laip_alloc(b * L, sizeof *mask);
    laip_mat_read(r->device, laip_rows(r->step.text.out, r->step.text.tokens.rows), packed);
    for (size_t i = 0; i < b; i++) {
        size_t first = (size_t)r->f.batch.caption_begin[i],
               n = (size_t)r->f.batch.caption_begin[i + 1] - first;
        memcpy(got + i * L * D, packed + first * D, n * D * sizeof *got);
        for (size_t j = 0; j < n; j++)
            mask[i * L + j] = 1;
    }
    compare(r, "expect", "text", got, mask, D);
    free(packed);
    free(got);
    free(mask);
}

static void compare_loss(run *r, const char *name, double value)
{
    char full[64];
    float got = (float)value;
    snprintf(full, sizeof full, "expect.%s", name);
    if (laip_fixture_has(&r->f, full))
        compare(r, "expect", name, &got, NULL, 1);
}

static void compare_losses(run *r, const laip_losses *v)
{
    for (int i = 0; i < LAIP_LOSSES; i++) {
        char name[48];
        snprintf(name, sizeof name, "loss_%s", laip_loss_names[i]);
        compare_loss(r, name, v->value[i]);
    }
    compare_loss(r, "loss", v->total);
}

static void compare_activations(run *r)
{
    laip_step *s = &r->step;
    size_t b = (size_t)r->f.batch.size, p = (size_t)r->f.batch.phrases;
    compare_mat(r, "image", s->vit.out, b * ((size_t)laip_patch_count(&r->f.sizes) + 1));
    compare_text(r);
    compare_mat(r, "image_feature", s->itc.image.f, b);
    compare_mat(r, "text_feature", s->itc.text.f, b);
    compare_mat(r, "image_feature_m", s->itc.image_m.f, b);
    compare_mat(r, "text_feature_m", s->itc.text_m.f, b);
    if (s->match_rows == 3 * b)
        compare_mat(r, "itm_logits", s->itm.logits, 3 * b);
    compare_mat(r, "attention_forward", s->bidiratt.fore, p);
    compare_mat(r, "attention_backward", s->bidiratt.back, p);
    compare_mat(r, "attention_weight", s->bidiratt.weight, p);
    compare_mat(r, "phrase_similarity", s->bidiratt.similarity, p);
}

static void check_scores(run *r)
{
    laip_error e;
    if (!laip_fixture_has(&r->f, "expect.coarse"))
        return;
    const laip_batch *x = &r->f.batch;
    size_t b = (size_t)x->size, E = (size_t)r->f.sizes.embed, D = (size_t)r->f.sizes.width;
    size_t rows = (size_t)x->caption_begin[b],
           pixels = 3 * (size_t)r->f.sizes.image_height * (size_t)r->f.sizes.image_width;
    laip_score_sizes z = {.images = b, .captions = b, .rows = rows, .longest = r->step.sizes.longest_caption};
    laip_scorer s;
    float *fi = laip_alloc(b * E, sizeof *fi), *ft = laip_alloc(b * E, sizeof *ft),
          *states = laip_alloc(rows * D, 4);
    float *retrieval = laip_alloc(b * b, sizeof *retrieval), *rerank = laip_alloc(b * b, sizeof *rerank),
          *mask = laip_alloc(b * b, 4);
    float *logits = laip_alloc(2 * b, sizeof *logits), *want = laip_fixture_floats(&r->f, "expect.fine");
    if (!laip_scorer_create(&s, &r->model, &z, &e) || !laip_score_images(&s, x->images, b, fi, &e) ||
        !laip_score_texts(&s, x->caption_ids, x->caption_begin, b, ft, states, &e))
        laip_fixture_stop(&e);
    for (size_t t = 0; t < b; t++)
        for (size_t i = 0; i < b; i++)
            for (size_t c = 0; c < E; c++)
                retrieval[t * b + i] += ft[t * E + c] * fi[i * E + c];
    for (size_t i = 0; i < b; i++) {
        if (!laip_score_set_image(&s, x->images + i * pixels, &e) ||
            !laip_score_match(&s, states, x->caption_begin, b, logits, &e))
            laip_fixture_stop(&e);
        for (size_t t = 0; t < b; t++) {
            rerank[t * b + i] = logits[2 * t + 1];
            mask[t * b + i] = want[t * b + i] != -100.0f;
        }
    }
    compare(r, "expect", "coarse", retrieval, NULL, 1);
    compare(r, "expect", "fine", rerank, mask, 1);
    laip_scorer_free(&s);
    free(fi);
    free(ft);
    free(states);
    free(retrieval);
    free(rerank);
    free(mask);
    free(logits);
}

static void use_fixture_gradients(run *r)
{
    laip_params_zero_gradients(&r->model.params);
    for (size_t i = 0; i < r->f.file.count; i++) {
        const laip_tensor_entry *t = &r->f.file.tensors[i];
        laip_param *q;
        laip_part *part;
        laip_error e;
        if (strncmp(t->name, "grad.", 5) != 0 || !laip_model_find(&r->model, t->name + 5, &q, &part))
            continue;
        float *values = laip_alloc(t->count, sizeof *values);
        if (!laip_tensor_floats(t, values, &e))
            laip_fixture_stop(&e);
        for (size_t k = 0; k < t->count; k++)
            values[k] *= r->scale;
        laip_params_write(&r->model.params, q, part, 1, values);
        free(values);
    }
}

static void compare_queue(run *r)
{
    laip_queue *q = &r->step.queue;
    if (!laip_fixture_has(&r->f, "after_buffer.image_queue"))
        return;
    float *side = laip_alloc(q->slots * q->image.cols + q->slots, sizeof *side);
    laip_queue_read(q, q->image, side);
    compare(r, "after_buffer", "image_queue", side, NULL, 1);
    laip_queue_read(q, q->text, side);
    compare(r, "after_buffer", "text_queue", side, NULL, 1);
    int32_t *ids = laip_fixture_ints(&r->f, "after_buffer.idx_queue"),
            *pointer = laip_fixture_ints(&r->f, "after_buffer.queue_ptr");
    double wrong = 0;
    for (size_t i = 0; i < q->slots; i++)
        wrong += ids[i] != q->person[q->batch + i];
    add(r, "after_buffer", "idx_queue", wrong, 1);
    add(r, "after_buffer", "queue_ptr", (size_t)pointer[0] != q->pointer, 1);
    free(side);
}

static void execute(run *r)
{
    laip_error e;
    laip_losses losses;
    laip_params_zero_gradients(&r->model.params);
    laip_step_begin(&r->step, r->f.loss.momentum);
    compare_parameters(r, "after_momentum", 0);
    laip_step_momentum(&r->step, &r->f.batch, 0);
    if (!laip_step_micro(&r->step, &r->f.batch, 0, 0, &e) || !laip_step_losses(&r->step, &losses, &e))
        laip_fixture_stop(&e);
    compare_losses(r, &losses);
    compare_activations(r);
    compare_parameters(r, "grad", 1);
    check_scores(r);
    if (laip_fixture_has(&r->f, "after.temp")) {
        use_fixture_gradients(r);
        if (!laip_step_end(&r->step, &r->f.optimiser, r->f.t, &e))
            laip_fixture_stop(&e);
        compare_parameters(r, "after", 0);
        compare_queue(r);
    }
    if (!laip_device_finish(r->device, &e))
        laip_fixture_stop(&e);
}

static void prepare(run *r, const char *device)
{
    laip_error e;
    laip_step_sizes z = laip_fixture_sizes(&r->f);
    if (!laip_loss_config_check(&r->f.loss, &r->f.sizes, &e) || !laip_device_open(&r->device, device, 0, &e))
        laip_fixture_stop(&e);
    laip_precision_set(r->device, r->precision);
    if (!laip_model_create(&r->model, r->device, &r->f.sizes, true, &e) ||
        !laip_step_create(&r->step, &r->model, &r->f.loss, &z, 1, &e))
        laip_fixture_stop(&e);
    r->scale = r->store == LAIP_STORE_HALF || r->precision == LAIP_PRECISION_FP16 ? HALF_SCALE : 1;
    laip_optimiser_set_scaling(&r->step.optimiser, (laip_scaling){.scale = r->scale});
    load_parameters(r);
    laip_queue *q = &r->step.queue;
    laip_queue_write(q, q->image, laip_fixture_floats(&r->f, "buffer.image_queue"));
    laip_queue_write(q, q->text, laip_fixture_floats(&r->f, "buffer.text_queue"));
    memcpy(q->person + q->batch, laip_fixture_ints(&r->f, "buffer.idx_queue"), q->slots * sizeof(int32_t));
    q->pointer = (size_t)laip_fixture_ints(&r->f, "buffer.queue_ptr")[0];
}

static double limit(const run *r, const char *group)
{
    bool parameters = strcmp(group, "after") == 0 || strcmp(group, "after_momentum") == 0;
    if (parameters || !(r->store || r->precision))
        return LIMIT;
    if (r->store)
        return r->store == LAIP_STORE_HALF ? HALF_LIMIT : BF16_LIMIT;
    return r->precision == LAIP_PRECISION_BF16 ? BF16_LIMIT : PRECISION_LIMIT;
}

static int report(run *r)
{
    double worst = 0;
    bool good = true;
    const char *where = "nothing";
    size_t compared = 0;
    for (size_t g = 0; g < r->check_count; g++) {
        check *c = &r->checks[g];
        double most = -1;
        const char *at = "";
        for (size_t i = 0; i < c->count; i++) {
            double floor =
                       (r->store || r->precision != LAIP_PRECISION_FP32 ? HALF_FLOOR : FLOOR) * c->largest,
                   scale = fmax(c->items[i].size, floor);
            double error = c->items[i].difference == 0 ? 0 : c->items[i].difference / scale;
            if (!(error <= most)) {
                most = error;
                at = c->items[i].name;
            }
            if (getenv("LAIP_CONFORMANCE_ALL"))
                printf("    %-70s %.3g\n", c->items[i].name, error);
        }
        compared += c->count;
        good = good && most < limit(r, c->group);
        printf("%-15s %4zu tensors, worst %.3g in %s\n", c->group, c->count, most, at);
        if (!(most <= worst)) {
            worst = most;
            where = at;
        }
    }
    printf("worst relative error %.3g in %s\n", worst, where);
    return compared && good ? 0 : 1;
}

static char *device_name, *fixture_name;
static laip_store store;
static int precision;

static error_t parse(int key, char *argument, struct argp_state *state)
{
    if (key == 'd')
        device_name = argument;
    else if (key == 'h')
        store = LAIP_STORE_HALF;
    else if (key == 'b')
        store = LAIP_STORE_BFLOAT16;
    else if (key == 'p') {
        for (precision = 0; laip_precision_names[precision]; precision++)
            if (strcmp(argument, laip_precision_names[precision]) == 0)
                return 0;
        argp_error(state, "precision is %s, expected fp32, tf32, bf16 or fp16", argument);
    } else if (key == ARGP_KEY_ARG && !fixture_name)
        fixture_name = argument;
    else if (key == ARGP_KEY_ARG || key == ARGP_KEY_NO_ARGS)
        argp_usage(state);
    else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

int main(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"device", 'd', "D", 0, "Device to run on (default: auto)", 0},
        {"half", 'h', NULL, 0, "Weights and activations are stored as halves", 0},
        {"bfloat16", 'b', NULL, 0, "The same as bfloat16", 0},
        {"precision", 'p', "P", 0, "Of products and attention: fp32, tf32, bf16 or fp16", 0},
        {0}};
    static const struct argp argp = {
        options, parse, "FIXTURE", "Runs a golden step and compares all that it expects.", NULL, NULL, NULL};
    argp_err_exit_status = 2;
    argp_parse(&argp, argc, argv, 0, NULL, NULL);
    static run r;
    laip_fixture_open(&r.f, fixture_name);
    r.store = store;
    r.precision = (laip_precision)precision;
    r.f.sizes.storage = store;
    prepare(&r, device_name);
    execute(&r);
    int status = report(&r);
    for (size_t i = 0; i < r.check_count; i++)
        free(r.checks[i].items);
    laip_step_free(&r.step);
    laip_model_free(&r.model);
    laip_device_close(r.device);
    laip_fixture_close(&r.f);
    return status;
}
