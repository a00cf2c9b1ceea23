/* An evaluation whose matching is shared out among ranks: all of them get what one alone would have. */
#include "support/ranks.h"

#include "eval/evaluate.h"
#include "support/device.h"
#include "support/split.h"
#include <string.h>

static const laip_ranks alone = {.size = 1};

static void same_result(void **state)
{
    (void)state;
    laip_error error;
    laip_test_split s;
    assert_ok(laip_test_split_open(&s, &error), error);
    for (size_t k = 0; k < 20; k = 2 * k + 4) { /* 0, 4, 12 of 18 pictures */
        laip_evaluation one, many;
        laip_reranking how = {k, k > 8, 0.5f, false, false, k > 8 ? 1 << 20 : 0};
        assert_ok(laip_evaluate(&s.model, &s.d, &s.texts, how, 1, &alone, &one, &error), error);
        assert_ok(laip_evaluate(&s.model, &s.d, &s.texts, how, 1, &laip_test_ranks, &many, &error), error);
        size_t n = one.queries * one.gallery;
        assert_memory_equal(one.ranking, many.ranking, n * sizeof *one.ranking);
        assert_memory_equal(one.score, many.score, n * sizeof *one.score);
        assert_memory_equal(&one.retrieval, &many.retrieval, sizeof one.retrieval);
        assert_memory_equal(&one.rerank, &many.rerank, sizeof one.rerank);
        assert_memory_equal(&one.fused, &many.fused, sizeof one.fused);
        assert_true(many.pairs == one.pairs && one.pairs == k * one.queries);
        laip_evaluation_free(&one);
        laip_evaluation_free(&many);
    }
    laip_test_split_close(&s);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_result)};
    int status = laip_test_run_ranks(argc, argv, tests, sizeof tests / sizeof *tests);
    laip_test_device_close();
    return status;
}
