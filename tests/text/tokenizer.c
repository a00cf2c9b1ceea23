#include "support/test.h"

#include "base/file.h"
#include "text/tokenizer.h"
#include "text/vocab.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const vocabulary[] = {"[PAD]",
                                         "[UNK]",
                                         "[CLS]",
                                         "[SEP]",
                                         "[MASK]",
                                         "a",
                                         "red",
                                         "shirt",
                                         "##s",
                                         "##less",
                                         "sleeve",
                                         ".",
                                         ",",
                                         "-",
                                         "t",
                                         "cafe",
                                         "[",
                                         "]",
                                         "mask",
                                         "\xe4\xba\xba",
                                         "##e",
                                         "his",
                                         "jacket",
                                         "<",
                                         ">",
                                         "person",
                                         "x\xf0\x9d\x85\xa5\xe3\x80\xae",
                                         "!"};
enum { COUNT = sizeof vocabulary / sizeof *vocabulary };

static laip_tokenizer *make(void)
{
    laip_error error;
    laip_tokenizer *t = laip_tokenizer_from_words(vocabulary, COUNT, &error);
    assert_ok(t, error);
    return t;
}

/* The tokens of text joined by blanks. */
static const char *token_texts(const laip_tokenizer *t, const char *text,
                               const laip_tokenize_options *options)
{
    static char line[2000];
    laip_tokens tokens = {0};
    laip_tokenize(t, text, strlen(text), options, &tokens);
    line[0] = 0;
    for (size_t i = 0; i < tokens.count; i++) {
        strcat(line, i ? " " : "");
        strcat(line, laip_tokenizer_token(t, tokens.ids[i]));
    }
    laip_tokens_free(&tokens);
    return line;
}

static void longest_tokens(void **state)
{
    (void)state;
    laip_tokenizer *t = make();
    const laip_tokenize_options sep = {.sep = true};
    assert_string_equal(token_texts(t, "A red T-Shirt, sleeveless.", NULL),
                        "[CLS] a red t - shirt , sleeve ##less .");
    assert_string_equal(token_texts(t, "shirts", &sep), "[CLS] shirt ##s [SEP]");
    assert_string_equal(token_texts(t, "shirtx red", NULL), "[CLS] [UNK] red");
    assert_string_equal(token_texts(t, "", &sep), "[CLS] [SEP]");
    assert_string_equal(token_texts(t, " \t\r\n", NULL), "[CLS]");
    assert_string_equal(token_texts(t,
                                    "a\xe4\xba\xba"
                                    "a",
                                    NULL),
                        "[CLS] a \xe4\xba\xba a");
    assert_string_equal(token_texts(t, "CAF\xc3\x89 cafe\xcc\x81", NULL), "[CLS] cafe cafe");
    assert_string_equal(token_texts(t,
                                    "r\xc2\xad"
                                    "ed\x01\xff shirt",
                                    NULL),
                        "[CLS] red shirt");
    /* Unicode 8's classes: a mark and a full stop younger than that are part of their words. */
    assert_string_equal(token_texts(t, "a\xe0\xbf\x86 red\xf0\x91\x87\x89 a\xcd\xbe", NULL),
                        "[CLS] a red [UNK] a [UNK]");
    /* Combining signs that stay are put in their canonical order. */
    assert_string_equal(token_texts(t, "X\xe3\x80\xae\xf0\x9d\x85\xa5", NULL),
                        "[CLS] x\xf0\x9d\x85\xa5\xe3\x80\xae");
    assert_string_equal(token_texts(t, "red\xe0\xab\xbb red\xe2\xb9\x83", NULL), "[CLS] [UNK] [UNK]");
    laip_tokenizer_free(t);
}

/* Tokens that begin alike: the longest is taken, at the beginning of a word and inside, and there is no way
 * back from it. */
static void nested_tokens(void **state)
{
    (void)state;
    static const char *const words[] = {"[PAD]", "[UNK]", "[CLS]",   "[SEP]", "[MASK]", "un",
                                        "una",   "unaf",  "##f",     "##fab", "##fa",   "##able",
                                        "##le",  "##a",   "##fable", "ab",    "abc",    "##cd"};
    laip_error error;
    laip_tokenizer *t = laip_tokenizer_from_words(words, sizeof words / sizeof *words, &error);
    assert_ok(t, error);
    assert_string_equal(token_texts(t, "unaffable", NULL), "[CLS] unaf ##fable");
    assert_string_equal(token_texts(t, "unfab", NULL), "[CLS] un ##fab");
    assert_string_equal(token_texts(t, "unfafable", NULL), "[CLS] un ##fa ##fable");
    assert_string_equal(token_texts(t, "unaa", NULL), "[CLS] una ##a");
    assert_string_equal(token_texts(t, "abc ab", NULL), "[CLS] abc ab");
    assert_string_equal(token_texts(t, "abcd", NULL), "[CLS] [UNK]"); /* not ab ##cd */
    laip_tokenizer_free(t);
}

