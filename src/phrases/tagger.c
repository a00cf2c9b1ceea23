/* A part-of-speech tagger: ours, or NLTK's perceptron. */
#include "phrases/tagger.h"

#include "phrases/lexicon.h"
#include "phrases/perceptron.h"
#include "phrases/tag_rules.h"
#include <stdlib.h>
#include <string.h>

struct laip_tagger {
    laip_perceptron *perceptron; /* NULL: ours */
    laip_map lexicon;
    const char *const *names;
    size_t name_count;
};

laip_tagger *laip_tagger_create(const char *folder, laip_error *error)
{
    laip_tagger *t = laip_alloc(1, sizeof *t);
    if (!folder) {
        laip_lexicon_build(&t->lexicon);
        t->names = laip_rule_tag_names;
        t->name_count = LAIP_RULE_TAGS;
        return t;
    }
    t->perceptron = laip_perceptron_load(folder, error);
    if (!t->perceptron) {
        laip_tagger_free(t);
        return NULL;
    }
    t->name_count = laip_perceptron_classes(t->perceptron, &t->names);
    return t;
}

void laip_tagger_free(laip_tagger *t)
{
    if (!t)
        return;
    laip_perceptron_free(t->perceptron);
    laip_map_free(&t->lexicon);
    free(t);
}

bool laip_tagger_is_ours(const laip_tagger *t)
{
    return !t->perceptron;
}

size_t laip_tagger_names(const laip_tagger *t, const char *const **names)
{
    *names = t->names;
    return t->name_count;
}

void laip_tagger_run(const laip_tagger *t, const char *const *tokens, const uint32_t *lengths, size_t count,
                     uint8_t *tags)
{
    if (t->perceptron)
        laip_perceptron_tag(t->perceptron, tokens, lengths, count, tags);
    else
        laip_rule_tag(&t->lexicon, tokens, lengths, count, tags);
}

void laip_tagger_tag(const laip_tagger *t, const char *const *tokens, size_t count, const char **tags)
{
    uint32_t *lengths = laip_alloc(count, sizeof *lengths);
    uint8_t *numbers = laip_alloc(count, sizeof *numbers);
    for (size_t i = 0; i < count; i++)
        lengths[i] = (uint32_t)strlen(tokens[i]);
    laip_tagger_run(t, tokens, lengths, count, numbers);
    for (size_t i = 0; i < count; i++)
        tags[i] = t->names[numbers[i]];
    free(lengths);
    free(numbers);
}
