#include "support/test.h"

#include "base/yaml.h"
#include <stdlib.h>
#include <string.h>

static laip_yaml parsed(const char *text)
{
    laip_yaml y;
    laip_error error;
    assert_ok(laip_yaml_parse("a.yaml", text, strlen(text), &y, &error), error);
    return y;
}

/* text must be refused with a line that begins so and contains this. */
static void refused(const char *text, size_t length, const char *begins, const char *contains)
{
    laip_yaml y;
    laip_error error = {0};
    assert_false(laip_yaml_parse("a.yaml", text, length, &y, &error));
    assert_int_equal(error.status, LAIP_BAD_INPUT);
    if (strncmp(error.text, begins, strlen(begins)) != 0 || !strstr(error.text, contains))
        fail_msg("'%s' does not begin with '%s' and contain '%s'", error.text, begins, contains);
}

static void places(void **state)
{
    (void)state;
    laip_yaml y = parsed("# a comment\na: 1\nb:\n  - x\n  - {c: 'true', d: [1, 2]}\n");
    const laip_yaml_node *b = laip_yaml_find(y.root, "b");
    assert_int_equal(b->kind, LAIP_YAML_SEQUENCE);
    assert_int_equal(b->count, 2);
    assert_int_equal(b->items[1]->line, 5);
    assert_int_equal(b->items[1]->column, 5);
    const laip_yaml_node *c = laip_yaml_find(b->items[1], "c");
    assert_true(c->quoted);
    assert_string_equal(c->text, "true");
    assert_int_equal(laip_yaml_find(b->items[1], "d")->count, 2);
    assert_null(laip_yaml_find(y.root, "c"));
    assert_string_equal(c->file, "a.yaml");
    laip_yaml_free(&y);
    y = parsed("# nothing\n");
    assert_int_equal(y.root->kind, LAIP_YAML_MAPPING);
    assert_int_equal(y.root->count, 0);
    laip_yaml_free(&y);
}

static void values(void **state)
{
    (void)state;
    laip_yaml y =
        parsed("i: 65_536\nn: -1.5e-3\ny: Yes\nf: off\ns: 12 men\nz: ~\nq: \"7\"\nbig: 9999999999999999999\n"
               "inf: .inf\nhex: 0x10\nw: 0012\nl: [1]");
    laip_error error;
    int64_t i;
    double n;
    bool b;
    const char *s;
    assert_ok(laip_yaml_integer(laip_yaml_find(y.root, "i"), "i", &i, &error), error);
    assert_int_equal(i, 65536);
    assert_ok(laip_yaml_number(laip_yaml_find(y.root, "n"), "n", &n, &error), error);
    assert_near(n, -0.0015, 1e-12);
    assert_ok(laip_yaml_number(laip_yaml_find(y.root, "i"), "i", &n, &error), error);
    assert_near(n, 65536, 0);
    assert_ok(laip_yaml_boolean(laip_yaml_find(y.root, "y"), "y", &b, &error), error);
    assert_true(b);
    assert_ok(laip_yaml_boolean(laip_yaml_find(y.root, "f"), "f", &b, &error), error);
    assert_false(b);
    assert_ok(laip_yaml_string(laip_yaml_find(y.root, "s"), "s", &s, &error), error);
    assert_string_equal(s, "12 men");
    assert_ok(laip_yaml_string(laip_yaml_find(y.root, "z"), "z", &s, &error), error);
    assert_string_equal(s, "");
    assert_true(laip_yaml_is_null(laip_yaml_find(y.root, "z")));
    assert_ok(laip_yaml_integer(laip_yaml_find(y.root, "w"), "w", &i, &error), error);
    assert_int_equal(i, 12);
    for (const char *const *k = (const char *const[]){"n", "y", "s", "z", "q", "big", "hex", "l", NULL}; *k;
         k++)
        assert_false(laip_yaml_integer(laip_yaml_find(y.root, *k), *k, &i, &error));
    assert_string_equal(error.text, "a.yaml:12:4: l is a list, expected an integer");
    assert_false(laip_yaml_number(laip_yaml_find(y.root, "inf"), "inf", &n, &error));
    assert_string_equal(error.text, "a.yaml:9:6: inf is '.inf', expected a number");
    assert_false(laip_yaml_boolean(laip_yaml_find(y.root, "q"), "q", &b, &error));
    assert_false(laip_yaml_string(laip_yaml_find(y.root, "l"), "l", &s, &error));
    laip_yaml_free(&y);
}

