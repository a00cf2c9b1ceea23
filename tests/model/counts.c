/* What one step asks of the device, counted: a guard against work done twice or in vain that does not depend
 * on time.  Products and floating-point operations follow from the network's sizes, as written out below;
 * launches, bytes and transfers are stated.  A change that adds some must change these numbers, and say why.
 */
#include "support/test.h"

#include "device/internal.h"
#include "device/profiler.h"
#include "ops/gemm/gemm.h"
#include "support/device.h"
#include "support/tiny.h"
#include <stdio.h>
#include <string.h>

static int drop(void **state)
{
    (void)state;
    laip_test_device_close();
    return 0;
}

enum { ALIGNMENT = 512 }; /* bytes; of what devices want of a sub-buffer's offset the most */
enum { UNITS = 2 };       /* on them depends which columns the packed product packs itself */

/* Of a part: products, those with a bias, attentions, and floating-point operations of all. */
typedef struct work {
    int products, biased, attentions;
    double flops;
} work;

enum {
    TINY_TEXTS = 16,
    PHRASE_ROWS = 12,
    PHRASES = 4,
    HIDDEN_PIECES = 4,
    PACKED_B = 94,
    PATCH_PIXELS = 3 * 16 * 16
};
static const int captions[] = {5, 7, 4}, phrases[PHRASES] = {3, 2, 4, 3};

static double squares(const int *lengths, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += lengths[i] * lengths[i];
    return sum;
}

static void product(work *w, double m, double n, double k)
{
    w->products++;
    w->flops += 2 * m * n * k;
}

static void linear(work *w, double rows, double in, double out)
{
    product(w, rows, out, in);
    w->biased++;
}

enum { DATA = 1, WEIGHTS = 2, ALL = DATA | WEIGHTS }; /* which gradients */
static void linear_back(work *w, int which, double rows, double in, double out)
{
    for (int i = DATA; i <= WEIGHTS; i *= 2)
        if (which & i)
            product(w, rows, out, in);
}

/* A layer of the image or text encoder: `rows` rows leave it, `all` go in, and each of the former looks at
 * `scores` / rows of the latter. */
static void layer(work *w, const laip_model_config *m, double all, double rows, double scores)
{
    double D = m->width, H = D * m->mlp;
    linear(w, all, D, 3 * D);
    w->attentions++;
    w->flops += 4 * scores * D;
    linear(w, rows, D, D);
    linear(w, rows, D, H);
    linear(w, rows, H, D);
}

static void layer_back(work *w, const laip_model_config *m, double rows, double scores)
{
    double D = m->width, H = D * m->mlp;
    linear_back(w, ALL, rows, D, 3 * D);
    w->attentions++;
    w->flops += 10 * scores * D;
    linear_back(w, ALL, rows, D, D);
    linear_back(w, ALL, rows, D, H);
    linear_back(w, ALL, rows, H, D);
}

/* A cross layer likewise; its rows look at the image tokens, whose keys and values are made once; images 0:
 * they are there already. */
static void cross_layer(work *w, const laip_model_config *m, double all, double rows, double scores,
                        double tokens, double images, bool last)
{
    double D = m->width, H = D * m->mlp;
    if (last) {
        linear(w, rows, D, D);
        linear(w, all, D, 2 * D);
    } else
        linear(w, all, D, 3 * D);
    linear(w, rows, D, D);
    linear(w, rows, D, D);
    if (images > 0)
        linear(w, images * tokens, D, 2 * D);
    linear(w, rows, D, D);
    linear(w, rows, D, H);
    linear(w, rows, H, D);
    w->attentions += 2;
    w->flops += 4 * (scores + rows * tokens) * D;
}

/* images 0: nothing flows into them; `which` gradients. */
static void cross_layer_back(work *w, const laip_model_config *m, int which, double all, double rows,
                             double scores, double tokens, double images, bool last)
{
    double D = m->width, H = D * m->mlp;
    if (last) {
        linear_back(w, which, rows, D, D);
        linear_back(w, which, all, D, 2 * D);
    } else
        linear_back(w, which, all, D, 3 * D);
    linear_back(w, which, rows, D, D);
    linear_back(w, which, rows, D, D);
    if (images > 0)
        linear_back(w, which, images * tokens, D, 2 * D);
    linear_back(w, which, rows, D, D);
    linear_back(w, which, rows, D, H);
    linear_back(w, which, rows, H, D);
    w->attentions += 2;
    w->flops += (10 * scores + (images > 0 ? 10 : 6) * rows * tokens) * D;
}

/* How many rows the passes have: of image tokens, of texts, of the cross batch and of what leaves it. */
typedef struct rows {
    double B, N, text, text_scores, cross, cross_scores, selection, tail_scores;
} rows;

