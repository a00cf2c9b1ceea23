/* laip-data phrases: captions to their noun phrases. */
#include "base/str.h"
#include "phrases/phrases.h"
#include "programs/data.h"
#include "programs/data_lines.h"
#include "text/unicode.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

typedef struct arguments {
    const char *tagger, *grammar, *heads;
    char **files;
    size_t file_count;
} arguments;

enum { OPTION_HEADS = 1 };

static const struct argp_option options[] = {
    {"tagger", 't', "DIR", 0,
     "NLTK's averaged perceptron instead of the built-in tagger: the folder of its three JSON files", 0},
    {"grammar", 'g', "G", 0, "Chunk grammar, such as 'NP: {<JJ.*>*<NN.*>+}'", 0},
    {"no-generic-heads", OPTION_HEADS, "WORDS", OPTION_ARG_OPTIONAL,
     "Leave out phrases that are nothing but one of WORDS, divided by commas (man, woman, person, pair and "
     "the like where "
     "none are given)",
     0},
    {0}};

static const char documentation[] = "Writes, for each line of the FILEs or of standard input, a JSON array "
                                    "of its noun phrases: text, start and end "
                                    "(the place in the line, in characters, end exclusive)."
                                    "\vExample:\n"
                                    "  echo 'A man in a short sleeve red shirt.' | laip-data phrases\n"
                                    "  [{\"text\": \"man\", \"start\": 2, \"end\": 5}, {\"text\": \"short "
                                    "sleeve red shirt\", \"start\": 11, \"end\": 33}]";

static error_t parse(int key, char *text, struct argp_state *state)
{
    arguments *a = state->input;
    switch (key) {
    case 't':
        a->tagger = text;
        return 0;
    case 'g':
        a->grammar = text;
        return 0;
    case OPTION_HEADS:
        a->heads = text ? text : laip_default_generic_heads;
        return 0;
    case ARGP_KEY_ARGS:
        a->files = state->argv + state->next;
        a->file_count = (size_t)(state->argc - state->next);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void add_phrases(laip_str *row, const char *text, const laip_spans *spans)
{
    size_t bytes = 0, characters = 0;
    laip_str_adds(row, "[");
    for (size_t i = 0; i < spans->count; i++) {
        uint32_t start = spans->start[i], end = spans->end[i];
        characters += laip_utf8_count(text + bytes, start - bytes);
        size_t size = laip_utf8_count(text + start, end - start);
        laip_str_adds(row, i ? ", {\"text\": " : "{\"text\": ");
        laip_str_add_json(row, text + start, end - start);
        laip_str_addf(row, ", \"start\": %zu, \"end\": %zu}", characters, characters + size);
        bytes = end;
        characters += size;
    }
    laip_str_adds(row, "]\n");
}

static bool convert(const laip_phraser *p, const arguments *a, laip_error *error)
{
    laip_lines lines = {.files = a->files, .count = a->file_count};
    laip_spans spans = {0};
    laip_str row = {0};
    bool more = true, good;
    while ((good = laip_lines_next(&lines, &more, error)) && more) {
        laip_phrases(p, lines.text, lines.length, &spans);
        laip_str_clear(&row);
        add_phrases(&row, lines.text, &spans);
        fwrite(row.text, 1, row.length, stdout);
    }
    free(row.text);
    laip_spans_free(&spans);
    laip_lines_free(&lines);
    return good;
}

int laip_data_phrases(int argc, char **argv)
{
    static const struct argp argp = {options, parse, "[FILE...]", documentation, NULL, NULL, NULL};
    arguments a = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    laip_error error;
    laip_phraser *p = laip_phraser_create(a.tagger, a.grammar, a.heads, &error);
    bool good = p && convert(p, &a, &error);
    laip_phraser_free(p);
    return laip_data_end("phrases", good, &error);
}
