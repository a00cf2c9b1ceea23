/* Strings that grow, JSON strings, and the nearest word. */
#include "support/test.h"

#include "base/memory.h"
#include "base/str.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static void growing(void **state)
{
    (void)state;
    laip_str s = {0};
    assert_string_equal(laip_str_text(&s), "");
    laip_str_clear(&s);
    assert_string_equal(laip_str_text(&s), "");
    laip_str_add(&s, "", 0);
    assert_string_equal(s.text, "");
    char want[3001];
    for (int i = 0; i < 3000; i++) {
        want[i] = (char)('a' + i % 26);
        laip_str_add(&s, &want[i], 1);
        assert_int_equal(s.text[i + 1], '\0');
    }
    want[3000] = '\0';
    assert_int_equal(s.length, 3000);
    assert_string_equal(s.text, want);
    laip_str_clear(&s);
    laip_str_adds(&s, "a\xc3\xa4");
    laip_str_add(&s, "x\0y", 3); /* bytes are bytes */
    assert_int_equal(s.length, 6);
    assert_memory_equal(s.text, "a\xc3\xa4x\0y", 7);
    free(s.text);
}

static void formatted(void **state)
{
    (void)state;
    laip_str s = {0};
    char *lots = laip_alloc(5001, 1), *want = laip_alloc(5020, 1);
    memset(lots, '=', 5000);
    laip_str_addf(&s, "%d:%s", 7, "");
    laip_str_addf(&s, "%s", "");
    assert_string_equal(s.text, "7:");
    laip_str_addf(&s, "%s|%.2f", lots, 0.125); /* longer than any room so far */
    snprintf(want, 5020, "7:%s|0.12", lots);
    assert_string_equal(s.text, want);
    assert_int_equal(s.length, strlen(want));
    free(lots);
    free(want);
    free(s.text);
}

/* What is written as a JSON string reads back the same, alone. */
static void json(void **state)
{
    (void)state;
    const char *const texts[] = {
        "", "plain", "a\"b\\c/", "\n\t\r\b\f\x1f\x01\x7f", "caf\xc3\xa9 \xf0\x9f\x98\x80", "\\u0041"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        laip_str s = {0};
        laip_str_add_json(&s, texts[i], strlen(texts[i]));
        json_t *value = json_loadb(s.text, s.length, JSON_DECODE_ANY, NULL);
        assert_non_null(value);
        assert_string_equal(json_string_value(value), texts[i]);
        json_decref(value);
        free(s.text);
    }
    laip_str zero = {0};
    laip_str_add_json(&zero, "a\0b", 3);
    assert_string_equal(zero.text, "\"a\\u0000b\"");
    free(zero.text);
}

static void distances(void **state)
{
    (void)state;
    const struct {
        const char *a, *b;
        size_t edits;
    } cases[] = {{"", "", 0},         {"", "abc", 3},      {"abc", "", 3},    {"kitten", "sitting", 3},
                 {"flaw", "lawn", 2}, {"lr", "min_lr", 4}, {"itc", "itm", 1}, {"ab", "ba", 2},
                 {"same", "same", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(laip_edit_distance(cases[i].a, cases[i].b), cases[i].edits);
        assert_int_equal(laip_edit_distance(cases[i].b, cases[i].a), cases[i].edits);
    }
}

static void nearest(void **state)
{
    (void)state;
    const char *const keys[] = {"batch", "steps", "epochs", "warmup"};
    assert_string_equal(laip_nearest("bacth", keys, 4), "batch");
    assert_string_equal(laip_nearest("epoch", keys, 4), "epochs");
    assert_string_equal(laip_nearest("steps", keys, 4), "steps");
    assert_null(laip_nearest("momentum", keys, 4));
    assert_null(laip_nearest("x", keys, 4));
    assert_null(laip_nearest("steps", keys, 0));
    const char *const equal[] = {"bat", "cat"}; /* of equally near ones the first */
    assert_string_equal(laip_nearest("hat", equal, 2), "bat");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(growing), cmocka_unit_test(formatted),
                                       cmocka_unit_test(json), cmocka_unit_test(distances),
                                       cmocka_unit_test(nearest)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
