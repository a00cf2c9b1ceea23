/* laip-data vocab: a WordPiece vocabulary learned from captions. */
#include "base/memory.h"
#include "programs/data.h"
#include "programs/data_lines.h"
#include "text/tokenizer.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

typedef struct arguments {
    const char *out;
    size_t size;
    laip_caption_rule rule;
    char **files;
    size_t file_count;
} arguments;

enum { OPTION_RULE = 1 };

static const struct argp_option options[] = {
    {"size", 'n', "N", 0, "Learn at most N tokens, [PAD] [UNK] [CLS] [SEP] [MASK] among them (default 8000)",
     0},
    {"output", 'o', "FILE", 0, "Write the vocabulary here, a token a line", 0},
    {"caption-rule", OPTION_RULE, "RULE", 0, "Clean the captions first: albef, or none (the default)", 0},
    {0}};

static const char documentation[] =
    "Learns a WordPiece vocabulary from the captions of the FILEs, or of standard input, one a line."
    "\vThe same captions give the same vocabulary, in any order.\n\n"
    "Example:\n  laip-data vocab captions.txt --size 2000 -o vocab.txt";

static error_t parse(int key, char *text, struct argp_state *state)
{
    arguments *a = state->input;
    char *end;
    switch (key) {
    case 'n':
        a->size = strtoul(text, &end, 10);
        if (*text < '0' || *text > '9' || *end)
            argp_error(state, "--size %s: a number is expected", text);
        return 0;
    case 'o':
        a->out = text;
        return 0;
    case OPTION_RULE:
        if (strcmp(text, "albef") != 0 && strcmp(text, "none") != 0)
            argp_error(state, "--caption-rule %s: albef or none is expected", text);
        a->rule = strcmp(text, "albef") == 0 ? LAIP_RULE_ALBEF : LAIP_RULE_NONE;
        return 0;
    case ARGP_KEY_ARGS:
        a->files = state->argv + state->next;
        a->file_count = (size_t)(state->argc - state->next);
        return 0;
    case ARGP_KEY_END:
        if (!a->out)
            argp_error(state, "--output FILE is needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static bool learn(const arguments *a, laip_error *error)
{
    laip_lines lines = {.files = a->files, .count = a->file_count};
    char **captions = NULL, **words = NULL;
    size_t count = 0, capacity = 0, size = 0;
    bool more = true, good;
    while ((good = laip_lines_next(&lines, &more, error)) && more) {
        void *array = captions;
        laip_grow(&array, &capacity, count + 1, sizeof *captions);
        captions = array;
        captions[count++] = laip_strndup(lines.text, lines.length);
    }
    good = good &&
           laip_vocab_learn((const char *const *)captions, count, a->rule, a->size, &words, &size, error) &&
           laip_vocab_save(a->out, words, size, error);
    if (good)
        fprintf(stderr, "laip-data vocab: %zu tokens of %zu captions in %s\n", size, count, a->out);
    laip_vocab_free(words, size);
    for (size_t i = 0; i < count; i++)
        free(captions[i]);
    free(captions);
    laip_lines_free(&lines);
    return good;
}

int laip_data_vocab(int argc, char **argv)
{
    static const struct argp argp = {options, parse, "[FILE...] -o FILE", documentation, NULL, NULL, NULL};
    arguments a = {.size = 8000};
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    laip_error error;
    return laip_data_end("vocab", learn(&a, &error), &error);
}
