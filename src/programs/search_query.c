/* laip-search query: sentences and pictures against an index. */
#include "programs/search.h"

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    OPTION_LIKE = 256,
    OPTION_NOT,
    OPTION_FORMAT,
    OPTION_JSON,
    OPTION_HTML,
    OPTION_RERANK,
    OPTION_FILE,
    OPTION_MODEL
};
enum { TOGETHER = 64 }; /* queries that are searched for at once */

typedef enum format { TEXT, PATHS, PATHS0, JSON } format;
static const char *const format_names[] = {"text", "paths", "paths0", "json"};

typedef struct arguments {
    const char *index, *html, *file, *model;
    search_how how;
    size_t top, rerank;
    format format;
    search_part *parts;
    size_t part_count;
    char **sentences;
    size_t count;
} arguments;

static const struct argp_option options[] = {
    {"top", 'n', "N", 0, "Pictures that are shown (10)", 0},
    {"rerank", OPTION_RERANK, "N", 0,
     "Ranks the N best pictures anew by matching and features together, as the paper does with 128: better, "
     "and each "
     "of them goes through the network again (0: by features alone)",
     0},
    {"like", OPTION_LIKE, "PICTURE", 0,
     "What is found is to look like this picture too, or, without a sentence, only that; may be given again. "
     " "
     "2:PICTURE counts twice as much as the sentence",
     0},
    {"not", OPTION_NOT, "WORDS", 0,
     "What is found is to have less of these words; may be given again, and with a weight as in 0.5:WORDS",
     0},
    {"file", OPTION_FILE, "FILE", 0, "A sentence a line; - is standard input", 0},
    {"format", OPTION_FORMAT, "FORMAT", 0,
     "text (rank, score, path), paths (alone, a line each), paths0 (each ended by a zero byte, for xargs "
     "-0), or json "
     "(an object a query)",
     0},
    {"json", OPTION_JSON, NULL, 0, "The same as --format json", 0},
    {"html", OPTION_HTML, "OUT", 0, "Writes a page with the pictures in it", 0},
    {"model", OPTION_MODEL, "MODEL", 0, "The checkpoint, when it is no more where it was", 0},
    {0}};

static const char documentation[] =
    "Finds the pictures of the index G that a SENTENCE describes best, in plain words of any case and "
    "punctuation.  Without a sentence, sentences are read from standard input, a line each, and answered as "
    "they come."
    "\vExamples:\n\n  laip-search query photos.laip \"a woman in a long red coat with a white bag\"\n"
    "  laip-search query photos.laip --like street.jpg --html found.html\n"
    "  laip-search query photos.laip \"with an umbrella\" --like street.jpg --not \"a hat\"\n"
    "  laip-search query photos.laip --format paths0 \"a red coat\" | xargs -0 cp -t found\n"
    "  laip-search query photos.laip --file sentences.txt --json --top 5";

static void add_part(arguments *a, const char *text, bool picture, bool without)
{
    a->parts = realloc(a->parts, (a->part_count + 1) * sizeof *a->parts);
    if (!a->parts)
        abort();
    search_part_parse(&a->parts[a->part_count++], text, picture, without);
}

static format parse_format(struct argp_state *state, const char *text)
{
    for (format f = TEXT; f <= JSON; f++)
        if (strcmp(text, format_names[f]) == 0)
            return f;
    argp_error(state, "--format %s: expected text, paths, paths0 or json", text);
    return TEXT;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    arguments *a = state->input;
    const struct {
        int key;
        const char **field;
    } texts[] = {{OPTION_HTML, &a->html}, {OPTION_FILE, &a->file}, {OPTION_MODEL, &a->model}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].key == key) {
            *texts[i].field = text;
            return 0;
        }
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &a->how;
        return 0;
    case 'n':
        a->top = search_number(state, text, 1, 100000);
        return 0;
    case OPTION_RERANK:
        a->rerank = search_number(state, text, 0, 100000);
        return 0;
    case OPTION_LIKE:
    case OPTION_NOT:
        add_part(a, text, key == OPTION_LIKE, key == OPTION_NOT);
        return 0;
    case OPTION_FORMAT:
        a->format = parse_format(state, text);
        return 0;
    case OPTION_JSON:
        a->format = JSON;
        return 0;
    case ARGP_KEY_ARGS:
        a->index = state->argv[state->next];
        a->sentences = state->argv + state->next + 1;
        a->count = (size_t)(state->argc - state->next) - 1;
        return 0;
    case ARGP_KEY_END:
        if (!a->index)
            argp_error(state, "G, the index, is needed");
        if (a->count && a->file)
            argp_error(state, "expected sentences or --file, one of them");
        if (a->rerank && a->part_count)
            argp_error(state, "--rerank is for sentences alone, without --like and --not");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* A name may hold anything, and the terminal is to take it as text. */
