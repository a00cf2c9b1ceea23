/* Evaluation against scoring pair by pair: the retrieval ranking by features, the k best ranked anew by
 * matching and by both, and with k the whole gallery every pair. */
#include "support/test.h"

#include "base/file.h"
#include "data/assemble.h"
#include "eval/evaluate.h"
#include "eval/scores.h"
#include "model/score.h"
#include "store/safetensors.h"
#include "support/device.h"
#include "support/split.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static laip_test_split set;
static float *retrieval_of, *rerank_of, *fused_of; /* [queries, gallery]: what scoring pair by pair gives */
static const float temperature = 0.0625f, weight = 0.75f;

static const laip_ranks alone = {.size = 1};

/* One picture and one caption at a time. */
static bool score_pairs(laip_error *error)
{
    const laip_model_config *m = &set.model.sizes;
    size_t n = set.d.picture_count, queries = set.d.caption_count, E = (size_t)m->embed, D = (size_t)m->width;
    laip_score_sizes z = {.images = 1, .captions = 1, .rows = 40, .longest = 40};
    laip_scorer s;
    float *planes = laip_alloc(3 * (size_t)m->image_height * (size_t)m->image_width, sizeof *planes);
    float *image = laip_alloc(E, sizeof *image), *text = laip_alloc(E, sizeof *text),
          *states = laip_alloc(40 * D, sizeof *states);
    bool good = laip_scorer_create(&s, &set.model, &z, error);
    for (size_t i = 0; good && i < n; i++) {
        good = laip_picture_planes(&set.d, i, m->image_height, m->image_width, planes, error) &&
               laip_score_images(&s, planes, 1, image, error) && laip_score_set_image(&s, planes, error);
        for (size_t q = 0; good && q < queries; q++) {
            int32_t begin[2] = {0, (int32_t)(set.texts.captions.begin[q + 1] - set.texts.captions.begin[q])};
            float logits[2] = {0};
            double sum = 0;
            good = laip_score_texts(&s, set.texts.captions.ids + set.texts.captions.begin[q], begin, 1, text,
                                    states, error) &&
                   laip_score_match(&s, states, begin, 1, logits, error);
            for (size_t e = 0; e < E; e++)
                sum += (double)image[e] * (double)text[e];
            retrieval_of[q * n + i] = (float)sum;
            rerank_of[q * n + i] = logits[1];
            fused_of[q * n + i] = weight * (logits[1] - logits[0]) + (float)sum / temperature;
        }
    }
    laip_scorer_free(&s);
    free(planes);
    free(image);
    free(text);
    free(states);
    return good;
}

/* Gives picture `to` the file of picture `from`, so that their scores are equal. */
static bool same_picture(size_t from, size_t to, laip_error *error)
{
    char *source = laip_dataset_file(&set.d, from), *place = laip_dataset_file(&set.d, to), *data = NULL;
    size_t size;
    bool good = laip_file_read(source, &data, &size, error) && laip_file_write(place, data, size, error);
    free(source);
    free(place);
    free(data);
    return good;
}

static int make(void **state)
{
    (void)state;
    laip_error error = {0};
    bool good =
        laip_test_split_open(&set, &error) && same_picture(3, 9, &error) && same_picture(3, 12, &error);
    if (good) {
        float bias[2] = {0, -3}; /* of matching: its logits lie below all cosines */
        const laip_param *head = set.model.itm_head.bias, *t = set.model.temperature;
        laip_params_write(&set.model.params, head, &head->part[0], 0, bias);
        laip_params_write(&set.model.params, t, &t->part[0], 0, &temperature);
        retrieval_of = laip_alloc(set.d.caption_count * set.d.picture_count, sizeof *retrieval_of);
        rerank_of = laip_alloc(set.d.caption_count * set.d.picture_count, sizeof *rerank_of);
        fused_of = laip_alloc(set.d.caption_count * set.d.picture_count, sizeof *fused_of);
        good = score_pairs(&error);
    }
    if (!good)
        print_error("%s\n", error.text);
    return good ? 0 : -1;
}

static int drop(void **state)
{
    (void)state;
    laip_test_split_close(&set);
    free(retrieval_of);
    free(rerank_of);
    free(fused_of);
    laip_test_device_close();
    return 0;
}

