/* A vocabulary, then a caption for it: the bytes up to the first zero byte are vocab.txt, the others are
 * text. */
#include "text/tokenizer.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const laip_tokenizer *t, const laip_tokens *tokens, size_t length)
{
    for (size_t i = 0; i < tokens->count; i++)
        if (!laip_tokenizer_token(t, tokens->ids[i]) || tokens->start[i] > tokens->end[i] ||
            tokens->end[i] > length)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char specials[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
    const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
    size_t split = zero ? (size_t)(zero - data) : size, room = sizeof specials - 1 + split;
    laip_error error;
    laip_tokenizer_free(laip_tokenizer_parse("input", (const char *)data, split, &error));
    /* The same with the specials, so that it can be used. */
    char *vocab = malloc(room);
    memcpy(vocab, specials, sizeof specials - 1);
    if (split)
        memcpy(vocab + sizeof specials - 1, data, split);
    laip_tokenizer *t = laip_tokenizer_parse("input", vocab, room, &error);
    free(vocab);
    if (!t)
        return 0;
    const char *text = (const char *)data + split;
    size_t length = size - split;
    laip_tokens tokens = {0};
    laip_tokenize_options options = {.sep = true};
    laip_tokenize(t, text, length, &options, &tokens);
    check(t, &tokens, length);
    options = (laip_tokenize_options){.rule = LAIP_RULE_ALBEF, .max_words = 5, .max_tokens = 7};
    laip_tokenize(t, text, length, &options, &tokens);
    check(t, &tokens, length);
    laip_tokens_free(&tokens);
    laip_tokenizer_free(t);
    return 0;
}
