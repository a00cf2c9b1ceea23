/* The three files of a perceptron tagger (weights, tagdict, classes), then a text for it, divided by zero
 * bytes. */
#include "phrases/perceptron.h"
#include "phrases/phrases.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *parts[4];
    size_t lengths[4], at = 0;
    for (int i = 0; i < 4; i++) {
        const uint8_t *zero = at < size && i < 3 ? memchr(data + at, 0, size - at) : NULL;
        parts[i] = (const char *)data + at;
        lengths[i] = zero ? (size_t)(zero - data) - at : size - at;
        at = zero ? at + lengths[i] + 1 : size;
    }
    laip_error error;
    laip_json_text weights = {"weights", parts[0], lengths[0]}, tagdict = {"tagdict", parts[1], lengths[1]},
                   classes = {"classes", parts[2], lengths[2]};
    laip_perceptron *p = laip_perceptron_parse(&weights, &tagdict, &classes, &error);
    if (!p)
        return 0;
    laip_spans words = {0};
    laip_english_words(parts[3], lengths[3], &words);
    const char **tokens = calloc(words.count + 1, sizeof *tokens);
    uint32_t *sizes = calloc(words.count + 1, sizeof *sizes);
    uint8_t *tags = calloc(words.count + 1, 1);
    for (size_t i = 0; i < words.count; i++) {
        tokens[i] = parts[3] + words.start[i];
        sizes[i] = words.end[i] - words.start[i];
    }
    const char *const *names;
    laip_perceptron_tag(p, tokens, sizes, words.count, tags);
    for (size_t i = 0; i < words.count; i++)
        if (tags[i] >= laip_perceptron_classes(p, &names))
            abort();
    free(tokens);
    free(sizes);
    free(tags);
    laip_spans_free(&words);
    laip_perceptron_free(p);
    return 0;
}
