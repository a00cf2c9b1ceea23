/* laip-search index: the index of a folder, made or brought up to date. */
#include "programs/search.h"

#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPTION_QUIET = 256, OPTION_REPLACE };

typedef struct arguments {
    const char *model, *folder, *out;
    search_how how;
    bool quiet, replace;
} arguments;

static const struct argp_option options[] = {
    {"output", 'o', "G", 0, "The index file: made, or brought up to date", 0},
    {"replace", OPTION_REPLACE, NULL, 0, "Where G was made with another checkpoint, makes it anew", 0},
    {"quiet", OPTION_QUIET, NULL, 0, "Prints errors and pictures that cannot be read, nothing else", 0},
    {0}};

static const char documentation[] =
    "Encodes all JPEG and PNG pictures of FOLDER and of the folders in it with the checkpoint MODEL (a file, "
    "or a run's folder), and keeps what `laip-search query` needs in the file G."
    "\vRun again, it encodes only what is new: pictures are known by their content, so that moved, copied "
    "and "
    "renamed ones are recognised, changed ones are encoded again and deleted ones go.  It may be interrupted "
    "at any moment; the same command goes on from there (what is done waits in G.journal).  Pictures that "
    "cannot be read are listed.  Hidden files and folders and symbolic links are left alone.\n\n"
    "Example:\n\n  laip-search index best.safetensors ~/photos -o photos.laip\n"
    "  laip-search query photos.laip \"a woman in a long red coat\"";

static error_t parse(int key, char *text, struct argp_state *state)
{
    arguments *a = state->input;
    switch (key) {
    case 'o':
        a->out = text;
        return 0;
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &a->how;
        return 0;
    case OPTION_QUIET:
        a->quiet = true;
        return 0;
    case OPTION_REPLACE:
        a->replace = true;
        return 0;
    case ARGP_KEY_ARG:
        if (a->model && a->folder)
            argp_error(state, "%s: expected MODEL and FOLDER alone", text);
        *(a->model ? &a->folder : &a->model) = text;
        return 0;
    case ARGP_KEY_END:
        if (!a->folder || !a->out)
            argp_error(state, "MODEL, FOLDER and -o G are needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
    (void)signal;
    stopped = 1;
}

typedef struct display {
    bool quiet, terminal, open;
    double last;
} display;

static void end_line(display *d)
{
    if (d->open)
        fputc('\n', stderr);
    d->open = false;
}

static void unreadable(void *user, const char *line)
{
    display *d = user;
    end_line(d);
    fprintf(stderr, "cannot be read: ");
    for (const char *c = line; *c; c++) /* a name may hold anything */
        fputc((unsigned char)*c < ' ' || *c == 127 ? '?' : *c, stderr);
    fputc('\n', stderr);
}

/* Pictures a second and the time that what is left takes at that. */
static int progress(void *user, const laip_index_progress *p)
{
    display *d = user;
    double now = search_seconds();
    if (!d->quiet && p->encoded && p->done < p->total && now - d->last >= (d->terminal ? 0.1 : 10)) {
        double rate = p->seconds > 0 ? (double)p->encoded / p->seconds : 0;
        int left = rate > 0 ? (int)((double)(p->total - p->done) / rate) : 0;
        d->last = now;
        fprintf(stderr, "%s%zu of %zu files, %.1f pictures/s", d->terminal ? "\r\033[K" : "", p->done,
                p->total, rate);
        if (rate > 0)
            fprintf(stderr, ", %d:%02d:%02d left", left / 3600, left / 60 % 60, left % 60);
        if (!d->terminal)
            fputc('\n', stderr);
        d->open = d->terminal;
        fflush(stderr);
    }
    return stopped;
}

/* The index of the file, or a new one; one of another folder is refused, unless that folder is no more. */
static bool open_index(search_session *s, const arguments *a, laip_error *error)
{
    laip_index_info info = {.size = sizeof info};
    if (access(a->out, F_OK) != 0)
        return laip_index_create(&s->index, s->network, a->folder, error) == LAIP_OK;
    if (laip_index_open(&s->index, a->out, error) != LAIP_OK)
        return false;
    if (laip_index_check(s->index, s->network, error) != LAIP_OK) {
        if (!a->replace) {
            laip_error why = *error;
            return search_fail(error, why.status, "%.900s, or with --replace", why.text);
        }
        laip_index_close(s->index);
        s->index = NULL;
        return laip_index_create(&s->index, s->network, a->folder, error) == LAIP_OK;
    }
    laip_index_describe(s->index, &info);
    char *folder = realpath(a->folder, NULL), *old = realpath(info.folder, NULL);
    bool other = folder && old && strcmp(folder, old) != 0;
    if (other)
        search_fail(error, LAIP_BAD_INPUT, "%s: is the index of %s, not of %s: name another file with -o",
                    a->out, info.folder, folder);
    bool moved = folder && !old;
    free(folder);
    free(old);
    return !other && (!moved || laip_index_move(s->index, a->folder, error) == LAIP_OK);
}

static void report(const search_session *s, const arguments *a, const laip_update_report *r)
{
    laip_index_info info = {.size = sizeof info};
    laip_index_describe(s->index, &info);
    printf("%s: %zu pictures, %zu files: %zu encoded", a->out, info.pictures, info.files, r->encoded);
    const struct {
        size_t count;
        const char *what;
    } parts[] = {{r->resumed, "taken from the interrupted run"},
                 {r->unchanged, "unchanged"},
                 {r->recognised, "recognised by content"},
                 {r->gone, "gone"},
                 {r->unreadable, "cannot be read"}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].count)
            printf(", %zu %s", parts[i].count, parts[i].what);
    printf("; %.1f s", r->seconds);
    if (r->encoded)
        printf(", %.1f pictures/s", (double)r->encoded / r->seconds);
    printf("\nnext: laip-search query %s \"a woman in a long red coat\", or laip-search serve %s\n", a->out,
           a->out);
}

static bool execute(search_session *s, const arguments *a, laip_error *error)
{
    display d = {.quiet = a->quiet, .terminal = isatty(STDERR_FILENO)};
    laip_update_report r = {.size = sizeof r};
    char journal[4096];
    laip_update_options o = {
        .size = sizeof o, .journal = journal, .progress = progress, .unreadable = unreadable, .user = &d};
    if (snprintf(journal, sizeof journal, "%s.journal", a->out) >= (int)sizeof journal)
        return search_fail(error, LAIP_BAD_INPUT, "%s: the name is too long", a->out);
    if (!search_open_model(s, a->model, &a->how, a->quiet, error) || !open_index(s, a, error))
        return false;
    bool good = laip_index_update(s->index, s->network, &o, &r, error) == LAIP_OK;
    end_line(&d);
    if (!good && stopped)
        return search_fail(error, LAIP_FAILURE, "interrupted; the same command goes on from here");
    if (!good || laip_index_save(s->index, a->out, error) != LAIP_OK)
        return false;
    laip_index_forget_journal(journal);
    if (!a->quiet)
        report(s, a, &r);
    return true;
}

int laip_search_index(int argc, char **argv)
{
    static const struct argp_child how[] = {{&search_how_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {options, parse, "MODEL FOLDER", documentation, how, NULL, NULL};
    arguments a = {.model = NULL};
    search_session s = {.engine = NULL};
    laip_error error;
    struct sigaction action = {.sa_handler = stop, .sa_flags = SA_RESETHAND | SA_RESTART};
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    bool good = execute(&s, &a, &error);
    search_close(&s);
    return search_end("laip-search index", good, &error);
}
