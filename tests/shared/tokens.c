/* WordPiece against the ids that bert-base-uncased's own tokeniser gave. */
#include "support/test.h"

#include "base/file.h"
#include "base/log.h"
#include "text/tokenizer.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static laip_tokenizer *tokenizer;
static json_t *cases;

static char *path_of(const char *name)
{
    static char path[4300];
    snprintf(path, sizeof path, "%s/data/text/%s", laip_test_shared(), name);
    return path;
}

static size_t wrong;

static void compare(const char *text, size_t length, const char *expected, const json_t *c,
                    const laip_tokenize_options *options)
{
    laip_tokens tokens = {0};
    json_t *ids = json_object_get(c, expected);
    laip_tokenize(tokenizer, text, length, options, &tokens);
    bool same = json_array_size(ids) == tokens.count;
    for (size_t i = 0; same && i < tokens.count; i++)
        same = json_integer_value(json_array_get(ids, i)) == tokens.ids[i];
    for (size_t i = 0; i < tokens.count; i++)
        assert_true(tokens.start[i] <= tokens.end[i] && tokens.end[i] <= length);
    if (!same) {
        wrong++;
        print_error("%s differ: %.*s\n", expected, (int)length, text);
    }
    laip_tokens_free(&tokens);
}

static void ids(void **state)
{
    (void)state;
    const laip_tokenize_options plain = {.sep = true}, literal = {.sep = true, .literal_specials = true},
                                albef = {.sep = true, .rule = LAIP_RULE_ALBEF};
    size_t i;
    json_t *c;
    json_array_foreach(cases, i, c)
    {
        json_t *t = json_object_get(c, "text");
        const char *text = json_string_value(t);
        size_t length = json_string_length(t);
        compare(text, length, "ids", c, &plain);
        compare(text, length, "ids_no_special", c, &literal);
        compare(text, length, "pre_caption_ids", c, &albef);
        char *clean = laip_caption_clean(text, length, 0);
        json_t *expected = json_object_get(c, "pre_caption");
        if (memcmp(clean, json_string_value(expected), json_string_length(expected) + 1) != 0) {
            wrong++;
            print_error("cleaned to '%s', not '%s'\n", clean, json_string_value(expected));
        }
        free(clean);
    }
    assert_int_equal(wrong, 0);
    print_message("%zu cases, four results each\n", json_array_size(cases));
}

/* Not a test of time: the speed is printed for whoever reads it. */
static void speed(void **state)
{
    (void)state;
    laip_error error;
    json_t *coco = json_load_file(path_of("coco_person_nltk.json"), JSON_ALLOW_NUL, NULL), *c;
    assert_non_null(coco);
    (void)error;
    laip_tokens tokens = {0};
    const laip_tokenize_options options = {.rule = LAIP_RULE_ALBEF};
    size_t i, done = 0, token_count = 0, bytes = 0;
    double start = laip_seconds();
    for (int repeat = 0; repeat < 20; repeat++)
        json_array_foreach(coco, i, c)
        {
            json_t *text = json_object_get(c, "caption");
            laip_tokenize(tokenizer, json_string_value(text), json_string_length(text), &options, &tokens);
            done++;
            token_count += tokens.count;
            bytes += json_string_length(text);
        }
    double seconds = laip_seconds() - start;
    print_message(
        "%.0f captions a second on one core (%zu captions of %zu bytes and %zu token_count on average)\n",
        (double)done / seconds, done, bytes / done, token_count / done);
    assert_true(token_count > done);
    laip_tokens_free(&tokens);
    json_decref(coco);
}

int main(void)
{
    if (!laip_test_shared()) {
        puts("the folder ../shared is not here");
        return 77;
    }
    laip_error error;
    tokenizer = laip_tokenizer_load(path_of("bert-base-uncased-vocab.txt"), &error);
    json_t *file = json_load_file(path_of("tokenizer_cases.json"), JSON_ALLOW_NUL, NULL);
    if (!tokenizer || !file) {
        print_error("%s\n", tokenizer ? "tokenizer_cases.json cannot be read" : error.text);
        return 1;
    }
    cases = json_object_get(file, "cases");
    const struct CMUnitTest tests[] = {cmocka_unit_test(ids), cmocka_unit_test(speed)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    json_decref(file);
    laip_tokenizer_free(tokenizer);
    return failed;
}
