/* Maps of phrases: the mean over each word masked alone, of sum 1; shares in boxes: all of it in the whole
 * picture, and halves that add up. */
#include "support/test.h"

#include "base/memory.h"
#include "eval/attention.h"
#include "support/device.h"
#include "support/split.h"
#include "synth/family.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static laip_test_split set;
static laip_tokenizer *tokenizer;
static laip_phraser *phraser;
static laip_texts texts;
static laip_attention_reader reader;

static int open_all(void **state)
{
    laip_error error;
    char **words;
    size_t count;
    (void)state;
    if (!laip_test_split_open(&set, &error))
        return -1;
    const char **captions = laip_alloc(set.d.caption_count, sizeof *captions);
    for (size_t i = 0; i < set.d.caption_count; i++)
        captions[i] = set.d.captions[i].text;
    bool good = laip_vocab_learn(captions, set.d.caption_count, LAIP_RULE_ALBEF, 120, &words, &count, &error);
    free(captions);
    tokenizer = good ? laip_tokenizer_from_words((const char *const *)words, count, &error) : NULL;
    phraser = laip_phraser_create(NULL, NULL, laip_default_generic_heads, &error);
    if (!tokenizer || !phraser)
        return -1;
    laip_vocab_free(words, count);
    laip_tokenize_options t = {.rule = LAIP_RULE_ALBEF, .max_tokens = 40};
    laip_texts_make(&texts, &set.d, tokenizer, &t, phraser, 1);
    laip_loss_config loss = laip_loss_config_default();
    loss.bidiratt_layer = 1;
    return laip_attention_reader_open(&reader, &set.model, &loss, &set.d, &texts, tokenizer, &error) ? 0 : -1;
}

static int close_all(void **state)
{
    (void)state;
    laip_attention_reader_close(&reader);
    laip_texts_free(&texts);
    laip_phraser_free(phraser);
    laip_tokenizer_free(tokenizer);
    laip_test_split_close(&set);
    return 0;
}

/* The map of one phrase with one word masked, by itself. */
static void one_word(size_t phrase, int32_t word, float *maps[3])
{
    const laip_token_sequences *p = &texts.phrases;
    size_t first = p->begin[phrase], length = p->begin[phrase + 1] - first;
    int32_t ids[64], target[64], begin[2] = {0, (int32_t)length},
                                 mask = laip_tokenizer_special(tokenizer, LAIP_MASK);
    laip_error error;
    for (size_t k = 0; k < length; k++) {
        bool masked = p->word[first + k] == word;
        ids[k] = masked ? mask : p->ids[first + k];
        target[k] = masked ? p->ids[first + k] : -1;
    }
    assert_ok(
        laip_explain_phrases(&reader.explainer, ids, target, begin, 1, maps[0], maps[1], maps[2], &error),
        error);
}

static void maps_are_means_over_words(void **state)
{
    (void)state;
    laip_error error;
    size_t P = reader.patches;
    float *got = laip_alloc(LAIP_MAPS * P, sizeof *got), *one[3];
    double *want = laip_alloc(P, sizeof *want);
    for (int k = 0; k < 3; k++)
        one[k] = laip_alloc(P, sizeof(float));
    assert_true(texts.phrases.count > 20);
    assert_ok(laip_attention_picture(&reader, 0, &error), error);
    for (size_t phrase = 0; phrase < 8; phrase++) {
        const laip_token_sequences *p = &texts.phrases;
        assert_ok(laip_attention_phrase(&reader, phrase, got, &error), error);
        for (int k = 0; k < LAIP_MAPS; k++) {
            double sum = 0, of_want = 0;
            memset(want, 0, P * sizeof *want);
            for (size_t i = p->begin[phrase]; i < p->begin[phrase + 1]; i++) {
                if (p->word[i] < 0 || (i > p->begin[phrase] && p->word[i - 1] == p->word[i]))
                    continue;
                one_word(phrase, p->word[i], one);
                for (size_t j = 0; j < P; j++)
                    want[j] += fmax((double)one[k][j], 0);
            }
            for (size_t j = 0; j < P; j++) {
                assert_true(got[(size_t)k * P + j] >= 0);
                sum += (double)got[(size_t)k * P + j];
                of_want += want[j];
            }
            assert_true(of_want == 0 ? sum == 0 : fabs(sum - 1) < 1e-5);
            for (size_t j = 0; of_want > 0 && j < P; j++)
                assert_float_equal(got[(size_t)k * P + j], want[j] / of_want, 1e-5);
        }
    }
    for (int k = 0; k < 3; k++)
        free(one[k]);
    free(want);
    free(got);
}

/* Every picture gets the same box for every thing. */
static laip_attention_share share_of(double left, double right)
{
    laip_binding b = {.boxes = laip_alloc(set.d.picture_count * LAIP_BOUNDS * 4, sizeof(double))};
    laip_attention_share shares[LAIP_BOUNDS];
    laip_error error;
    for (size_t i = 0; i < set.d.picture_count; i++) {
        laip_map_set(&b.files, set.d.pictures[i].file, strlen(set.d.pictures[i].file), (int32_t)i);
        for (int t = 0; t < LAIP_BOUNDS; t++)
            memcpy(b.boxes + (i * LAIP_BOUNDS + (size_t)t) * 4, (double[]){left, 0, right, 1},
                   4 * sizeof(double));
    }
    assert_ok(laip_attention_shares(&reader, &b, 6, shares, &error), error);
    laip_binding_free(&b);
    return shares[LAIP_BOUND_LOWER];
}

static void shares(void **state)
{
    (void)state;
    laip_attention_share all = share_of(0, 1), left = share_of(0, 0.3), right = share_of(0.3, 1);
    assert_true(all.phrases > 2);
    assert_int_equal(left.phrases, all.phrases);
    assert_float_equal(all.area, 100, 1e-9);
    assert_float_equal(left.area, 30, 1e-9);
    for (int k = 0; k < LAIP_MAPS; k++) {
        if (all.inside[k] == 0)
            continue; /* a backward map that is nowhere positive */
        assert_true(all.inside[k] <= 100 + 1e-3);
        assert_float_equal(left.inside[k] + right.inside[k], all.inside[k], 1e-3);
    }
    assert_float_equal(all.inside[LAIP_MAP_FORWARD], 100, 1e-3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(maps_are_means_over_words), cmocka_unit_test(shares)};
    return cmocka_run_group_tests(tests, open_all, close_all);
}
