#include "support/test.h"

#include "base/parallel.h"
#include "phrases/phrases.h"
#include <stdlib.h>
#include <string.h>

static laip_phraser *make(const char *grammar, const char *heads)
{
    laip_error error;
    laip_phraser *p = laip_phraser_create(NULL, grammar, heads, &error);
    assert_ok(p, error);
    return p;
}

/* The phrases of a caption divided by bars. */
static const char *found(const laip_phraser *p, const char *text)
{
    static char line[2000];
    laip_spans spans = {0};
    laip_phrases(p, text, strlen(text), &spans);
    size_t n = 0;
    for (size_t i = 0; i < spans.count; i++) {
        if (i)
            line[n++] = '|';
        memcpy(line + n, text + spans.start[i], spans.end[i] - spans.start[i]);
        n += spans.end[i] - spans.start[i];
    }
    line[n] = 0;
    laip_spans_free(&spans);
    return line;
}

static void captions(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"A man in a short sleeve red shirt and black and white sneakers.",
         "man|short sleeve red shirt|black and white sneakers"},
        {"The woman's long, curly hair is tied back.", "woman|long, curly hair"},
        {"He wears a grey jacket.His shoes are brown,white socks", "grey jacket|shoes|white socks"},
        {"A very tall person wearing a pair of dark blue jeans rolled up at the ankles",
         "tall person|pair|dark blue jeans|ankles"},
        {"She carries a shopping bag in front of her.", "shopping bag"},
        {"He is carrying two large boxes and walks past a bus stop", "large boxes|bus stop"},
        {"a lace up boot and a zip-up hoodie", "lace up boot|zip-up hoodie"},
        {"He is wearing running shoes and is running quickly.", "running shoes"},
        {"Her hair is blonde and she has a fur trimmed coat.", "hair|fur trimmed coat"},
        {"The shirt is striped", "shirt"},
        {"Wearing a moisture wicking shirt, he carries a red can in oil stained gloves",
         "moisture wicking shirt|red can|oil stained gloves"},
        {"A red down jacket, off shoulder top and black over the knee boots",
         "red down jacket|off shoulder top|black over the knee boots"},
        {"His hair is shoulder length, his purse is tan with a dark blue one shoulder strap",
         "hair|purse|dark blue one shoulder strap"},
        {"The man purses his lips; the people crossing a road are in shorts, a knitted scarf covers her "
         "mouth",
         "man|lips|people|road|shorts|knitted scarf|mouth"},
        {"a black and white horizontally striped top with three quarter length sleeves",
         "black and white horizontally striped top|three quarter length sleeves"},
        {"She's wearing a tucked in white blouse and a two tone coat, and holds two colored balls",
         "tucked in white blouse|two tone coat|colored balls"},
        {"a white shirt blue jeans and brown shoes he is carrying", "white shirt|blue jeans|brown shoes"},
        {"his muscular build shows under a red, white and blue jacket",
         "muscular build|red, white and blue jacket"},
        {"", ""},
        {"...", ""},
        {"caf\xc3\xa9 \xe4\xba\xba \xff red hat", "caf\xc3\xa9 \xe4\xba\xba|red hat"},
    };
    laip_phraser *p = make(NULL, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(found(p, cases[i][0]), cases[i][1]);
    laip_phraser_free(p);
}

static void generic_heads(void **state)
{
    (void)state;
    laip_phraser *p = make(NULL, laip_default_generic_heads);
    assert_string_equal(found(p, "The Man and the young woman wear a pair of red shorts"),
                        "young woman|red shorts");
    laip_phraser_free(p);
    p = make(NULL, "Shorts red, woman");
    assert_string_equal(found(p, "The man and the woman wear shorts"), "man|shorts");
    laip_phraser_free(p);
}

static void grammars(void **state)
{
    (void)state;
    const char *text = "the man wears a red shirt and blue jeans";
    laip_phraser *p = make("NP: {<DT>?<JJ>*<NN.*>}", NULL);
    assert_string_equal(found(p, text), "the man|a red shirt|blue jeans");
    laip_phraser_free(p);
    p = make("# all, but verbs and conjunctions\nNP: {<.*>+}\n }<VB.*|CC>+{", NULL);
    assert_string_equal(found(p, text), "the man|a red shirt|blue jeans");
    laip_phraser_free(p);
    p = make("A: {<JJ><NN>}; B: {<NN.*>}", NULL);
    assert_string_equal(found(p, text), "man|red shirt|jeans");
    laip_phraser_free(p);
    p = make("NP: {<JJ>{1,2}<NN.*>}", NULL);
    assert_string_equal(found(p, text), "red shirt|blue jeans");
    laip_phraser_free(p);
    static const char *const bad[] = {"",          "# nothing", "NP",    "NP: <NN>",
                                      "NP: {<NN>", "NP: {<NN}", "}<NN>", "NP: {NN}"};
    laip_error error;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_null(laip_phraser_create(NULL, bad[i], NULL, &error));
        assert_int_equal(error.status, LAIP_BAD_INPUT);
        assert_non_null(strstr(error.text, "grammar"));
    }
}

