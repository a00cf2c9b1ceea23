/* A chunk grammar, a zero byte, a caption: the phrases of our tagger. */
#include "phrases/phrases.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(laip_phraser *p, const char *text, size_t length)
{
    laip_spans spans = {0};
    laip_phrases(p, text, length, &spans);
    for (size_t i = 0; i < spans.count; i++)
        if (spans.start[i] >= spans.end[i] || spans.end[i] > length ||
            (i && spans.start[i] < spans.end[i - 1]))
            abort();
    laip_spans_free(&spans);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static laip_phraser *ours;
    laip_error error;
    if (!ours)
        ours = laip_phraser_create(NULL, NULL, "man", &error);
    const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
    size_t split = zero ? (size_t)(zero - data) : 0;
    use(ours, (const char *)data + split, size - split);
    if (!split)
        return 0;
    laip_phraser *p = laip_phraser_create(NULL, (const char *)data, NULL, &error);
    if (p)
        use(p, (const char *)data + split, size - split);
    laip_phraser_free(p);
    return 0;
}
