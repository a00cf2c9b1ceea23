#include "support/test.h"

#include "base/file.h"
#include "phrases/perceptron.h"
#include "phrases/phrases.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static laip_json_text json(const char *name, const char *text)
{
    return (laip_json_text){name, text, strlen(text)};
}

static const char *const classes = "[\"NN\", \"JJ\", \"DT\", \"CD\"]";

static const char *tag(const laip_perceptron *p, const char *a, const char *b)
{
    static char line[50];
    const char *tokens[2] = {a, b}, *const * names;
    uint32_t lengths[2] = {(uint32_t)strlen(a), (uint32_t)strlen(b)};
    uint8_t tags[2];
    laip_perceptron_classes(p, &names);
    laip_perceptron_tag(p, tokens, lengths, 2, tags);
    snprintf(line, sizeof line, "%s %s", names[tags[0]], names[tags[1]]);
    return line;
}

static laip_perceptron *make(const char *weights, const char *tagdict)
{
    laip_error error;
    laip_json_text w = json("w", weights), t = json("t", tagdict), c = json("c", classes);
    laip_perceptron *p = laip_perceptron_parse(&w, &t, &c, &error);
    assert_ok(p, error);
    return p;
}

/* Every feature decides once, by itself. */
static void features(void **state)
{
    (void)state;
    static const char *const cases[][4] = {
        {"bias", "x", "y", "JJ JJ"},
        {"i suffix red", "x", "Bored", "NN JJ"},
        {"i suffix ed", "x", "ed", "NN JJ"},
        {"i pref1 \xc3\x89", "x", "\xc3\x89p\xc3\xa9", "NN JJ"},
        {"i suffix p\xc3\xa9", "x", "p\xc3\xa9", "NN JJ"},
        {"i-1 tag -START-", "x", "y", "JJ NN"},
        {"i-2 tag -START-", "x", "y", "NN JJ"},
        {"i-2 tag -START2-", "x", "y", "JJ NN"},
        {"i tag+i-2 tag -START- -START2-", "x", "y", "JJ NN"},
        {"i word y", "x", "Y", "NN JJ"},
        {"i-1 tag+i word -START- x", "X", "x", "JJ NN"},
        {"i-1 word -START2-", "x", "y", "JJ NN"},
        {"i-1 suffix T2-", "x", "y", "JJ NN"},
        {"i-2 word -START-", "x", "y", "JJ NN"},
        {"i-2 word -START2-", "x", "y", "NN JJ"},
        {"i+1 word -END-", "x", "y", "NN JJ"},
        {"i+1 suffix ord", "x", "Word", "JJ NN"},
        {"i+2 word -END2-", "x", "y", "NN JJ"},
        {"i word !YEAR", "1999", "199", "JJ NN"},
        {"i word !DIGITS", "1999", "199a", "NN JJ"},
        {"i word !HYPHEN", "-a", "a-b", "NN JJ"},
        {"i pref1 ", "", "y", "JJ NN"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char weights[200];
        snprintf(weights, sizeof weights, "{\"%s\": {\"JJ\": 1}, \"i-1 tag none\": {\"DT\": 9}}",
                 cases[i][0]);
        laip_perceptron *p = make(weights, "{}");
        if (strcmp(tag(p, cases[i][1], cases[i][2]), cases[i][3]) != 0)
            fail_msg("%s: %s", cases[i][0], tag(p, cases[i][1], cases[i][2]));
        laip_perceptron_free(p);
    }
}

/* Sums, the dictionary first, the tags before, and of equal sums the last name. */
static void decisions(void **state)
{
    (void)state;
    laip_perceptron *p = make(
        "{\"bias\": {\"JJ\": 1.5, \"XX\": 100}, \"i word x\": {\"DT\": 1.0}, \"i suffix x\": {\"DT\": 0.5},"
        " \"i-1 tag CD\": {\"NN\": 2}}",
        "{\"two\": \"CD\"}");
    assert_string_equal(tag(p, "two", "y"), "CD NN");
    assert_string_equal(tag(p, "Two", "x"), "JJ JJ"); /* JJ over DT */
    laip_perceptron_free(p);
    p = make("{}", "{}");
    assert_string_equal(tag(p, "a", "b"), "NN NN");
    laip_perceptron_free(p);
}

static void bad_files(void **state)
{
    (void)state;
    static const char *const bad[][4] = {
        {"{", "{}", "[\"NN\"]", "w:1"},
        {"[]", "{}", "[\"NN\"]", "w: expected"},
        {"{\"bias\": 3}", "{}", "[\"NN\"]", "w: feature \"bias\""},
        {"{\"bias\": {\"NN\": \"1\"}}", "{}", "[\"NN\"]", "w: feature \"bias\""},
        {"{}", "{\"a\": 1}", "[\"NN\"]", "t: \"a\""},
        {"{}", "{\"a\": \"JJ\"}", "[\"NN\"]", "t: \"a\""},
        {"{}", "[]", "[\"NN\"]", "t: expected"},
        {"{}", "{}", "[]", "c: 0 tags"},
        {"{}", "{}", "[\"NN\", 2]", "c: entry 1"},
        {"{}", "{}", "{}", "c: expected"},
    };
    laip_error error;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        laip_json_text w = json("w", bad[i][0]), t = json("t", bad[i][1]), c = json("c", bad[i][2]);
        assert_null(laip_perceptron_parse(&w, &t, &c, &error));
        assert_int_equal(error.status, LAIP_BAD_INPUT);
        if (!strstr(error.text, bad[i][3]))
            fail_msg("%s has no %s", error.text, bad[i][3]);
    }
    assert_null(laip_tagger_create("no/such/folder", &error));
    assert_non_null(strstr(error.text, "no/such/folder"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(features), cmocka_unit_test(decisions),
                                       cmocka_unit_test(bad_files)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