static void print_name(const char *text)
{
    for (const char *c = text; *c; c++)
        fputc((unsigned char)*c < ' ' || *c == 127 ? '?' : *c, stdout);
}

static void print_text(const search_session *s, const search_query *q, bool titled)
{
    laip_index_info info = {.size = sizeof info};
    laip_index_describe(s->index, &info);
    if (titled && q->sentence)
        printf("\"%s\"\n", q->sentence);
    for (size_t i = 0; i < q->count; i++) {
        laip_picture_view v = {.size = sizeof v};
        laip_error error;
        if (laip_index_picture(s->index, q->hits[i].picture, &v, &error) != LAIP_OK)
            continue;
        printf("%3zu  %7.3f  ", i + 1, (double)q->hits[i].score);
        print_name(info.folder);
        putchar('/');
        print_name(v.name);
        if (v.names > 1)
            printf("  (and %zu more of the same)", v.names - 1);
        putchar('\n');
    }
    if (!q->count)
        puts("the index has no pictures");
}

/* For programs: names as they are. */
static void print_paths(const search_session *s, const search_query *q, char end)
{
    laip_index_info info = {.size = sizeof info};
    laip_index_describe(s->index, &info);
    for (size_t i = 0; i < q->count; i++) {
        laip_picture_view v = {.size = sizeof v};
        if (laip_index_picture(s->index, q->hits[i].picture, &v, NULL) == LAIP_OK)
            printf("%s/%s%c", info.folder, v.name, end);
    }
}

static void print_results(const search_session *s, const arguments *a, const search_query *queries,
                          size_t count, bool titled)
{
    for (size_t i = 0; i < count; i++) {
        if (a->format == JSON) {
            json_t *j = search_json(s, &queries[i]);
            json_dumpf(j, stdout, JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(7));
            putchar('\n');
            json_decref(j);
        } else if (a->format == TEXT)
            print_text(s, &queries[i], titled);
        else
            print_paths(s, &queries[i], a->format == PATHS ? '\n' : '\0');
    }
    fflush(stdout);
}

/* What --html shows at the end. */
typedef struct kept {
    search_query *queries;
    size_t count;
} kept;

static void keep(kept *k, search_query *queries, size_t count)
{
    k->queries = realloc(k->queries, (k->count + count + 1) * sizeof *queries);
    if (!k->queries)
        abort();
    for (size_t i = 0; i < count; i++) {
        k->queries[k->count] = queries[i];
        if (queries[i].sentence)
            k->queries[k->count].sentence = strdup(queries[i].sentence);
        queries[i].hits = NULL;
        k->count++;
    }
}

/* What all queries of a call have. */
typedef struct asking {
    search_session session;
    const arguments *a;
    size_t embed;
    float *sum; /* of --like and --not */
    kept kept;
} asking;

static bool encode(asking *q, char *const *sentences, size_t count, size_t first, float *features,
                   laip_error *error)
{
    laip_network *network = q->session.network;
    if (laip_encode_sentences(network, (const char *const *)sentences, count, features, error) == LAIP_OK)
        return true;
    for (size_t i = 0; count > 1 && i < count; i++) { /* which of them */
        const char *one = sentences[i];
        if (laip_encode_sentences(network, &one, 1, features, error) != LAIP_OK) {
            laip_error why = *error;
            return search_fail(error, why.status, "sentence %zu: %.900s", first + i + 1, why.text);
        }
    }
    return false;
}

/* Up to TOGETHER sentences, or parts alone (sentences NULL, count 1); a sentence that cannot be searched for
 * is named by its place. */
static bool answer(asking *q, char *const *sentences, size_t count, size_t first, laip_error *error)
{
    const arguments *a = q->a;
    search_query queries[TOGETHER] = {{.count = 0}};
    float *features = calloc(count * q->embed + 1, sizeof *features);
    if (!features)
        abort();
    bool good = !sentences || encode(q, sentences, count, first, features, error);
    for (size_t i = 0; good && i < count; i++) {
        queries[i] = (search_query){.sentence = sentences ? sentences[i] : NULL,
                                    .parts = a->parts,
                                    .part_count = a->part_count,
                                    .feature = features + i * q->embed};
        good = !a->part_count || search_parts_add(queries[i].feature, q->sum, q->embed, error);
    }
    good = good && search_run(&q->session, queries, count, a->top, a->rerank, error);
    if (good)
        print_results(&q->session, a, queries, count, a->count != 1);
    if (good && a->html)
        keep(&q->kept, queries, count);
    for (size_t i = 0; i < count; i++)
        free(queries[i].hits);
    free(features);
    return good;
}

