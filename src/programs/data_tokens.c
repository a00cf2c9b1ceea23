/* laip-data tokens: captions to token ids. */
#include "base/str.h"
#include "programs/data.h"
#include "programs/data_lines.h"
#include "text/tokenizer.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

typedef struct arguments {
    const char *vocab;
    laip_tokenize_options options;
    char **files;
    size_t file_count;
} arguments;

enum { OPTION_SEP = 1, OPTION_RULE, OPTION_MAX_TOKENS, OPTION_MAX_WORDS, OPTION_LITERAL };

static const struct argp_option options[] = {
    {"vocab", 'v', "FILE", 0,
     "Vocabulary, a token a line (bert-base-uncased's vocab.txt, or one of `laip-data vocab`)", 0},
    {"sep", OPTION_SEP, NULL, 0, "End with [SEP]; [CLS] begins every line in any case", 0},
    {"caption-rule", OPTION_RULE, "RULE", 0,
     "Clean the caption first: albef, original (the same without dividing \"jacket.His\"), or none (as it "
     "is, the default)",
     0},
    {"max-tokens", OPTION_MAX_TOKENS, "N", 0, "Keep at most N ids, [CLS] and [SEP] among them", 0},
    {"max-words", OPTION_MAX_WORDS, "N", 0, "Keep at most N words of the cleaned caption", 0},
    {"literal-specials", OPTION_LITERAL, NULL, 0, "Read [MASK] and the like in a caption as plain text", 0},
    {0}};

static const char documentation[] =
    "Writes, for each line of the FILEs or of standard input, a JSON array of ids."
    "\vCaptions that were cut are counted on standard error.\n\n"
    "Example, as ALBEF reads a caption for training:\n"
    "  laip-data tokens --vocab vocab.txt --caption-rule albef --max-tokens 50 captions.txt";

static size_t positive(const char *text, const char *name, struct argp_state *state)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || n == 0)
        argp_error(state, "--%s %s: a positive number is expected", name, text);
    return n;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    arguments *a = state->input;
    switch (key) {
    case 'v':
        a->vocab = text;
        return 0;
    case OPTION_SEP:
        a->options.sep = true;
        return 0;
    case OPTION_RULE:
        if (strcmp(text, "albef") != 0 && strcmp(text, "none") != 0 && strcmp(text, "original") != 0)
            argp_error(state, "--caption-rule %s: albef, original or none is expected", text);
        a->options.rule = strcmp(text, "albef") == 0  ? LAIP_RULE_ALBEF
                          : strcmp(text, "none") == 0 ? LAIP_RULE_NONE
                                                      : LAIP_RULE_ORIGINAL;
        return 0;
    case OPTION_MAX_TOKENS:
        a->options.max_tokens = positive(text, "max-tokens", state);
        return 0;
    case OPTION_MAX_WORDS:
        a->options.max_words = positive(text, "max-words", state);
        return 0;
    case OPTION_LITERAL:
        a->options.literal_specials = true;
        return 0;
    case ARGP_KEY_ARGS:
        a->files = state->argv + state->next;
        a->file_count = (size_t)(state->argc - state->next);
        return 0;
    case ARGP_KEY_END:
        if (!a->vocab)
            argp_error(state, "--vocab FILE is needed");
        if (a->options.max_words && a->options.rule == LAIP_RULE_NONE)
            argp_error(state, "--max-words is a part of --caption-rule albef");
        if (a->options.max_tokens && a->options.max_tokens < 1u + a->options.sep)
            argp_error(state, "--max-tokens %zu leaves no room for [CLS] and [SEP]", a->options.max_tokens);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* What was cut, for the report. */
typedef struct report {
    size_t cut, longest, first, cut_words;
} report;

static void note_cut(report *r, const laip_tokens *t, size_t line)
{
    if (t->cut_words)
        r->cut_words++;
    if (!t->cut)
        return;
    if (r->cut++ == 0)
        r->first = line;
    if (t->count + t->cut > r->longest)
        r->longest = t->count + t->cut;
}

static void print_report(const report *r, const arguments *a, size_t total)
{
    if (a->options.max_words)
        fprintf(stderr, "laip-data tokens: %zu of %zu captions had more than %zu words and were cut\n",
                r->cut_words, total, a->options.max_words);
    if (a->options.max_tokens && r->cut)
        fprintf(stderr,
                "laip-data tokens: %zu of %zu captions had more than %zu tokens and were cut (the first is "
                "line %zu, the "
                "longest had %zu)\n",
                r->cut, total, a->options.max_tokens, r->first, r->longest);
    else if (a->options.max_tokens)
        fprintf(stderr, "laip-data tokens: none of %zu captions had more than %zu tokens\n", total,
                a->options.max_tokens);
}

/* An id is not negative; printf would take longer than WordPiece. */
static void add_id(laip_str *row, const char *before, int32_t id)
{
    char digits[12], *first = digits + sizeof digits;
    do
        *--first = (char)('0' + id % 10);
    while ((id /= 10) > 0);
    laip_str_add(row, before, strlen(before));
    laip_str_add(row, first, (size_t)(digits + sizeof digits - first));
}

static bool convert(const laip_tokenizer *t, const arguments *a, laip_error *error)
{
    laip_lines lines = {.files = a->files, .count = a->file_count};
    laip_tokens tokens = {0};
    laip_str row = {0};
    report r = {0};
    bool more = true, good;
    while ((good = laip_lines_next(&lines, &more, error)) && more) {
        laip_tokenize(t, lines.text, lines.length, &a->options, &tokens);
        laip_str_clear(&row);
        for (size_t i = 0; i < tokens.count; i++)
            add_id(&row, i ? ", " : "[", tokens.ids[i]);
        laip_str_adds(&row, "]\n");
        fwrite(row.text, 1, row.length, stdout);
        note_cut(&r, &tokens, lines.total);
    }
    if (good)
        print_report(&r, a, lines.total);
    free(row.text);
    laip_tokens_free(&tokens);
    laip_lines_free(&lines);
    return good;
}

int laip_data_tokens(int argc, char **argv)
{
    static const struct argp argp = {options, parse, "--vocab FILE [FILE...]", documentation, NULL,
                                     NULL,    NULL};
    arguments a = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    laip_error error;
    laip_tokenizer *t = laip_tokenizer_load(a.vocab, &error);
    bool good = t && convert(t, &a, &error);
    laip_tokenizer_free(t);
    return laip_data_end("tokens", good, &error);
}
