/* The perceptron decoder against NLTK's own tags, with NLTK's weights and tokens. */
#include "support/test.h"

#include "base/log.h"
#include "phrases/phrases.h"
#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { MOST = 400 };

static json_t *captions;
static laip_tagger *tagger;

static void same_as_nltk(void **state)
{
    (void)state;
    size_t i, k, wrong = 0;
    json_t *c, *token;
    double start = laip_seconds();
    json_array_foreach(captions, i, c)
    {
        const char *tokens[MOST], *tags[MOST];
        json_t *list = json_object_get(c, "tokens"), *expected = json_object_get(c, "tags");
        assert_in_range(json_array_size(list), 1, MOST);
        json_array_foreach(list, k, token) tokens[k] = json_string_value(token);
        laip_tagger_tag(tagger, tokens, json_array_size(list), tags);
        for (k = 0; k < json_array_size(list); k++)
            if (strcmp(tags[k], json_string_value(json_array_get(expected, k))) != 0) {
                print_error("caption %zu, %s: %s\n", i, tokens[k], tags[k]);
                wrong++;
            }
    }
    double seconds = laip_seconds() - start;
    assert_int_equal(wrong, 0);
    print_message("%zu captions the same; %.0f captions a second\n", i, (double)i / seconds);
}

int main(void)
{
    if (!laip_test_shared()) {
        puts("the folder ../shared is not here");
        return 77;
    }
    char path[4300];
    laip_error error;
    snprintf(path, sizeof path, "%s/data/text/coco_person_nltk.json", laip_test_shared());
    captions = json_load_file(path, 0, NULL);
    snprintf(path, sizeof path, "%s/data/text/nltk_tagger", laip_test_shared());
    tagger = laip_tagger_create(path, &error);
    if (!captions || !tagger) {
        print_error("%s\n", captions ? error.text : "no captions");
        return 1;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_as_nltk)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    laip_tagger_free(tagger);
    json_decref(captions);
    return failed;
}