static void words(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"He doesn't wear the man's T-shirt.", "He|does|n't|wear|the|man|'s|T-shirt|."},
        {"shoes.His top,tan (3/4 sleeve) 8.5", "shoes|.|His|top|,|tan|(|3/4|sleeve|)|8.5"},
        {"black/white - \"x\"", "black|/|white|-|\"|x|\""},
        {"she\xe2\x80\x99s", "she|\xe2\x80\x99s"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        laip_spans spans = {0};
        char line[500];
        size_t n = 0;
        laip_english_words(cases[i][0], strlen(cases[i][0]), &spans);
        for (size_t k = 0; k < spans.count; k++) {
            if (k)
                line[n++] = '|';
            memcpy(line + n, cases[i][0] + spans.start[k], spans.end[k] - spans.start[k]);
            n += spans.end[k] - spans.start[k];
        }
        line[n] = 0;
        assert_string_equal(line, cases[i][1]);
        laip_spans_free(&spans);
    }
}

/* Phrases find their tokens whether or not the caption rule moved things about. */
static void tokens(void **state)
{
    (void)state;
    static const char *const vocabulary[] = {"[PAD]",  "[UNK]", "[CLS]", "[SEP]", "[MASK]",
                                             "a",      "red",   "short", "##s",   "-",
                                             "sleeve", "and",   "hat",   ",",     "\""};
    laip_error error;
    laip_tokenizer *t = laip_tokenizer_from_words(vocabulary, sizeof vocabulary / sizeof *vocabulary, &error);
    assert_ok(t, error);
    laip_phraser *p = make(NULL, NULL);
    const char *text = "A  \"red\"  short-sleeve hat, red shorts";
    laip_spans spans = {0};
    laip_tokens tokens = {0};
    laip_phrases(p, text, strlen(text), &spans);
    assert_int_equal(spans.count, 2);
    size_t first, last;
    laip_tokenize(t, text, strlen(text), &(laip_tokenize_options){.sep = true}, &tokens);
    laip_span_tokens(&tokens, spans.start[0], spans.end[0], &first, &last); /* short-sleeve hat */
    assert_int_equal(last - first, 4);
    assert_int_equal(tokens.ids[first], laip_tokenizer_id(t, "short"));
    laip_span_tokens(&tokens, spans.start[1], spans.end[1], &first, &last); /* red shorts */
    assert_int_equal(last - first, 3);
    assert_int_equal(last, tokens.count - 1);
    laip_tokenize(t, text, strlen(text), &(laip_tokenize_options){.rule = LAIP_RULE_ALBEF, .max_tokens = 7},
                  &tokens);
    laip_span_tokens(&tokens, spans.start[0], spans.end[0], &first, &last);
    assert_int_equal(last - first, 3);
    laip_span_tokens(&tokens, spans.start[1], spans.end[1], &first, &last); /* cut off in the middle */
    assert_int_equal(last - first, 1);
    laip_tokens_free(&tokens);
    laip_spans_free(&spans);
    laip_phraser_free(p);
    laip_tokenizer_free(t);
}

typedef struct shared {
    const laip_phraser *phraser;
    size_t counts[64];
} shared;

static void one(void *context, size_t i)
{
    static const char *const text[2] = {"a man in a red shirt and blue jeans", "she carries a bag"};
    shared *s = context;
    laip_spans spans = {0};
    for (int k = 0; k < 50; k++)
        laip_phrases(s->phraser, text[i % 2], strlen(text[i % 2]), &spans);
    s->counts[i] = spans.count;
    laip_spans_free(&spans);
}

static void many_threads(void **state)
{
    (void)state;
    laip_phraser *p = make(NULL, NULL);
    shared s = {.phraser = p};
    laip_parallel_for(64, 4, one, &s);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(s.counts[i], i % 2 ? 1 : 3);
    laip_phraser_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(captions), cmocka_unit_test(generic_heads),
                                       cmocka_unit_test(grammars), cmocka_unit_test(words),
                                       cmocka_unit_test(tokens),   cmocka_unit_test(many_threads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
