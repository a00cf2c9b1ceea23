/* laip-data tags: tokens to part-of-speech tags. */
#include "base/memory.h"
#include "base/str.h"
#include "phrases/phrases.h"
#include "programs/data.h"
#include "programs/data_lines.h"

#include <argp.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

typedef struct arguments {
    const char *tagger;
    char **files;
    size_t file_count;
} arguments;

static const struct argp_option options[] = {
    {"tagger", 't', "DIR", 0,
     "NLTK's averaged perceptron instead of the built-in tagger: the folder of its three JSON files", 0},
    {0}};

static const char documentation[] = "Reads a JSON array of tokens a line, from the FILEs or standard input, "
                                    "and writes a JSON array of their tags (those of "
                                    "the Penn Treebank)."
                                    "\vExample:\n"
                                    "  echo '[\"A\", \"red\", \"shirt\"]' | laip-data tags\n"
                                    "  [\"DT\", \"JJ\", \"NN\"]";

static error_t parse(int key, char *text, struct argp_state *state)
{
    arguments *a = state->input;
    switch (key) {
    case 't':
        a->tagger = text;
        return 0;
    case ARGP_KEY_ARGS:
        a->files = state->argv + state->next;
        a->file_count = (size_t)(state->argc - state->next);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static bool tag_line(const laip_tagger *tagger, const laip_lines *l, laip_str *row, laip_error *error)
{
    json_error_t e;
    json_t *array = json_loadb(l->text, l->length, 0, &e), *token;
    size_t count = json_array_size(array), i;
    bool good = json_is_array(array);
    if (!array)
        laip_bad_input(error, "%s:%zu: not JSON: %s", l->name, l->number, e.text);
    else if (!good)
        laip_bad_input(error, "%s:%zu: expected an array of tokens", l->name, l->number);
    const char **tokens = laip_alloc(count, sizeof *tokens), **tags = laip_alloc(count, sizeof *tags);
    json_array_foreach(array, i, token)
    {
        tokens[i] = json_string_value(token);
        if (good && !tokens[i])
            good = laip_bad_input(error, "%s:%zu: token %zu is not a string", l->name, l->number, i + 1);
    }
    laip_str_clear(row);
    if (good) {
        laip_tagger_tag(tagger, tokens, count, tags);
        laip_str_adds(row, "[");
        for (i = 0; i < count; i++) {
            laip_str_adds(row, i ? ", " : "");
            laip_str_add_json(row, tags[i], strlen(tags[i]));
        }
        laip_str_adds(row, "]\n");
    }
    free(tokens);
    free(tags);
    json_decref(array);
    return good;
}

static bool convert(const laip_tagger *tagger, const arguments *a, laip_error *error)
{
    laip_lines lines = {.files = a->files, .count = a->file_count};
    laip_str row = {0};
    bool more = true, good;
    while ((good = laip_lines_next(&lines, &more, error)) && more) {
        good = tag_line(tagger, &lines, &row, error);
        if (!good)
            break;
        fwrite(row.text, 1, row.length, stdout);
    }
    free(row.text);
    laip_lines_free(&lines);
    return good;
}

int laip_data_tags(int argc, char **argv)
{
    static const struct argp argp = {options, parse, "[FILE...]", documentation, NULL, NULL, NULL};
    arguments a = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    laip_error error;
    laip_tagger *tagger = laip_tagger_create(a.tagger, &error);
    bool good = tagger && convert(tagger, &a, &error);
    laip_tagger_free(tagger);
    return laip_data_end("tags", good, &error);
}