static laip_evaluation evaluated(size_t k, bool fused, int threads)
{
    laip_evaluation e;
    laip_error error;
    assert_ok(laip_evaluate(&set.model, &set.d, &set.texts,
                            (laip_reranking){k, fused, weight, false, false, 0}, threads, &alone, &e, &error),
              error);
    assert_int_equal(e.queries, set.d.caption_count);
    assert_int_equal(e.gallery, set.d.picture_count);
    return e;
}

static size_t ties; /* neighbours of equal score that check_order came upon */

/* Places first … last − 1 of caption q hold different pictures with the scores that `want` gives them, from
 * the best to the worst, and of equal ones the picture first in the split comes first. */
static void check_order(const laip_evaluation *e, size_t q, size_t first, size_t last, const float *want)
{
    const int32_t *ranking = e->ranking + q * e->gallery;
    const float *score = e->score + q * e->gallery;
    for (size_t k = first; k < last; k++) {
        assert_in_range(ranking[k], 0, e->gallery - 1);
        for (size_t j = 0; j < k; j++)
            assert_int_not_equal(ranking[j], ranking[k]);
        assert_near(score[k], want[q * e->gallery + (size_t)ranking[k]], 2e-5);
        ties += k > first && score[k] == score[k - 1];
        if (k > first)
            assert_true(score[k] < score[k - 1] || (score[k] == score[k - 1] && ranking[k] > ranking[k - 1]));
    }
}

static void assert_metrics(laip_metrics a, laip_metrics b)
{
    assert_true(a.r1 == b.r1 && a.r5 == b.r5 && a.r10 == b.r10 && a.map == b.map);
}

static laip_metrics of_ranking(const laip_evaluation *e)
{
    return laip_metrics_of(e->ranking, e->queries, e->gallery, e->query_person, e->gallery_person);
}

static void retrieval(void **state)
{
    (void)state;
    laip_evaluation e = evaluated(0, false, 1);
    assert_int_equal(e.queries, 36);
    assert_int_equal(e.gallery, 18);
    assert_int_equal(e.pairs, 0);
    for (size_t q = 0; q < e.queries; q++) {
        check_order(&e, q, 0, e.gallery, retrieval_of);
        assert_int_equal(e.query_person[q], set.d.pictures[set.d.captions[q].picture].person);
    }
    for (size_t i = 0; i < e.gallery; i++)
        assert_int_equal(e.gallery_person[i], set.d.pictures[i].person);
    assert_true(ties >= 2 * e.queries);
    assert_metrics(e.retrieval, of_ranking(&e));
    assert_metrics(e.rerank, e.retrieval);
    assert_metrics(e.fused, e.retrieval);
    laip_evaluation_free(&e);
}

/* The model tells pictures and pairs apart, or the tests here would say nothing. */
static void spread(void **state)
{
    (void)state;
    const float *scores[] = {retrieval_of, rerank_of, fused_of};
    for (int s = 0; s < 3; s++)
        for (size_t q = 0; q < set.d.caption_count; q++) {
            double low = INFINITY, high = -INFINITY;
            for (size_t i = 0; i < set.d.picture_count; i++) {
                low = fmin(low, (double)scores[s][q * set.d.picture_count + i]);
                high = fmax(high, (double)scores[s][q * set.d.picture_count + i]);
            }
            assert_true(high - low > 1e-3);
        }
}

static void every_pair(void **state)
{
    (void)state;
    laip_evaluation e = evaluated(18, false, 2), more = evaluated(1000, false, 2);
    ties = 0;
    assert_int_equal(e.pairs, e.queries * e.gallery);
    for (size_t q = 0; q < e.queries; q++)
        check_order(&e, q, 0, e.gallery, rerank_of);
    assert_true(ties >= 2 * e.queries);
    assert_metrics(e.rerank, of_ranking(&e));
    assert_memory_equal(e.ranking, more.ranking, e.queries * e.gallery * sizeof *e.ranking);
    assert_memory_equal(e.score, more.score, e.queries * e.gallery * sizeof *e.score);
    assert_int_equal(more.pairs, e.pairs);
    laip_evaluation_free(&e);
    laip_evaluation_free(&more);
}

