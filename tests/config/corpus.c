/* Where the vocabulary comes from: a checkpoint's text, a file, or the training captions; and splits made
 * into tokens with it. */
#include "support/test.h"

#include "base/file.h"
#include "base/str.h"
#include "config/corpus.h"
#include <stdlib.h>
#include <string.h>

#define SPECIALS "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n"

static char *folder, *annotations, *vocab;

static void write_text(const char *path, const char *text, size_t size)
{
    laip_error error;
    assert_ok(laip_file_write(path, text, size, &error), error);
}

static int make(void **state)
{
    (void)state;
    static const char text[] = "[{\"id\": 1, \"file_path\": \"a.png\", \"split\": \"train\", \"captions\": "
                               "[\"red red red shirts\"]},"
                               " {\"id\": 2, \"file_path\": \"b.png\", \"split\": \"test\","
                               "  \"captions\": [\"a red shirt and blue jeans\", \"blue\"]}]";
    static const char words[] = SPECIALS "a\nred\nshirt\nand\nblue\njeans\n##s\n";
    folder = laip_test_folder("corpus");
    annotations = laip_path_join(folder, "a.json");
    vocab = laip_path_join(folder, "vocab.txt");
    write_text(annotations, text, sizeof text - 1);
    write_text(vocab, words, sizeof words - 1);
    for (int i = 0; i < 2; i++) {
        char *picture = laip_path_join(folder, i ? "a.png" : "b.png");
        write_text(picture, "", 0);
        free(picture);
    }
    return 0;
}

static int drop(void **state)
{
    (void)state;
    free(folder);
    free(annotations);
    free(vocab);
    return 0;
}

static laip_config settings(const char *vocab_file)
{
    laip_config c;
    laip_error error;
    laip_str text = {0};
    laip_config_defaults(&c);
    laip_str_addf(&text,
                  "model: {vocab: 0}\ndata: {annotations: %s, vocab: %s, vocab_size: 40, max_tokens: 6}\n",
                  annotations, vocab_file);
    assert_ok(laip_config_parse(&c, "test", text.text, &error), error);
    free(text.text);
    return c;
}

static void from_a_file(void **state)
{
    (void)state;
    laip_error error;
    laip_corpus corpus;
    laip_split split;
    laip_config c = settings(vocab);
    assert_ok(laip_corpus_open(&corpus, &c, NULL, &error), error);
    assert_int_equal(c.model.vocab, 12);
    assert_int_equal(laip_tokenizer_id(corpus.tokenizer, "jeans"), 10);
    assert_non_null(strstr(corpus.vocab, "jeans"));
    assert_ok(laip_split_open(&split, &corpus, &c, annotations, folder, "test", true, &error), error);
    assert_int_equal(split.dataset.picture_count, 1);
    assert_int_equal(split.texts.captions.count, 2);
    assert_int_equal(split.texts.captions.begin[1], 6); /* [CLS] a red shirt and blue | jeans */
    assert_int_equal(split.texts.cut, 1);
    assert_true(split.texts.phrases.count > 0);
    laip_split_close(&split);
    laip_corpus_close(&corpus);
    c.model.vocab = 11; /* fewer rows than there are tokens */
    assert_false(laip_corpus_open(&corpus, &c, NULL, &error));
    assert_int_equal(error.status, LAIP_BAD_INPUT);
    assert_non_null(strstr(error.text, "model.vocab is 11, expected at least the vocabulary's 12"));
    laip_corpus_close(&corpus);
    c.model.vocab = 100; /* more are rerank */
    assert_ok(laip_corpus_open(&corpus, &c, NULL, &error), error);
    assert_int_equal(c.model.vocab, 100);
    laip_corpus_close(&corpus);
    laip_config_free(&c);
}

/* Of the training split alone. */
static void learned(void **state)
{
    (void)state;
    laip_error error;
    laip_corpus corpus;
    laip_config c = settings("\"\"");
    assert_ok(laip_corpus_open(&corpus, &c, NULL, &error), error);
    assert_true(laip_tokenizer_id(corpus.tokenizer, "red") >= 0);
    assert_true(laip_tokenizer_id(corpus.tokenizer, "b") < 0); /* of blue, in the test split */
    assert_int_equal(c.model.vocab, laip_tokenizer_size(corpus.tokenizer));
    assert_ptr_equal(strstr(corpus.vocab, SPECIALS), corpus.vocab);
    char *text = laip_strdup(corpus.vocab);
    int size = c.model.vocab;
    laip_corpus_close(&corpus);
    c.model.vocab = 0; /* the same again from a checkpoint, which wins over everything */
    free(c.annotations);
    c.annotations = laip_strdup("no such file");
    assert_ok(laip_corpus_open(&corpus, &c, text, &error), error);
    assert_string_equal(corpus.vocab, text);
    assert_int_equal(c.model.vocab, size);
    laip_corpus_close(&corpus);
    assert_false(laip_corpus_open(&corpus, &c, NULL, &error));
    assert_int_equal(error.status, LAIP_BAD_INPUT);
    assert_non_null(strstr(error.text, "no such file"));
    laip_corpus_close(&corpus);
    laip_config_free(&c);
    free(text);
}

static void refused(void **state)
{
    (void)state;
    const struct {
        const char *text;
        size_t size;
        const char *says;
    } cases[] = {{SPECIALS "a\n\0b\n", sizeof SPECIALS + 4, "byte 33 is a zero byte"},
                 {"[PAD]\n[UNK]\n[CLS]\n[SEP]\n", 24, "[MASK]"},
                 {SPECIALS "\xff\n", sizeof SPECIALS + 1, "UTF-8"}};
    char *bad = laip_path_join(folder, "bad.txt");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        laip_error error;
        laip_corpus corpus;
        laip_config c = settings(bad);
        write_text(bad, cases[i].text, cases[i].size);
        assert_false(laip_corpus_open(&corpus, &c, NULL, &error));
        assert_int_equal(error.status, LAIP_BAD_INPUT);
        assert_ptr_equal(strstr(error.text, bad), error.text);
        if (!strstr(error.text, cases[i].says))
            fail_msg("'%s' does not say '%s'", error.text, cases[i].says);
        laip_corpus_close(&corpus);
        laip_config_free(&c);
    }
    free(bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(from_a_file), cmocka_unit_test(learned),
                                       cmocka_unit_test(refused)};
    return cmocka_run_group_tests(tests, make, drop);
}