static bool answer_arguments(asking *q, laip_error *error)
{
    const arguments *a = q->a;
    for (size_t i = 0; i < a->count; i += TOGETHER)
        if (!answer(q, a->sentences + i, a->count - i < TOGETHER ? a->count - i : TOGETHER, i, error))
            return false;
    return true;
}

/* Whoever types may mistype. */
static bool answer_typed(asking *q, char *const *lines, size_t count, size_t first, bool typed,
                         laip_error *error)
{
    if (answer(q, lines, count, first, error))
        return true;
    if (!typed || error->status != LAIP_BAD_INPUT)
        return false;
    fprintf(stderr, "%s\n", error->text);
    return true;
}

/* Lines are answered as soon as they are there: a pipe's one by one, a file's many at once. */
static bool answer_lines(asking *q, int fd, laip_error *error)
{
    char *text = NULL;
    size_t used = 0, room = 0, first = 0;
    bool good = true, more = true, typed = isatty(fd) == 1;
    if (typed)
        fputs("a sentence a line; Ctrl-D ends\n", stderr);
    while (good && (more || used)) {
        char *lines[TOGETHER];
        size_t count = 0, at = 0;
        if (more && room - used < 65537) {
            room = used + 131072;
            text = realloc(text, room);
            if (!text)
                abort();
        }
        ssize_t n = more && !memchr(text, '\n', used) ? read(fd, text + used, 65536) : 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            good = search_fail(error, LAIP_BAD_INPUT, "the sentences cannot be read: %s", strerror(errno));
            break;
        }
        used += (size_t)n;
        more = more && (n > 0 || memchr(text, '\n', used));
        if (!more && used && text[used - 1] != '\n')
            text[used++] = '\n';
        for (char *end; count < TOGETHER && (end = memchr(text + at, '\n', used - at)) != NULL;
             at = (size_t)(end - text) + 1) {
            *end = '\0';
            lines[count++] = text + at;
        }
        good = !count || answer_typed(q, lines, count, first, typed, error);
        first += count;
        memmove(text, text + at, used - at);
        used -= at;
    }
    free(text);
    return good;
}

static bool answer_file(asking *q, laip_error *error)
{
    const char *file = q->a->file;
    int fd = file && strcmp(file, "-") != 0 ? open(file, O_RDONLY) : STDIN_FILENO;
    if (fd < 0)
        return search_fail(error, LAIP_BAD_INPUT, "%s: cannot be read: %s", file, strerror(errno));
    bool good = answer_lines(q, fd, error);
    if (fd != STDIN_FILENO)
        close(fd);
    return good;
}

static bool execute(asking *q, laip_error *error)
{
    const arguments *a = q->a;
    laip_network_info info = {.size = sizeof info};
    if (!search_open(&q->session, a->index, a->model, &a->how, true, error))
        return false;
    laip_network_describe(q->session.network, &info);
    q->embed = info.embed;
    q->sum = calloc(info.embed + 1, sizeof *q->sum);
    if (!q->sum)
        abort();
    if (!search_parts_encode(&q->session, a->parts, a->part_count, q->sum, error))
        return false;
    bool good = a->count                    ? answer_arguments(q, error)
                : a->file || !a->part_count ? answer_file(q, error)
                                            : answer(q, NULL, 1, 0, error);
    return good && (!a->html || search_html(&q->session, q->kept.queries, q->kept.count, a->html, error));
}

static void release(asking *q)
{
    for (size_t i = 0; i < q->kept.count; i++) {
        free((char *)q->kept.queries[i].sentence);
        free(q->kept.queries[i].hits);
    }
    free(q->kept.queries);
    free(q->sum);
    search_close(&q->session);
}

int laip_search_query(int argc, char **argv)
{
    static const struct argp_child how[] = {{&search_how_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {options, parse, "G [SENTENCE...]", documentation, how, NULL, NULL};
    arguments a = {.top = 10};
    asking q = {.a = &a};
    laip_error error;
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    bool good = execute(&q, &error);
    release(&q);
    free(a.parts);
    return search_end("laip-search query", good, &error);
}
