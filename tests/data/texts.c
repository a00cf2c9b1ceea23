/* Captions and phrases packed into tokens: what the tokeniser and the phraser give one by one. */
#include "support/test.h"

#include "base/memory.h"
#include "base/str.h"
#include "data/texts.h"
#include <stdlib.h>
#include <string.h>

static const char *const vocabulary[] = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a",     "man",
                                         "woman", "in",    "with",  "red",   "blue",   "shirt", "##s",
                                         "and",   "shoe",  "jeans", "the",   "black",  "."};

static const char *const captions[] = {"A man in a red shirt and blue jeans.", "", "...",
                                       "The woman with black shoes and a bag in the red shirt", "walks"};
enum { CAPTIONS = sizeof captions / sizeof *captions };

static struct {
    laip_tokenizer *tokenizer;
    laip_phraser *phraser;
    laip_dataset d;
} set;

static int make(void **state)
{
    (void)state;
    laip_error error;
    laip_str text = {0};
    for (int i = 0; i < 3 * CAPTIONS; i++) { /* three pictures, the captions three times over */
        if (i % 7 == 0)
            laip_str_addf(&text,
                          "%s{\"id\": %d, \"file_path\": \"%d.png\", \"split\": \"train\", \"captions\": [",
                          i ? "]}, " : "[", i, i);
        laip_str_addf(&text, "%s\"%s\"", i % 7 ? ", " : "", captions[i % CAPTIONS]);
    }
    laip_str_adds(&text, "]}]");
    set.tokenizer = laip_tokenizer_from_words(vocabulary, sizeof vocabulary / sizeof *vocabulary, &error);
    set.phraser = laip_phraser_create(NULL, NULL, NULL, &error);
    bool good = set.tokenizer && set.phraser &&
                laip_dataset_parse(&set.d, "a.json", text.text, text.length, "train", &error);
    if (!good)
        print_error("%s\n", error.text);
    free(text.text);
    return good ? 0 : -1;
}

static int drop(void **state)
{
    (void)state;
    laip_tokenizer_free(set.tokenizer);
    laip_phraser_free(set.phraser);
    laip_dataset_free(&set.d);
    return 0;
}

static void check_sequence(const laip_token_sequences *p, size_t i, const char *text, size_t length,
                           const laip_tokenize_options *o)
{
    laip_tokens tokens = {0};
    laip_tokenize(set.tokenizer, text, length, o, &tokens);
    assert_true(i < p->count);
    assert_int_equal(p->begin[i + 1] - p->begin[i], tokens.count);
    assert_memory_equal(p->ids + p->begin[i], tokens.ids, tokens.count * sizeof *tokens.ids);
    assert_memory_equal(p->word + p->begin[i], tokens.word, tokens.count * sizeof *tokens.word);
    assert_true(p->longest >= tokens.count);
    laip_tokens_free(&tokens);
}

static size_t check_phrases(const laip_texts *t, size_t caption, const laip_tokenize_options *o)
{
    const char *text = set.d.captions[caption].text;
    laip_spans spans = {0};
    size_t at = t->first_phrase[caption];
    laip_phrases(set.phraser, text, strlen(text), &spans);
    for (size_t k = 0; k < spans.count; k++)
        check_sequence(&t->phrases, at++, text + spans.start[k], spans.end[k] - spans.start[k], o);
    assert_int_equal(at, t->first_phrase[caption + 1]);
    laip_spans_free(&spans);
    return at;
}

static void packed(void **state)
{
    (void)state;
    for (int sep = 0; sep < 2; sep++)
        for (int threads = 1; threads < 5; threads += 3) {
            laip_tokenize_options o = {.rule = LAIP_RULE_ALBEF, .sep = sep};
            laip_texts t;
            laip_texts_make(&t, &set.d, set.tokenizer, &o, set.phraser, threads);
            assert_int_equal(t.captions.count, 3 * CAPTIONS);
            assert_int_equal(t.captions.begin[0], 0);
            assert_int_equal(t.first_phrase[0], 0);
            size_t all = 0;
            for (size_t i = 0; i < 3 * CAPTIONS; i++) {
                check_sequence(&t.captions, i, captions[i % CAPTIONS], strlen(captions[i % CAPTIONS]), &o);
                all = check_phrases(&t, i, &o);
            }
            assert_int_equal(all, t.phrases.count);
            assert_true(all > 3 * 4);
            assert_int_equal(t.captions.begin[2] - t.captions.begin[1], 1 + sep); /* an empty one is [CLS] */
            assert_int_equal(t.cut, 0);
            laip_texts_free(&t);
        }
}

/* The longest is the longest, and those that are cut are counted. */
static void cut(void **state)
{
    (void)state;
    laip_tokenize_options o = {.rule = LAIP_RULE_ALBEF, .max_tokens = 6};
    laip_texts t;
    laip_texts_make(&t, &set.d, set.tokenizer, &o, set.phraser, 2);
    size_t longest = 0, longest_phrase = 0;
    for (size_t i = 0; i < t.captions.count; i++)
        if (t.captions.begin[i + 1] - t.captions.begin[i] > longest)
            longest = t.captions.begin[i + 1] - t.captions.begin[i];
    for (size_t i = 0; i < t.phrases.count; i++)
        if (t.phrases.begin[i + 1] - t.phrases.begin[i] > longest_phrase)
            longest_phrase = t.phrases.begin[i + 1] - t.phrases.begin[i];
    assert_int_equal(longest, 6);
    assert_int_equal(t.captions.longest, 6);
    assert_int_equal(t.phrases.longest, longest_phrase);
    assert_int_equal(t.cut, 2 * 3);
    laip_texts_free(&t);
}

/* Without a phraser there are no phrases, and a phrase without a token of its own is none. */
static void no_phrases(void **state)
{
    (void)state;
    laip_tokenize_options o = {.rule = LAIP_RULE_ALBEF}, one = {.rule = LAIP_RULE_ALBEF, .max_tokens = 1},
                          two = {.rule = LAIP_RULE_ALBEF, .max_tokens = 2, .sep = true};
    const laip_tokenize_options *const options[] = {&o, &one, &two};
    for (int k = 0; k < 3; k++) {
        laip_texts t;
        laip_texts_make(&t, &set.d, set.tokenizer, options[k], k ? set.phraser : NULL, 2);
        assert_int_equal(t.captions.count, 3 * CAPTIONS);
        assert_int_equal(t.phrases.count, 0);
        for (size_t i = 0; i <= 3 * CAPTIONS; i++)
            assert_int_equal(t.first_phrase[i], 0);
        laip_texts_free(&t);
        assert_null(t.captions.ids);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(packed), cmocka_unit_test(cut),
                                       cmocka_unit_test(no_phrases)};
    return cmocka_run_group_tests(tests, make, drop);
}