static rows rows_of(const laip_model_config *m)
{
    double own = squares(phrases, PHRASES), B = LAIP_TINY_BATCH;
    return (rows){.B = B,
                  .N = laip_patch_count(m) + 1,
                  .text = TINY_TEXTS + 2 * PHRASE_ROWS, /* captions, phrases, masked phrases */
                  .text_scores = squares(captions, LAIP_TINY_BATCH) + 2 * own,
                  .cross = PHRASE_ROWS + 3 * TINY_TEXTS, /* masked phrases, pairs, two kinds of negatives */
                  .cross_scores = own + 3 * squares(captions, LAIP_TINY_BATCH),
                  .selection = PHRASE_ROWS + 3 * B, /* of pairs only [CLS] */
                  .tail_scores = own + 3 * TINY_TEXTS};
}

static work momentum_pass(const laip_model_config *m)
{
    work w = {0};
    rows r = rows_of(m);
    double D = m->width, E = m->embed;
    linear(&w, r.B * (r.N - 1), PATCH_PIXELS, D);
    for (int i = 0; i + 1 < m->vit_layers; i++)
        layer(&w, m, r.B * r.N, r.B * r.N, r.B * r.N * r.N);
    layer(&w, m, r.B * r.N, r.B, r.B * r.N);
    for (int i = 0; i + 1 < m->text_layers; i++)
        layer(&w, m, TINY_TEXTS, TINY_TEXTS, squares(captions, LAIP_TINY_BATCH));
    layer(&w, m, TINY_TEXTS, r.B, TINY_TEXTS);
    linear(&w, r.B, D, E);
    linear(&w, r.B, D, E);
    return w;
}

static work image_pass(const laip_model_config *m)
{
    work w = {0};
    rows r = rows_of(m);
    linear(&w, r.B * (r.N - 1), PATCH_PIXELS, m->width);
    for (int i = 0; i < m->vit_layers; i++)
        layer(&w, m, r.B * r.N, r.B * r.N, r.B * r.N * r.N);
    return w;
}

static work image_backward(const laip_model_config *m, bool recompute)
{
    work w = {0};
    rows r = rows_of(m);
    for (int i = 0; i < m->vit_layers; i++) {
        layer_back(&w, m, r.B * r.N, r.B * r.N * r.N);
        if (recompute && i + 1 < m->vit_layers)
            layer(&w, m, r.B * r.N, r.B * r.N, r.B * r.N * r.N);
    }
    linear_back(&w, WEIGHTS, r.B * (r.N - 1), PATCH_PIXELS, m->width);
    return w;
}

static work text_pass(const laip_model_config *m)
{
    work w = {0};
    rows r = rows_of(m);
    for (int i = 0; i < m->text_layers; i++)
        layer(&w, m, r.text, r.text, r.text_scores);
    return w;
}

static work text_backward(const laip_model_config *m, bool recompute)
{
    work w = {0};
    rows r = rows_of(m);
    for (int i = 0; i < m->text_layers; i++) {
        layer_back(&w, m, r.text, r.text_scores);
        if (recompute && i + 1 < m->text_layers)
            layer(&w, m, r.text, r.text, r.text_scores);
    }
    return w;
}

static work cross_pass(const laip_model_config *m)
{
    work w = {0};
    rows r = rows_of(m);
    for (int i = 0; i + 1 < m->cross_layers; i++)
        cross_layer(&w, m, r.cross, r.cross, r.cross_scores, r.N, r.B, false);
    cross_layer(&w, m, r.cross, r.selection, r.tail_scores, r.N, r.B, true);
    return w;
}

static work cross_backward(const laip_model_config *m, bool recompute)
{
    work w = {0};
    rows r = rows_of(m);
    cross_layer_back(&w, m, ALL, r.cross, r.selection, r.tail_scores, r.N, r.B, true);
    for (int i = 0; i + 1 < m->cross_layers; i++) {
        cross_layer_back(&w, m, ALL, r.cross, r.cross, r.cross_scores, r.N, r.B, false);
        if (recompute)
            cross_layer(&w, m, r.cross, r.cross, r.cross_scores, r.N, 0, false);
    }
    return w;
}

/* The pass that finds the backward attention: from the MLM head's truth to the context of layer 1's
 * cross-attention, for the phrases alone and without gradients of weights. */
static void backward_attention(work *w, const laip_model_config *m, bool recompute)
{
    rows r = rows_of(m);
    double D = m->width, H = D * m->mlp, own = squares(phrases, PHRASES);
    linear_back(w, DATA, HIDDEN_PIECES, D, D);
    cross_layer_back(w, m, DATA, PHRASE_ROWS, PHRASE_ROWS, own, r.N, 0, true);
    for (int i = 1; i + 1 < m->cross_layers; i++)
        cross_layer_back(w, m, DATA, PHRASE_ROWS, PHRASE_ROWS, own, r.N, 0, false);
    linear_back(w, DATA, PHRASE_ROWS, H, D);
    linear_back(w, DATA, PHRASE_ROWS, D, H);
    linear_back(w, DATA, PHRASE_ROWS, D, D);
    for (int i = 0; recompute && i + 1 < m->cross_layers; i++)
        cross_layer(w, m, r.cross, r.cross, r.cross_scores, r.N, 0, false);
}

