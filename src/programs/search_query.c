/* laip-search query: sentences and pictures against an index. */
#include "programs/search.h"

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    OPTION_TOP = 256,
    OPTION_LIKE,
    OPTION_JSON,
    OPTION_HTML,
    OPTION_RERANK,
    OPTION_FILE,
    OPTION_MODEL,
    OPTION_DEVICE
};
enum { TOGETHER = 64 }; /* queries that are searched for at once */

typedef struct arguments {
    const char *index, *like, *html, *file, *model, *device;
    size_t top, rerank;
    bool json;
    char **sentences;
    size_t count;
} arguments;

static const struct argp_option options[] = {
    {"top", OPTION_TOP, "N", 0, "Pictures that are shown (10)", 0},
    {"rerank", OPTION_RERANK, "N", 0,
     "Ranks the N best pictures anew by matching and features together, as the paper does with 128: better, "
     "and "
     "each of them goes through the network again (0: by features alone)",
     0},
    {"like", OPTION_LIKE, "PICTURE", 0, "Searches for what looks like this picture", 0},
    {"file", OPTION_FILE, "FILE", 0, "A sentence a line; - is standard input", 0},
    {"json", OPTION_JSON, NULL, 0, "Prints a JSON object a query", 0},
    {"html", OPTION_HTML, "OUT", 0, "Writes a page with the pictures in it", 0},
    {"model", OPTION_MODEL, "MODEL", 0, "The checkpoint, when it is no more where it was", 0},
    {"device", OPTION_DEVICE, "D", 0, "Number, kind (gpu, cpu), part of a name, or auto", 0},
    {0}};

static const char documentation[] =
    "Finds the pictures of the index G that a SENTENCE describes best, in plain words of any case and "
    "punctuation.  Without a sentence, sentences are read from standard input, a line each, and answered as "
    "they "
    "come."
    "\vExamples:\n\n  laip-search query photos.laip \"a woman in a long red coat with a white bag\"\n"
    "  laip-search query photos.laip --like street.jpg --html found.html\n"
    "  laip-search query photos.laip --file sentences.txt --json --top 5";