static void specials_in_text(void **state)
{
    (void)state;
    laip_tokenizer *t = make();
    const laip_tokenize_options literal = {.literal_specials = true}, albef = {.rule = LAIP_RULE_ALBEF};
    assert_string_equal(token_texts(t, "red[MASK]s [mask] [", NULL), "[CLS] red [MASK] [UNK] [ mask ] [");
    assert_string_equal(token_texts(t, "red[MASK]", &literal), "[CLS] red [ mask ]");
    assert_string_equal(token_texts(t, "red [MASK]", &albef), "[CLS] red [ mask ]");
    laip_tokenizer_free(t);
}

static void word_of_100_characters(void **state)
{
    (void)state;
    laip_tokenizer *t = make();
    char text[300] = "sleeve";
    for (size_t i = 6; i < 100; i++)
        text[i] = 's';
    laip_tokens tokens = {0};
    laip_tokenize(t, text, 100, NULL, &tokens);
    assert_int_equal(tokens.count, 1 + 1 + 94);
    assert_int_equal(tokens.end[tokens.count - 1], 100);
    text[100] = 's';
    laip_tokenize(t, text, 101, NULL, &tokens);
    assert_int_equal(tokens.count, 2);
    assert_int_equal(tokens.ids[1], laip_tokenizer_special(t, LAIP_UNK));
    assert_int_equal(tokens.end[1], 101);
    laip_tokens_free(&tokens);
    laip_tokenizer_free(t);
}

static void expect_place(const laip_tokens *t, size_t i, int32_t word, size_t start, size_t end)
{
    assert_int_equal(t->word[i], word);
    assert_int_equal(t->start[i], start);
    assert_int_equal(t->end[i], end);
}

/* Places are bytes of the text as given, whatever was cleaned away. */
static void places(void **state)
{
    (void)state;
    laip_tokenizer *t = make();
    laip_tokens tokens = {0};
    const char *text = " Shirts, (caf\xc3\xa9)  Jacket.His";
    laip_tokenize(t, text, strlen(text), &(laip_tokenize_options){.sep = true}, &tokens);
    expect_place(&tokens, 0, -1, 0, 0);
    expect_place(&tokens, 1, 0, 1, 6);   /* shirt */
    expect_place(&tokens, 2, 0, 6, 7);   /* ##s */
    expect_place(&tokens, 3, 1, 7, 8);   /* , */
    expect_place(&tokens, 4, 2, 9, 10);  /* ( */
    expect_place(&tokens, 5, 3, 10, 15); /* café */
    expect_place(&tokens, tokens.count - 1, -1, strlen(text), strlen(text));
    laip_tokenize(t, text, strlen(text), &(laip_tokenize_options){.rule = LAIP_RULE_ALBEF}, &tokens);
    assert_int_equal(tokens.count, 6);
    expect_place(&tokens, 1, 0, 1, 6);
    expect_place(&tokens, 2, 0, 6, 7);
    expect_place(&tokens, 3, 1, 10, 15);
    expect_place(&tokens, 4, 2, 18, 24);
    expect_place(&tokens, 5, 3, 25, 28);
    laip_tokens_free(&tokens);
    laip_tokenizer_free(t);
}

static void cutting(void **state)
{
    (void)state;
    laip_tokenizer *t = make();
    laip_tokens tokens = {0};
    const char *text = "a red shirts sleeveless jacket";
    laip_tokenize_options o = {.max_tokens = 4, .sep = true};
    assert_string_equal(token_texts(t, text, &o), "[CLS] a red [SEP]");
    o.sep = false;
    assert_string_equal(token_texts(t, text, &o), "[CLS] a red shirt");
    laip_tokenize(t, text, strlen(text), &o, &tokens);
    assert_int_equal(tokens.cut, 4);
    o.max_tokens = 8;
    laip_tokenize(t, text, strlen(text), &o, &tokens);
    assert_int_equal(tokens.count, 8);
    assert_int_equal(tokens.cut, 0);
    o = (laip_tokenize_options){.rule = LAIP_RULE_ALBEF, .max_words = 3};
    assert_string_equal(token_texts(t, text, &o), "[CLS] a red shirt ##s");
    laip_tokenize(t, text, strlen(text), &o, &tokens);
    assert_int_equal(tokens.cut_words, 2);
    laip_tokens_free(&tokens);
    laip_tokenizer_free(t);
}