static work losses(const laip_model_config *m, bool recompute)
{
    work w = {0};
    rows r = rows_of(m);
    double D = m->width, E = m->embed, V = m->vocab, keys = r.B + m->queue;
    for (int side = 0; side < 2; side++) { /* ITC: features, scores, gradient */
        linear(&w, r.B, D, E);
        product(&w, r.B, keys, E);
        product(&w, r.B, E, keys);
        linear_back(&w, ALL, r.B, D, E);
    }
    linear(&w, 3 * r.B, D, 2); /* ITM */
    linear_back(&w, ALL, 3 * r.B, D, 2);
    linear(&w, HIDDEN_PIECES, D, D); /* MPM: the head, the vocabulary */
    linear(&w, HIDDEN_PIECES, D, V);
    linear_back(&w, ALL, HIDDEN_PIECES, D, V);
    linear_back(&w, ALL, HIDDEN_PIECES, D, D);
    for (int side = 0; side < 2; side++) { /* BidirAtt: features of plans and phrases */
        linear(&w, PHRASES, D, E);
        linear_back(&w, ALL, PHRASES, D, E);
    }
    backward_attention(&w, m, recompute);
    return w;
}

typedef struct counted {
    laip_device *device;
    laip_model model;
    laip_step step;
    laip_arena arena;
    laip_batch batch;
    const laip_profiler_line *lines;
    size_t count;
} counted;

/* One step, after another that has compiled the kernels. */
static void count_step(counted *k, const char *gemm, bool recompute)
{
    laip_error error;
    laip_model_config m = laip_tiny_sizes();
    laip_step_sizes z = laip_tiny_step_sizes();
    laip_loss_config loss = laip_loss_config_default();
    laip_optimiser_config o = laip_optimiser_config_default();
    loss.bidiratt_layer = 1;
    z.recompute = recompute;
    *k = (counted){.device = laip_test_device()};
    assert_true(k->device->traits.alignment <= ALIGNMENT);
    k->device->traits.alignment = ALIGNMENT; /* what lies between two tensors is moved as well */
    k->device->traits.units = UNITS;
    laip_gemm_force(k->device, gemm);
    assert_ok(laip_model_create(&k->model, k->device, &m, true, &error), error);
    laip_params_initialise(&k->model.params, &k->model.table, 1, 0, loss.temperature);
    laip_params_copy_average(&k->model.params);
    laip_params_zero_moments(&k->model.params);
    assert_ok(laip_step_create(&k->step, &k->model, &loss, &z, 1, &error), error);
    k->batch = laip_tiny_batch(&k->arena, &m, 1);
    for (uint64_t t = 1; t <= 2; t++) {
        assert_ok(laip_profiler_start(k->device, false, &error), error);
        laip_step_begin(&k->step, loss.momentum);
        laip_step_momentum(&k->step, &k->batch, 0);
        assert_ok(laip_step_micro(&k->step, &k->batch, 0, t, &error), error);
        assert_ok(laip_step_end(&k->step, &o, t, &error), error);
    }
    assert_ok(laip_profiler_read(k->device, &k->lines, &k->count, &error), error);
}

static void close_step(counted *k)
{
    laip_gemm_force(k->device, "auto");
    laip_step_free(&k->step);
    laip_model_free(&k->model);
    laip_arena_free(&k->arena);
}

static uint64_t times(const counted *k, const char *part, const char *kernel)
{
    return laip_profiler_sum(k->lines, k->count, part, kernel).count;
}

/* Attention's kernels that end so: a device has one of several forms. */
static laip_profiler_line of_attention(const counted *k, const char *part, const char *end)
{
    laip_profiler_line sum = {0};
    for (size_t i = 0; i < k->count; i++) {
        const char *name = k->lines[i].kernel;
        size_t n = strlen(name), m = strlen(end);
        if (strcmp(k->lines[i].part, part) != 0 || strncmp(name, "attention", 9) != 0 || n < m ||
            strcmp(name + n - m, end) != 0)
            continue;
        sum.count += k->lines[i].count;
        sum.bytes += k->lines[i].bytes;
    }
    return sum;
}

