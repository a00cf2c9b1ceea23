#include "support/test.h"

#include "base/memory.h"
#include "phrases/tag_pattern.h"
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"DT", "JJ", "JJR", "NN", "NNS", "CC", ",", "PRP$", "VBN"};
enum { NAMES = sizeof names / sizeof *names };

static uint8_t number(const char *tag, size_t length)
{
    for (uint8_t i = 0; i < NAMES; i++)
        if (strlen(names[i]) == length && memcmp(names[i], tag, length) == 0)
            return i;
    fail_msg("no tag %s", tag);
    return 0;
}

/* Finds the pattern in the tags, divided by blanks; -1 -1 when it is not there. */
static void expect(const char *pattern, const char *tags, int start, int end)
{
    uint8_t input[64];
    size_t count = 0, from, to;
    for (const char *t = tags; *t;) {
        size_t n = strcspn(t, " ");
        input[count++] = number(t, n);
        t += n + (t[n] == ' ');
    }
    laip_error error;
    laip_tag_pattern *p = laip_tag_pattern_compile(pattern, strlen(pattern), names, NAMES, &error);
    assert_ok(p, error);
    void *work = laip_alloc(laip_tag_pattern_work(p, count), 1);
    bool found = laip_tag_pattern_find(p, input, 0, count, work, &from, &to);
    if (found != (start >= 0) || (found && (from != (size_t)start || to != (size_t)end)))
        fail_msg("%s in '%s': found %d [%zu, %zu)", pattern, tags, found, from, to);
    free(work);
    laip_tag_pattern_free(p);
}

static void matches(void **state)
{
    (void)state;
    expect("<DT>?<JJ.*>*<NN.*>+", "DT JJ JJR NN NNS CC", 0, 5);
    expect("<JJ>*<NN>", "DT JJ JJ CC NN", 4, 5);
    expect("<JJ><CC><JJ><NN>", "JJ CC JJ NN", 0, 4);
    expect("(<JJ>(<,>|<CC>))*<JJ><NN>", "DT JJ , JJ CC JJ NN", 1, 7);
    expect("<NN|NNS>", "DT NNS", 1, 2);
    expect("<NN>", "DT NNS", -1, -1);
    expect("<PRP$>", "DT PRP$", 1, 2);
    expect("<PRP\\$>", "DT PRP$", 1, 2);
    expect("<[^J]J>", "JJ", -1, -1);
    expect("<[A-M]J>", "JJ", 0, 1);
    expect("<N.?N?S?>", "JJ NNS", 1, 2);
    expect("<JJ>{2}", "JJ NN JJ JJ JJ", 2, 4);
    expect("<JJ>{2,3}", "JJ JJ JJ JJ", 0, 3);
    expect("<JJ>{2,}<NN>", "JJ NN JJ JJ JJ NN", 2, 6);
    expect("<JJ> | <JJ><NN>", "JJ NN", 0, 1);
    expect("<JJ><NN>|<JJ>", "JJ NN", 0, 2);
    expect("<J(J|K){2,2}R>|<(?:NN){1}S>", "JJR NNS", 1, 2);
    expect("<JJ>*", "NN NN", -1, -1); /* an empty match is none */
    expect("(<JJ>?)*<NN>", "JJ JJ NN", 0, 3);
    expect("<|JJ><NN>", "JJ NN", 0, 2);
    expect("()*(|<JJ>)<NN>", "JJ NN", 0, 2);
    expect("<.*>", "CC", 0, 1);
    expect("<V.N|.>", ", VBN", 0, 1);
}

/* What takes a simple backtracker exponential time. */
static void bounded(void **state)
{
    (void)state;
    expect("(<JJ>*<JJ>*)*(<JJ>|<JJ>)*<NN>",
           "JJ JJ JJ JJ JJ JJ JJ JJ JJ JJ JJ JJ JJ JJ JJ JJ JJ JJ JJ JJ JJ JJ JJ JJ JJ JJ JJ", -1, -1);
}

static void mistakes(void **state)
{
    (void)state;
    static const char *const bad[] = {"<NN",
                                      "NN",
                                      "<NN>>",
                                      "(<NN>",
                                      "<NN>)",
                                      "*<NN>",
                                      "<NN>**",
                                      "<(NN>",
                                      "<N[N>",
                                      "<NN>{",
                                      "<NN>{0}",
                                      "<NN>{3,2}",
                                      "<NN>{1000}",
                                      "<\\d>",
                                      "<NN>{2}{2}",
                                      "<N*+>",
                                      "<*>",
                                      "(<NN>{100}){100}{100}",
                                      "((<NN>{100}){100}){100}"};
    laip_error error;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (laip_tag_pattern_compile(bad[i], strlen(bad[i]), names, NAMES, &error))
            fail_msg("accepted %s", bad[i]);
        assert_int_equal(error.status, LAIP_BAD_INPUT);
        assert_non_null(strstr(error.text, "character"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(matches), cmocka_unit_test(bounded),
                                       cmocka_unit_test(mistakes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