static void caption_rule(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"A Long-sleeved,\"red\" T/Shirt!  (new)", "a long sleevedred t shirt new"},
        {"the <person> wears\n\na hat. ", "the person wears a hat"},
        {"a blue jacket.His shirt", "a blue jacket his shirt"},
        {"a blue jacket.he has", "a blue jacket he has"},
        {"black shoes.A bag", "black shoes a bag"},
        {"a.b.c. e.g.so U.S.A.", "abc egso usa"},
        {"an NBA.T shirt", "an nbat shirt"},
        {"see http://example.com/x or me@site.org", "see http examplecom x or me@siteorg"},
        {"size 8.5 .NET", "size 85 net"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *clean = laip_caption_clean(cases[i][0], strlen(cases[i][0]), 0);
        assert_string_equal(clean, cases[i][1]);
        free(clean);
    }
    char *clean = laip_caption_clean("one two three", 13, 2);
    assert_string_equal(clean, "one two");
    free(clean);
    /* Each stray byte grows. */
    char stray[64];
    memset(stray, 0xff, sizeof stray);
    clean = laip_caption_clean(stray, sizeof stray, 0);
    assert_int_equal(strlen(clean), 3 * sizeof stray);
    free(clean);
}

/* ALBEF's rule to the letter: a full stop is always deleted. */
static void original_rule(void **state)
{
    (void)state;
    const char *const text = "A black jacket.His shoes-are";
    const char *const words[] = {"[PAD]", "[UNK]", "[CLS]",  "[SEP]", "[MASK]", "a",
                                 "black", "##his", "jacket", "his",   "shoes",  "are"};
    laip_error error;
    laip_tokenizer *t = laip_tokenizer_from_words(words, 12, &error);
    laip_tokens tokens = {0};
    const int32_t original[] = {2, 5, 6, 8, 7, 10, 11}, divided[] = {2, 5, 6, 8, 9, 10, 11};
    laip_tokenize_options o = {.rule = LAIP_RULE_ORIGINAL};
    for (int i = 0; i < 2; i++) {
        laip_tokenize(t, text, strlen(text), &o, &tokens);
        assert_int_equal(tokens.count, 7);
        assert_memory_equal(tokens.ids, i ? divided : original, sizeof original);
        assert_int_equal(tokens.start[4], 15); /* of "His" in the caption as it is */
        o.rule = LAIP_RULE_ALBEF;
    }
    laip_tokens_free(&tokens);
    laip_tokenizer_free(t);
}

static void bad_vocabularies(void **state)
{
    (void)state;
    laip_error error;
    assert_null(laip_tokenizer_load("no/such/vocab.txt", &error));
    assert_int_equal(error.status, LAIP_BAD_INPUT);
    assert_non_null(strstr(error.text, "no/such/vocab.txt"));
    const char *text = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nred\n";
    assert_null(laip_tokenizer_parse("v.txt", text, strlen(text), &error));
    assert_non_null(strstr(error.text, "[MASK]"));
    text = "[PAD]\n\xc3(\n";
    assert_null(laip_tokenizer_parse("v.txt", text, strlen(text), &error));
    assert_non_null(strstr(error.text, "v.txt:2"));
}

static void ids_are_lines(void **state)
{
    (void)state;
    laip_error error;
    const char *text = "[UNK]\r\n[MASK] \n\nred\n[SEP]\n[CLS]\n[PAD]\nred";
    laip_tokenizer *t = laip_tokenizer_parse("v.txt", text, strlen(text), &error);
    assert_ok(t, error);
    assert_int_equal(laip_tokenizer_size(t), 8);
    assert_int_equal(laip_tokenizer_special(t, LAIP_UNK), 0);
    assert_int_equal(laip_tokenizer_special(t, LAIP_MASK), 1);
    assert_int_equal(laip_tokenizer_special(t, LAIP_PAD), 6);
    assert_int_equal(laip_tokenizer_id(t, "red"), 7);
    assert_int_equal(laip_tokenizer_id(t, "re"), -1);
    assert_int_equal(laip_tokenizer_id(t, ""), -1);
    assert_string_equal(laip_tokenizer_token(t, 3), "red");
    assert_null(laip_tokenizer_token(t, 8));
    assert_null(laip_tokenizer_token(t, -1));
    laip_tokenizer_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(longest_tokens),   cmocka_unit_test(nested_tokens),
        cmocka_unit_test(specials_in_text), cmocka_unit_test(word_of_100_characters),
        cmocka_unit_test(places),           cmocka_unit_test(cutting),
        cmocka_unit_test(caption_rule),     cmocka_unit_test(original_rule),
        cmocka_unit_test(bad_vocabularies), cmocka_unit_test(ids_are_lines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