static void check_work(const counted *k, const char *part, work expected)
{
    laip_profiler_line all = laip_profiler_sum(k->lines, k->count, part, NULL);
    uint64_t products = times(k, part, "clblast") + times(k, part, "gemm_packed");
    uint64_t attentions = of_attention(k, part, "_forward").count + of_attention(k, part, "_dq").count +
                          of_attention(k, part, "_backward").count;
    if (products != (uint64_t)expected.products || attentions != (uint64_t)expected.attentions ||
        all.flops != expected.flops)
        fail_msg("%s: %d products, %d attentions, %.0f operations, expected %d, %d, %.0f", part,
                 (int)products, (int)attentions, all.flops, expected.products, expected.attentions,
                 expected.flops);
    if (times(k, part, "clblast"))
        assert_int_equal(times(k, part, "gemm_epilogue"), expected.biased);
}

static void check_step(const counted *k, bool recompute)
{
    const laip_model_config *m = &k->model.sizes;
    check_work(k, "momentum pass", momentum_pass(m));
    check_work(k, "image pass", image_pass(m));
    check_work(k, "text pass", text_pass(m));
    check_work(k, "cross pass", cross_pass(m));
    check_work(k, "losses", losses(m, recompute));
    check_work(k, "cross backward", cross_backward(m, recompute));
    check_work(k, "text backward", text_backward(m, recompute));
    check_work(k, "image backward", image_backward(m, recompute));
    check_work(k, "optimiser", (work){0});
}

static void operations(void **state)
{
    (void)state;
    for (int recompute = 0; recompute < 2; recompute++) {
        counted k;
        count_step(&k, "clblast", recompute);
        check_step(&k, recompute);
        close_step(&k);
    }
}

/* The same work by the packed product, and no packing but what it takes: each A once, each B once unless it
 * is read where it lies or has columns enough for the product to pack it itself. */
static void packed(void **state)
{
    (void)state;
    counted k;
    if (laip_device_traits(laip_test_device())->lanes > 1)
        skip(); /* it has no such product */
    count_step(&k, "packed-16-12x32", false);
    check_step(&k, false);
    uint64_t products = times(&k, NULL, "gemm_packed");
    assert_int_equal(times(&k, NULL, "gemm_pack_a") + times(&k, NULL, "gemm_pack_a_transposed"), products);
    assert_int_equal(times(&k, NULL, "gemm_pack_b") + times(&k, NULL, "gemm_pack_b_transposed"), PACKED_B);
    assert_int_equal(times(&k, NULL, "gemm_epilogue"), 0);
    close_step(&k);
}

/* What every part launches and moves, transfers included, but for attention, whose forms differ in it;
 * downloads wait for the device, but for the optimiser's, which is looked at a step later. */
static void launches_and_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *part;
        uint64_t launches, uploads, downloads;
        double bytes;
    } stated[] = {{"momentum pass", 51, 2, 0, 638468}, {"image pass", 25, 1, 0, 562664},
                  {"text pass", 12, 0, 0, 235520},     {"cross pass", 39, 1, 0, 695276},
                  {"losses", 119, 0, 0, 310936},       {"cross backward", 89, 0, 0, 1046424},
                  {"text backward", 33, 0, 0, 392744}, {"image backward", 63, 0, 0, 626608},
                  {"optimiser", 35, 0, 1, 3135456}};
    counted k;
    bool same = true;
    uint64_t all = 0;
    count_step(&k, "clblast", false);
    for (size_t i = 0; i < sizeof stated / sizeof *stated; i++) {
        const char *part = stated[i].part;
        uint64_t up = times(&k, part, "upload"), down = times(&k, part, "download");
        laip_profiler_line sum = laip_profiler_sum(k.lines, k.count, part, NULL);
        laip_profiler_line attention = of_attention(&k, part, "");
        uint64_t launches = sum.count - up - down - attention.count;
        sum.bytes -= attention.bytes;
        const char *const sums[] = {"square_partials",
                                    "sum_partials"}; /* as many parts as the device likes */
        for (int s = 0; s < 2 && strcmp(part, "optimiser") == 0; s++)
            sum.bytes -= laip_profiler_sum(k.lines, k.count, part, sums[s]).bytes;
        all += sum.count;
        if (launches == stated[i].launches && up == stated[i].uploads && down == stated[i].downloads &&
            sum.bytes == stated[i].bytes)
            continue;
        same = false;
        print_error("{\"%s\", %d, %d, %d, %.0f}, was {%d, %d, %d, %.0f}\n", part, (int)launches, (int)up,
                    (int)down, sum.bytes, (int)stated[i].launches, (int)stated[i].uploads,
                    (int)stated[i].downloads, stated[i].bytes);
    }
    assert_true(same);
    assert_int_equal(all, laip_profiler_sum(k.lines, k.count, NULL, NULL).count); /* no part is left out */
    close_step(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(operations), cmocka_unit_test(packed),
                                       cmocka_unit_test(launches_and_bytes)};
    return cmocka_run_group_tests(tests, NULL, drop);
}