static void broken(void **state)
{
    (void)state;
    const struct {
        const char *text, *begins, *contains;
    } cases[] = {
        {"a: [1, 2", "a.yaml:", "expected"},
        {"a: 1\n b: 2\n", "a.yaml:2:", "mapping"},
        {"a: 1\nb: 2\na: 3\n", "a.yaml:3:1: ", "'a' is named twice, first in line 1"},
        {"a: &x 1\nb: *x\n", "a.yaml:1:4: ", "anchors"},
        {"b: *x\n", "a.yaml:1:4: ", "aliases"},
        {"b: !!python/object 1\n", "a.yaml:1:4: ", "tags"},
        {"? [1, 2]\n: 3\n", "a.yaml:1:", "key"},
        {"a: 1\n---\nb: 2\n", "a.yaml:2:1: ", "second document"},
        {"a: \"\\0\"\n", "a.yaml:1:4: ", "zero byte"},
        {"\tb: 1\n", "a.yaml:1:", "token"},
        {"a: \xff\xfe\n", "a.yaml: byte 3: ", "UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refused(cases[i].text, strlen(cases[i].text), cases[i].begins, cases[i].contains);
    char deep[100];
    memset(deep, '[', sizeof deep);
    refused(deep, sizeof deep, "a.yaml:1:", "nested too deeply");
    laip_yaml y;
    laip_error error;
    assert_false(laip_yaml_read("no/such.yaml", &y, &error));
    assert_int_equal(error.status, LAIP_BAD_INPUT);
    assert_non_null(strstr(error.text, "no/such.yaml"));
}

/* What laip_yaml_add_string writes reads back as the same string, alone and inside a list. */
static void strings_return(void **state)
{
    (void)state;
    const char *const texts[] = {"",
                                 "plain",
                                 "true",
                                 "null",
                                 "~",
                                 "12",
                                 "a b",
                                 "a: b",
                                 "#no",
                                 "a\"b\\c",
                                 "tab\there",
                                 "line\nend\n",
                                 "bell\a\x7f",
                                 "caf\xc3\xa9",
                                 "\xc2\x85\xe2\x80\xa8\xe2\x80\xa9",
                                 "\xef\xbb\xbf",
                                 "<DT>?<JJ.*>*<NN.*>+",
                                 "NP: {<NN>}",
                                 "-",
                                 "- a",
                                 "{a}",
                                 "a,b",
                                 " x ",
                                 "%d",
                                 "@x",
                                 "./data",
                                 "=",
                                 "<<"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        laip_str s = {0};
        laip_str_adds(&s, "a: ");
        laip_yaml_add_string(&s, texts[i]);
        laip_str_adds(&s, "\nb: [");
        laip_yaml_add_string(&s, texts[i]);
        laip_str_adds(&s, "]\n");
        laip_yaml y = parsed(s.text);
        assert_string_equal(laip_yaml_find(y.root, "a")->text, texts[i]);
        const laip_yaml_node *b = laip_yaml_find(y.root, "b");
        assert_int_equal(b->count, 1);
        assert_string_equal(b->items[0]->text, texts[i]);
        assert_false(*texts[i] && laip_yaml_is_null(b->items[0]));
        laip_yaml_free(&y);
        free(s.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(places), cmocka_unit_test(values),
                                       cmocka_unit_test(broken), cmocka_unit_test(strings_return)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