/* The k best by features are ranked anew, the rest keep their order behind them. */
static void k_best(void **state)
{
    (void)state;
    laip_evaluation before = evaluated(0, false, 2);
    for (size_t k = 1; k < 8; k += 3) {
        laip_evaluation e = evaluated(k, false, 2);
        assert_int_equal(e.pairs, k * e.queries);
        for (size_t q = 0; q < e.queries; q++) {
            const int32_t *a = before.ranking + q * e.gallery, *b = e.ranking + q * e.gallery;
            check_order(&e, q, 0, k, rerank_of);
            for (size_t i = 0; i < k; i++) {
                size_t found = 0;
                for (size_t j = 0; j < k; j++)
                    found += a[j] == b[i];
                assert_int_equal(found, 1);
            }
            assert_memory_equal(a + k, b + k, (e.gallery - k) * sizeof *a);
            check_order(&e, q, k, e.gallery, retrieval_of);
        }
        assert_metrics(e.retrieval, before.retrieval);
        assert_metrics(e.rerank, of_ranking(&e));
        laip_evaluation_free(&e);
    }
    laip_evaluation_free(&before);
}

/* The order by both: the same candidates, other scores; its metrics are told whichever ranking is kept. */
static void both(void **state)
{
    (void)state;
    for (size_t k = 5; k < 30; k += 13) {
        laip_evaluation a = evaluated(k, false, 2), b = evaluated(k, true, 2);
        size_t places = k < b.gallery ? k : b.gallery, moved = 0;
        for (size_t q = 0; q < b.queries; q++) {
            check_order(&b, q, 0, places, fused_of);
            check_order(&b, q, places, b.gallery, retrieval_of);
            moved += a.ranking[q * a.gallery] != b.ranking[q * b.gallery];
        }
        assert_true(moved > 0);
        assert_metrics(b.fused, of_ranking(&b));
        assert_metrics(a.fused, b.fused);
        assert_metrics(a.rerank, b.rerank);
        assert_metrics(a.retrieval, b.retrieval);
        laip_evaluation_free(&a);
        laip_evaluation_free(&b);
    }
}

/* A picture that was kept is matched as one that is encoded again, wherever the room ends. */
static void kept(void **state)
{
    (void)state;
    laip_reranking how = {.k = 6, .weight = weight};
    size_t picture =
        ((size_t)laip_patch_count(&set.model.sizes) + 1) * (size_t)set.model.sizes.width * sizeof(float);
    laip_evaluation none = evaluated(6, false, 2), e;
    laip_error error;
    for (size_t count = 1; count < 40; count += 7) {
        how.image_cache = count * picture + 3;
        assert_ok(laip_evaluate(&set.model, &set.d, &set.texts, how, 2, &alone, &e, &error), error);
        assert_memory_equal(e.ranking, none.ranking, e.queries * e.gallery * sizeof *e.ranking);
        assert_memory_equal(e.score, none.score, e.queries * e.gallery * sizeof *e.score);
        laip_evaluation_free(&e);
    }
    laip_evaluation_free(&none);
}

/* The same bits again, and with another number of threads. */
static void same_again(void **state)
{
    (void)state;
    laip_evaluation a = evaluated(5, false, 1), b = evaluated(5, false, 3);
    size_t n = a.queries * a.gallery;
    assert_memory_equal(a.ranking, b.ranking, n * sizeof *a.ranking);
    assert_memory_equal(a.score, b.score, n * sizeof *a.score);
    laip_evaluation_free(&a);
    laip_evaluation_free(&b);
}

/* A picture that cannot be read is named; so is a split without captions. */
static void refused(void **state)
{
    (void)state;
    laip_error error = {0};
    laip_evaluation e;
    laip_reranking three = {.k = 3};
    char *file = laip_dataset_file(&set.d, 17), *data;
    size_t size;
    assert_ok(laip_file_read(file, &data, &size, &error), error);
    assert_ok(laip_file_write(file, "no picture", 10, &error), error);
    assert_false(laip_evaluate(&set.model, &set.d, &set.texts, three, 2, &alone, &e, &error));
    laip_evaluation_free(&e);
    assert_int_equal(error.status, LAIP_BAD_INPUT);
    assert_non_null(strstr(error.text, set.d.pictures[17].file));
    laip_dataset none = set.d;
    none.caption_count = 0;
    assert_false(laip_evaluate(&set.model, &none, &set.texts, three, 2, &alone, &e, &error));
    laip_evaluation_free(&e);
    assert_int_equal(error.status, LAIP_BAD_INPUT);
    assert_non_null(strstr(error.text, "no captions"));
    assert_ok(laip_file_write(file, data, size, &error), error);
    free(file);
    free(data);
}