static error_t parse(int key, char *text, struct argp_state *state)
{
    arguments *a = state->input;
    const struct {
        int key;
        const char **field;
    } texts[] = {{OPTION_LIKE, &a->like},
                 {OPTION_HTML, &a->html},
                 {OPTION_FILE, &a->file},
                 {OPTION_MODEL, &a->model},
                 {OPTION_DEVICE, &a->device}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].key == key) {
            *texts[i].field = text;
            return 0;
        }
    switch (key) {
    case OPTION_TOP:
        a->top = search_number(state, text, 1, 100000);
        return 0;
    case OPTION_RERANK:
        a->rerank = search_number(state, text, 0, 100000);
        return 0;
    case OPTION_JSON:
        a->json = true;
        return 0;
    case ARGP_KEY_ARGS:
        a->index = state->argv[state->next];
        a->sentences = state->argv + state->next + 1;
        a->count = (size_t)(state->argc - state->next) - 1;
        return 0;
    case ARGP_KEY_END:
        if (!a->index)
            argp_error(state, "G, the index, is needed");
        if ((a->count > 0) + (a->file != NULL) + (a->like != NULL) > 1)
            argp_error(state, "expected sentences, --file or --like, one of them");
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
    if (titled)
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

static void print_results(const search_session *s, const arguments *a, const search_query *queries,
                          size_t count, bool titled)
{
    for (size_t i = 0; i < count; i++) {
        if (a->json) {
            json_t *j = search_json(s, &queries[i]);
            json_dumpf(j, stdout, JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(7));
            putchar('\n');
            json_decref(j);
        } else
            print_text(s, &queries[i], titled);
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

/* Up to TOGETHER sentences; one that cannot be searched for is named by its place. */
static bool answer(search_session *s, const arguments *a, char *const *sentences, size_t count, size_t first,
                   bool titled, kept *k, laip_error *error)
{
    laip_network_info info = {.size = sizeof info};
    search_query queries[TOGETHER] = {{.count = 0}};
    laip_network_describe(s->network, &info);
    float *features = calloc(count * info.embed + 1, sizeof *features);
    if (!features)
        abort();
    bool good =
        laip_encode_sentences(s->network, (const char *const *)sentences, count, features, error) == LAIP_OK;
    for (size_t i = 0; !good && count > 1 && i < count; i++) /* which of them */
        if (laip_encode_sentences(s->network, (const char *const *)&sentences[i], 1, features, error) !=
            LAIP_OK) {
            laip_error why = *error;
            search_fail(error, why.status, "sentence %zu: %.900s", first + i + 1, why.text);
            break;
        }
    for (size_t i = 0; i < count; i++)
        queries[i] = (search_query){.sentence = sentences[i], .feature = features + i * info.embed};
    good = good && search_run(s, queries, count, a->top, a->rerank, error);
    if (good)
        print_results(s, a, queries, count, titled);
    if (good && a->html)
        keep(k, queries, count);
    for (size_t i = 0; i < count; i++)
        free(queries[i].hits);
    free(features);
    return good;
}

static bool answer_arguments(search_session *s, const arguments *a, kept *k, laip_error *error)
{
    for (size_t i = 0; i < a->count; i += TOGETHER)
        if (!answer(s, a, a->sentences + i, a->count - i < TOGETHER ? a->count - i : TOGETHER, i,
                    a->count > 1, k, error))
            return false;
    return true;
}

/* Lines are answered as soon as they are there: a pipe's one by one, a file's many at once. */
static bool answer_lines(search_session *s, const arguments *a, int fd, kept *k, laip_error *error)
{
    char *text = NULL;
    size_t used = 0, room = 0, first = 0;
    bool good = true, more = true;
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
        good = !count || answer(s, a, lines, count, first, true, k, error);
        first += count;
        memmove(text, text + at, used - at);
        used -= at;
    }
    free(text);
    return good;
}

static bool answer_file(search_session *s, const arguments *a, kept *k, laip_error *error)
{
    int fd = a->file && strcmp(a->file, "-") != 0 ? open(a->file, O_RDONLY) : STDIN_FILENO;
    if (fd < 0)
        return search_fail(error, LAIP_BAD_INPUT, "%s: cannot be read: %s", a->file, strerror(errno));
    bool good = answer_lines(s, a, fd, k, error);
    if (fd != STDIN_FILENO)
        close(fd);
    return good;
}

static bool answer_picture(search_session *s, const arguments *a, kept *k, laip_error *error)
{
    laip_network_info info = {.size = sizeof info};
    laip_photo *photo;
    search_query q = {.picture = a->like};
    if (laip_photo_open(&photo, a->like, error) != LAIP_OK)
        return false;
    laip_network_describe(s->network, &info);
    float *feature = calloc(info.embed + 1, sizeof *feature);
    if (!feature)
        abort();
    q.feature = feature;
    const laip_photo *photos[] = {photo};
    bool good = laip_encode_photos(s->network, photos, 1, feature, error) == LAIP_OK &&
                search_run(s, &q, 1, a->top, 0, error);
    if (good)
        print_results(s, a, &q, 1, false);
    if (good && a->html)
        keep(k, &q, 1);
    free(q.hits);
    free(feature);
    laip_photo_close(photo);
    return good;
}

static bool execute(search_session *s, const arguments *a, laip_error *error)
{
    kept k = {NULL, 0};
    bool good = search_open(s, a->index, a->model, a->device, true, error);
    if (good)
        good = a->like    ? answer_picture(s, a, &k, error)
               : a->count ? answer_arguments(s, a, &k, error)
                          : answer_file(s, a, &k, error);
    if (good && a->html)
        good = search_html(s, k.queries, k.count, a->html, error);
    for (size_t i = 0; i < k.count; i++) {
        free((char *)k.queries[i].sentence);
        free(k.queries[i].hits);
    }
    free(k.queries);
    return good;
}

int laip_search_query(int argc, char **argv)
{
    static const struct argp argp = {options, parse, "G [SENTENCE...]", documentation, NULL, NULL, NULL};
    arguments a = {.top = 10};
    search_session s = {NULL, NULL, NULL};
    laip_error error;
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    bool good = execute(&s, &a, &error);
    search_close(&s);
    return search_end("laip-search query", good, &error);
}
