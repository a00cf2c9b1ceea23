/* Phrases of the default tagger and grammar against phrases that people marked. */
#include "support/test.h"

#include "base/log.h"
#include "phrases/phrases.h"
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static json_t *captions;

/* Words as the gold file counts them: a hyphen divides. */
static size_t word_count(const char *text, size_t length)
{
    size_t count = 1;
    for (size_t i = 0; i < length; i++)
        count += text[i] == ' ' || text[i] == '-';
    return count;
}

static bool is_gold(const json_t *phrases, size_t start, size_t end)
{
    size_t i;
    json_t *g;
    json_array_foreach(phrases, i, g)
    {
        if ((size_t)json_integer_value(json_object_get(g, "start")) == start &&
            (size_t)json_integer_value(json_object_get(g, "end")) == end)
            return true;
    }
    return false;
}

static void f1(void **state)
{
    (void)state;
    laip_error error;
    laip_phraser *p = laip_phraser_create(NULL, NULL, NULL, &error);
    assert_ok(p, error);
    laip_spans spans = {0};
    size_t i, k, gold = 0, found = 0, right = 0;
    json_t *c, *g;
    json_array_foreach(captions, i, c)
    {
        json_t *phrases = json_object_get(c, "phrases"), *caption = json_object_get(c, "caption");
        const char *text = json_string_value(caption);
        json_array_foreach(phrases, k, g) gold += json_integer_value(json_object_get(g, "words")) >= 2;
        laip_phrases(p, text, json_string_length(caption), &spans);
        for (k = 0; k < spans.count; k++)
            if (word_count(text + spans.start[k], spans.end[k] - spans.start[k]) >= 2) {
                found++;
                right += is_gold(phrases, spans.start[k], spans.end[k]); /* these captions are ASCII */
            }
    }
    double f = 2.0 * (double)right / (double)(gold + found);
    print_message("of %zu phrases %zu found, %zu right: F1 %.4f\n", gold, found, right, f);
    assert_true(f >= 0.95);
    laip_spans_free(&spans);
    laip_phraser_free(p);
}

static void speed(const char *tagger)
{
    laip_error error;
    laip_phraser *p = laip_phraser_create(tagger, NULL, NULL, &error);
    assert_ok(p, error);
    laip_spans spans = {0};
    size_t i, done = 0, phrases = 0;
    json_t *c;
    double start = laip_seconds();
    for (int repeat = 0; repeat < 20; repeat++)
        json_array_foreach(captions, i, c)
        {
            json_t *text = json_object_get(c, "caption");
            laip_phrases(p, json_string_value(text), json_string_length(text), &spans);
            done++;
            phrases += spans.count;
        }
    print_message("%s: %.0f captions a second (%.1f phrases each)\n",
                  tagger ? "NLTK's weights" : "built-in tagger", (double)done / (laip_seconds() - start),
                  (double)phrases / (double)done);
    assert_true(phrases > done);
    laip_spans_free(&spans);
    laip_phraser_free(p);
}

static void speeds(void **state)
{
    (void)state;
    char path[4300];
    snprintf(path, sizeof path, "%s/data/text/nltk_tagger", laip_test_shared());
    speed(NULL);
    speed(path);
}

int main(void)
{
    if (!laip_test_shared()) {
        puts("the folder ../shared is not here");
        return 77;
    }
    char path[4300];
    snprintf(path, sizeof path, "%s/data/text/phrases_gold.json", laip_test_shared());
    json_t *file = json_load_file(path, 0, NULL);
    captions = json_object_get(file, "captions");
    const struct CMUnitTest tests[] = {cmocka_unit_test(f1), cmocka_unit_test(speeds)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    json_decref(file);
    return failed;
}
