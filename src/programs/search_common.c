/* What the subcommands of laip-search share. */
#include "programs/search.h"

#include <argp.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

double search_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

bool search_fail(laip_error *error, laip_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    error->status = status;
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return false;
}

int search_end(const char *program, bool good, const laip_error *error)
{
    if (!good)
        fprintf(stderr, "%s: %s\n", program, error->text);
    return good ? 0 : (int)error->status;
}

size_t search_number(struct argp_state *state, const char *text, long least, long most)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (*end || end == text || errno || value < least || value > most)
        argp_error(state, "%s: expected a whole number from %ld to %ld", text, least, most);
    return (size_t)value;
}

enum { OPTION_DEVICE = 1024, OPTION_PRECISION, OPTION_STORAGE };

static error_t parse_how(int key, char *text, struct argp_state *state)
{
    search_how *how = state->input;
    const char **field = key == OPTION_DEVICE      ? &how->device
                         : key == OPTION_PRECISION ? &how->precision
                         : key == OPTION_STORAGE   ? &how->storage
                                                   : NULL;
    if (!field)
        return ARGP_ERR_UNKNOWN;
    *field = text;
    return 0;
}

static const struct argp_option how_options[] = {
    {"device", OPTION_DEVICE, "D", 0, "Number, kind (gpu, cpu), part of a name, or auto", 0},
    {"precision", OPTION_PRECISION, "P", 0,
     "Of products and attention on matrix units: fp32, tf32, bf16 or fp16 (as the run's config says)", 0},
    {"storage", OPTION_STORAGE, "HOW", 0,
     "Of weights and activations: float, half or bfloat16 (as the run's config says)", 0},
    {0}};
const struct argp search_how_argp = {how_options, parse_how, NULL, NULL, NULL, NULL, NULL};

/* Notes are not for who searches; warnings are. */
static void print_message(void *user, const char *line)
{
    (void)user;
    if (strncmp(line, "warning: ", 9) == 0)
        fprintf(stderr, "%s\n", line);
}

bool search_open_network(search_session *s, const char *model, laip_error *error)
{
    struct stat st;
    char file[4096];
    if (stat(model, &st) == 0 && S_ISDIR(st.st_mode)) {
        snprintf(file, sizeof file, "%s/best.safetensors", model);
        model = file;
    }
    laip_network_options o = {.size = sizeof o, .precision = s->how.precision, .storage = s->how.storage};
    return laip_network_open(&s->network, s->engine, model, &o, error) == LAIP_OK;
}

bool search_open_model(search_session *s, const char *model, const search_how *how, bool quiet,
                       laip_error *error)
{
    laip_engine_options o = {
        .size = sizeof o, .device = how->device, .message = quiet ? NULL : print_message};
    s->how = *how;
    return laip_engine_open(&s->engine, &o, error) == LAIP_OK && search_open_network(s, model, error);
}

/* That an index is missing may mean that it is not finished, or not begun. */
static bool explain_missing(const char *path, laip_error *error)
{
    char journal[4096];
    snprintf(journal, sizeof journal, "%s.journal", path);
    if (access(path, F_OK) == 0)
        return false;
    int why = errno;
    if (access(journal, F_OK) == 0)
        return search_fail(
            error, LAIP_BAD_INPUT,
            "%s: is not finished: run `laip-search index` again, which goes on from where it was", path);
    return search_fail(error, LAIP_BAD_INPUT, "%s: %s; `laip-search index MODEL FOLDER -o %s` makes an index",
                       path, strerror(why), path);
}

bool search_open(search_session *s, const char *path, const char *model, const search_how *how, bool quiet,
                 laip_error *error)
{
    laip_index_info info = {.size = sizeof info};
    if (laip_index_open(&s->index, path, error) != LAIP_OK)
        return explain_missing(path, error);
    laip_index_describe(s->index, &info);
    if (!model && access(info.checkpoint, R_OK) != 0)
        return search_fail(error, LAIP_BAD_INPUT,
                           "%s: was made with %s, which cannot be read: %s; --model names it", path,
                           info.checkpoint, strerror(errno));
    return search_open_model(s, model ? model : info.checkpoint, how, quiet, error) &&
           laip_index_check(s->index, s->network, error) == LAIP_OK;
}

void search_close(search_session *s)
{
    laip_index_close(s->index);
    laip_network_close(s->network);
    laip_engine_close(s->engine);
    *s = (search_session){.engine = NULL};
}

/* The bytes of the UTF-8 character that begins at c, 0 when none does. */
static size_t character(const unsigned char *c)
{
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = c[0] < 0x80 ? 1 : c[0] >> 5 == 6 ? 2 : c[0] >> 4 == 14 ? 3 : c[0] >> 3 == 30 ? 4 : 0;
    unsigned value = n > 1 ? c[0] & (0x7fu >> n) : c[0];
    for (size_t i = 1; i < n; i++) {
        if ((c[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (c[i] & 0x3f);
    }
    return n > 1 && (value < least[n] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) ? 0 : n;
}

char *search_utf8(const char *text)
{
    char *out = malloc(3 * strlen(text) + 1), *to = out;
    if (!out)
        abort();
    for (const char *c = text; *c;) {
        size_t n = character((const unsigned char *)c);
        memcpy(to, n ? c : "\xef\xbf\xbd", n ? n : 3);
        to += n ? n : 3;
        c += n ? n : 1;
    }
    *to = '\0';
    return out;
}

void search_escape(FILE *to, const char *text)
{
    for (const char *c = text; *c; c++) {
        const char *entity = *c == '&'    ? "&amp;"
                             : *c == '<'  ? "&lt;"
                             : *c == '>'  ? "&gt;"
                             : *c == '"'  ? "&quot;"
                             : *c == '\'' ? "&#39;"
                                          : NULL;
        if (entity)
            fputs(entity, to);
        else
            fputc(*c, to);
    }
}
