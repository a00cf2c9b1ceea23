/* Learning a vocabulary: by hand, and against the same rule written plainly, all pairs counted anew for each
 * merge. */
#include "support/test.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "text/tokenizer.h"
#include "text/vocab.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool unknown_in(const laip_tokenizer *t, const char *text)
{
    laip_tokens tokens = {0};
    bool found = false;
    laip_tokenize(t, text, strlen(text), &(laip_tokenize_options){.rule = LAIP_RULE_ALBEF}, &tokens);
    for (size_t i = 0; i < tokens.count; i++)
        found = found || tokens.ids[i] == laip_tokenizer_special(t, LAIP_UNK);
    laip_tokens_free(&tokens);
    return found;
}

static const char *const captions[] = {"The man wears a blue shirt and blue jeans.",
                                       "A woman wears blue shoes", "a man with jeans",
                                       "jeans, shoes and a shirt; blue blue"};

static bool has(char **words, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return false;
}

static void learning(void **state)
{
    (void)state;
    laip_error error;
    char **words, **again;
    size_t count, count2;
    assert_ok(laip_vocab_learn(captions, 4, LAIP_RULE_ALBEF, 60, &words, &count, &error), error);
    assert_true(count <= 60);
    for (int i = 0; i < LAIP_SPECIALS; i++)
        assert_string_equal(words[i], laip_special_names[i]);
    assert_true(has(words, count, "blue") && has(words, count, "jeans"));
    assert_true(has(words, count, "##s") && has(words, count, "b") && !has(words, count, ","));
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(words[i], words[k]);
    /* Any order of the captions gives the same list. */
    const char *const turned[] = {captions[2], captions[3], captions[1], captions[0]};
    assert_ok(laip_vocab_learn(turned, 4, LAIP_RULE_ALBEF, 60, &again, &count2, &error), error);
    assert_int_equal(count, count2);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(words[i], again[i]);
    laip_vocab_free(again, count2);
    /* Every word of the captions can be written with it; saved and read it is the same. */
    char *folder = laip_test_folder("vocab"), *path = laip_path_join(folder, "vocab.txt");
    assert_ok(laip_vocab_save(path, words, count, &error), error);
    laip_tokenizer *t = laip_tokenizer_load(path, &error);
    assert_ok(t, error);
    assert_int_equal(laip_tokenizer_size(t), count);
    for (int i = 0; i < 4; i++)
        assert_false(unknown_in(t, captions[i]));
    laip_tokenizer_free(t);
    laip_vocab_free(words, count);
    /* With no room for all characters the frequent ones stay. */
    assert_ok(laip_vocab_learn(captions, 4, LAIP_RULE_NONE, 8, &words, &count, &error), error);
    assert_int_equal(count, 8);
    assert_true(has(words, count, "##e"));
    laip_vocab_free(words, count);
    assert_false(laip_vocab_learn(captions, 4, LAIP_RULE_NONE, 5, &words, &count, &error));
    remove(path);
    remove(folder);
    free(path);
    free(folder);
}

/* The order of merges on a text small enough to do by hand: "ab" is seen 3 times, then "ab" + "##c" twice. */
static void merges(void **state)
{
    (void)state;
    static const char *const expected[] = {"##b", "##c", "##d", "a", "ab", "abc"};
    const char *const text[] = {"abc abc abd"};
    laip_error error;
    char **words;
    size_t count;
    assert_ok(laip_vocab_learn(text, 1, LAIP_RULE_NONE, 100, &words, &count, &error), error);
    assert_int_equal(count, LAIP_SPECIALS + 6);
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(words[LAIP_SPECIALS + i], expected[i]);
    laip_vocab_free(words, count);
    /* Of pairs seen equally often, the first in byte order, left token before right token. */
    const char *const left[] = {"cd cd ab ab"}, *const right[] = {"ac ac ab ab"};
    assert_ok(laip_vocab_learn(left, 1, LAIP_RULE_NONE, LAIP_SPECIALS + 5, &words, &count, &error), error);
    assert_string_equal(words[count - 1], "ab");
    laip_vocab_free(words, count);
    assert_ok(laip_vocab_learn(right, 1, LAIP_RULE_NONE, LAIP_SPECIALS + 4, &words, &count, &error), error);
    assert_string_equal(words[count - 1], "ab");
    laip_vocab_free(words, count);
}

enum { WORDS = 400, LETTERS = 9, BYTES = 16, CAPACITY = 2000 };

/* The plain learner: words of the letters a to f as lists of tokens. */
typedef struct plain {
    char token[WORDS][LETTERS][BYTES];
    int length[WORDS], words;
    char vocabulary[CAPACITY][BYTES];
    int times[CAPACITY], count;
} plain;

static int place_of(const plain *p, const char *text)
{
    for (int i = 0; i < p->count; i++)
        if (strcmp(p->vocabulary[i], text) == 0)
            return i;
    return -1;
}