static float *read_floats(const laip_safetensors *f, const char *name, size_t rows, size_t cols)
{
    laip_error error;
    const laip_tensor_entry *t = laip_safetensors_find(f, name);
    assert_true(t && t->rank >= 2 && t->shape[0] == rows && t->shape[1] == cols);
    float *values = laip_alloc(t->count, sizeof *values);
    assert_ok(laip_tensor_floats(t, values, &error), error);
    return values;
}

/* What is written for other programs are the numbers of the evaluation. */
static void scores(void **state)
{
    (void)state;
    laip_error error;
    laip_evaluation e;
    laip_safetensors f;
    laip_reranking how = {.k = 4, .weight = weight, .keeps = true};
    char *path = laip_path_join(set.folder, "scores.safetensors");
    assert_ok(laip_evaluate(&set.model, &set.d, &set.texts, how, 2, &alone, &e, &error), error);
    assert_ok(laip_scores_write(path, &e, &set.d, &set.texts, &error), error);
    assert_ok(laip_safetensors_open(&f, path, &error) && laip_safetensors_load(&f, &error), error);
    float *similar = read_floats(&f, "similarities", e.queries, e.gallery),
          *logits = read_floats(&f, "matching_logits", e.queries, 4);
    int32_t *candidates = laip_alloc(e.queries * 4, sizeof *candidates),
            *picture = laip_alloc(e.queries, sizeof *picture);
    assert_ok(laip_tensor_ints(laip_safetensors_find(&f, "candidates"), candidates, &error), error);
    assert_ok(laip_tensor_ints(laip_safetensors_find(&f, "caption_picture"), picture, &error), error);
    for (size_t i = 0; i < e.queries * e.gallery; i++)
        assert_near(similar[i], retrieval_of[i], 2e-5);
    for (size_t i = 0; i < e.queries * 4; i++) {
        assert_near(logits[2 * i + 1], rerank_of[i / 4 * e.gallery + (size_t)candidates[i]], 2e-5);
        assert_int_equal(picture[i / 4], set.d.captions[i / 4].picture);
    }
    assert_non_null(strstr(laip_safetensors_metadata(&f, "pictures"), set.d.pictures[17].file));
    assert_int_equal(laip_safetensors_find(&f, "tokens")->count, set.texts.captions.begin[e.queries]);
    free(similar);
    free(logits);
    free(candidates);
    free(picture);
    free(path);
    laip_safetensors_close(&f);
    laip_evaluation_free(&e);
}

/* Beyond the k best the pictures follow as PyTorch's sort leaves equal scores, in the ranking and in the
 * metrics. */
static void plain_tail(void **state)
{
    (void)state;
    laip_error error;
    laip_evaluation e, before = evaluated(5, false, 2);
    laip_reranking how = {.k = 5, .weight = weight, .plain_tail = true};
    size_t moved = 0;
    assert_ok(laip_evaluate(&set.model, &set.d, &set.texts, how, 2, &alone, &e, &error), error);
    for (size_t q = 0; q < e.queries; q++) {
        const int32_t *have = e.ranking + q * e.gallery, *kept = before.ranking + q * e.gallery;
        size_t sum = 0;
        for (size_t k = 0; k < 5; k++)
            assert_true(e.score[q * e.gallery + k] == before.score[q * e.gallery + k]);
        for (size_t k = 0; k < e.gallery; k++)
            sum += (size_t)have[k];
        assert_int_equal(sum, e.gallery * (e.gallery - 1) / 2);
        for (size_t k = 5; k < e.gallery; k++) {
            assert_true(e.score[q * e.gallery + k] == -100);
            moved += have[k] != kept[k];
        }
    }
    assert_true(moved > e.queries);
    assert_metrics(e.rerank, of_ranking(&e));
    assert_metrics(e.retrieval, before.retrieval);
    assert_true(e.rerank.r1 == before.rerank.r1 && e.rerank.map != before.rerank.map);
    laip_evaluation_free(&e);
    laip_evaluation_free(&before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(retrieval),  cmocka_unit_test(spread),
                                       cmocka_unit_test(every_pair), cmocka_unit_test(k_best),
                                       cmocka_unit_test(both),       cmocka_unit_test(kept),
                                       cmocka_unit_test(same_again), cmocka_unit_test(plain_tail),
                                       cmocka_unit_test(scores),     cmocka_unit_test(refused)};
    return cmocka_run_group_tests(tests, make, drop);
}