static int in_byte_order(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* The most frequent characters, in byte order; words with another one take no part any more. */
static void choose_characters(plain *p, int room)
{
    char kept[CAPACITY][BYTES];
    int n = 0;
    for (int w = 0; w < p->words; w++)
        for (int k = 0; k < p->length[w]; k++) {
            int at = place_of(p, p->token[w][k]);
            if (at < 0)
                strcpy(p->vocabulary[at = p->count++], p->token[w][k]);
            p->times[at]++;
        }
    while (n < room && n < p->count) {
        int best = -1;
        for (int i = 0; i < p->count; i++)
            if (p->times[i] &&
                (best < 0 || p->times[i] > p->times[best] ||
                 (p->times[i] == p->times[best] && strcmp(p->vocabulary[i], p->vocabulary[best]) < 0)))
                best = i;
        strcpy(kept[n++], p->vocabulary[best]);
        p->times[best] = 0;
    }
    qsort(kept, (size_t)n, BYTES, in_byte_order);
    memcpy(p->vocabulary, kept, sizeof kept);
    p->count = n;
    for (int w = 0; w < p->words; w++)
        for (int k = 0; k < p->length[w]; k++)
            if (place_of(p, p->token[w][k]) < 0)
                p->length[w] = 0;
}

static int seen(const plain *p, const char *left, const char *right)
{
    int times = 0;
    for (int w = 0; w < p->words; w++)
        for (int k = 0; k + 1 < p->length[w]; k++)
            times += strcmp(p->token[w][k], left) == 0 && strcmp(p->token[w][k + 1], right) == 0;
    return times;
}

/* The next merge; false when no pair is seen twice. */
static bool merge_best(plain *p)
{
    char left[BYTES], right[BYTES], joined[2 * BYTES];
    int best = 1;
    for (int i = 0; i < p->count; i++)
        for (int j = 0; j < p->count; j++) {
            const char *a = p->vocabulary[i], *b = p->vocabulary[j];
            int times = memcmp(b, "##", 2) == 0 ? seen(p, a, b) : 0, order = best > 1 ? strcmp(a, left) : -1;
            if (order == 0)
                order = strcmp(b, right);
            if (times > best || (times == best && best > 1 && order < 0)) {
                best = times;
                strcpy(left, a);
                strcpy(right, b);
            }
        }
    if (best < 2)
        return false;
    snprintf(joined, sizeof joined, "%s%s", left, right + 2);
    if (place_of(p, joined) < 0)
        strcpy(p->vocabulary[p->count++], joined);
    for (int w = 0; w < p->words; w++)
        for (int k = 0; k + 1 < p->length[w]; k++)
            if (strcmp(p->token[w][k], left) == 0 && strcmp(p->token[w][k + 1], right) == 0) {
                strcpy(p->token[w][k], joined);
                memmove(p->token[w][k + 1], p->token[w][k + 2], (size_t)(--p->length[w] - k - 1) * BYTES);
            }
    return true;
}

/* Captions of random words, most of them of few letters so that pairs come often and tie often. */
static void against_plain(void **state)
{
    (void)state;
    static plain p;
    for (uint64_t draw = 0; draw < 12; draw++) {
        laip_rng r = laip_rng_stream(9, draw, 0, LAIP_SITE_TEST);
        char text[4][1200] = {"", "", "", ""};
        int size = LAIP_SPECIALS + (draw % 3 == 2 ? 4 : 12) + (int)laip_rng_below(&r, 30),
            letters = 2 + (int)draw % 5;
        p = (plain){.words = 40 + (int)laip_rng_below(&r, 80)};
        for (int w = 0; w < p.words; w++) {
            p.length[w] = 1 + (int)laip_rng_below(&r, LETTERS - 1);
            strcat(text[w % 4], " ");
            for (int k = 0; k < p.length[w]; k++) {
                char letter[2] = {(char)('a' + laip_rng_below(&r, (uint32_t)letters)), '\0'};
                snprintf(p.token[w][k], BYTES, "%s%s", k ? "##" : "", letter);
                strcat(text[w % 4], letter);
            }
        }
        choose_characters(&p, size - LAIP_SPECIALS);
        while (p.count < size - LAIP_SPECIALS && merge_best(&p))
            ;
        const char *const captions_of[] = {text[0], text[1], text[2], text[3]};
        laip_error error;
        char **words;
        size_t count;
        assert_ok(laip_vocab_learn(captions_of, 4, LAIP_RULE_NONE, (size_t)size, &words, &count, &error),
                  error);
        assert_int_equal(count, LAIP_SPECIALS + p.count);
        for (int i = 0; i < p.count; i++)
            assert_string_equal(words[LAIP_SPECIALS + i], p.vocabulary[i]);
        laip_vocab_free(words, count);
    }
}

static void nothing_to_learn(void **state)
{
    (void)state;
    const char *const empty[] = {"", "  "};
    laip_error error;
    char **words;
    size_t count;
    assert_ok(laip_vocab_learn(empty, 2, LAIP_RULE_ALBEF, 100, &words, &count, &error), error);
    assert_int_equal(count, LAIP_SPECIALS);
    laip_vocab_free(words, count);
    assert_ok(laip_vocab_learn(NULL, 0, LAIP_RULE_ALBEF, 100, &words, &count, &error), error);
    assert_int_equal(count, LAIP_SPECIALS);
    laip_vocab_free(words, count);
    assert_false(laip_vocab_learn(empty, 2, LAIP_RULE_ALBEF, (size_t)1 << 40, &words, &count, &error));
    assert_int_equal(error.status, LAIP_BAD_INPUT);
    assert_non_null(strstr(error.text, "1099511627776"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(learning), cmocka_unit_test(merges),
                                       cmocka_unit_test(against_plain), cmocka_unit_test(nothing_to_learn)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
