/* The run folder: one run at a time, none overwritten unasked, nothing left of a run that was killed. */
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "train/run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

char *laip_run_path(const laip_run *r, const char *name)
{
    return laip_path_join(r->config->out, name);
}

static bool exists(const laip_run *r, const char *name)
{
    char *path = laip_run_path(r, name);
    bool yes = access(path, F_OK) == 0;
    free(path);
    return yes;
}

static bool take_lock(laip_run *r, uint64_t token, laip_error *error)
{
    char *path = laip_run_path(r, "lock"), holder[200] = "";
    bool good = true;
    r->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (r->lock < 0)
        good = laip_failure(error, "%s: cannot be written: %s", path, strerror(errno));
    else if (flock(r->lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        ssize_t n = read(r->lock, holder, sizeof holder - 1);
        holder[n > 0 ? n : 0] = '\0';
        holder[strcspn(holder, "\n")] = '\0';
        good = laip_bad_input(error, "%s: another run is at work in this folder: %s", path, holder);
    } else { /* a file system that knows no locks is used without */
        laip_str text = {0};
        laip_str_addf(&text, "process %ld on %s\n%016" PRIx64 "\n", (long)getpid(),
                      laip_ranks_host(r->ranks, 0), token);
        good = ftruncate(r->lock, 0) == 0 &&
               pwrite(r->lock, text.text, text.length, 0) == (ssize_t)text.length && fsync(r->lock) == 0;
        if (!good)
            laip_failure(error, "%s: cannot be written: %s", path, strerror(errno));
        free(text.text);
    }
    free(path);
    return good;
}

/* Calls each for the files of a folder whose names it matches. */
static void remove_matching(const char *folder, bool (*matches)(const char *name))
{
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d)) != NULL;)
        if (matches(e->d_name)) {
            char *path = laip_path_join(folder, e->d_name);
            unlink(path);
            free(path);
        }
    if (d)
        closedir(d);
}

/* NAME.tmp-PID-N, as base/file.c calls what is being written. */
static bool is_temporary(const char *name)
{
    const char *at = strstr(name, ".tmp-");
    return at && at[5] && strspn(at + 5, "0123456789-") == strlen(at + 5);
}

static bool is_state(const char *name)
{
    return strncmp(name, "state", 5) == 0 || strncmp(name, "products.", 9) == 0;
}

static void clean(const laip_run *r, bool all)
{
    static const char *const files[] = {"metrics.jsonl", "timing.jsonl", "best.safetensors",
                                        "config.yaml",   "vocab.txt",    "shares"};
    char *last = laip_run_path(r, "last"), *report = laip_run_path(r, "report");
    remove_matching(r->config->out, is_temporary);
    remove_matching(last, is_temporary);
    remove_matching(report, is_temporary);
    if (all)
        remove_matching(last, is_state);
    for (size_t i = 0; all && i < sizeof files / sizeof *files; i++) {
        char *path = laip_run_path(r, files[i]);
        unlink(path);
        free(path);
    }
    free(last);
    free(report);
}

static bool prepare(laip_run *r, uint64_t token, laip_error *error)
{
    const laip_train_options *o = r->options;
    const char *out = r->config->out;
    bool run = exists(r, "config.yaml") || exists(r, "metrics.jsonl") ||
               exists(r, "last/state.safetensors") || exists(r, "best.safetensors");
    if (run && !o->resume && !o->overwrite)
        return laip_bad_input(error, "%s: holds a run; --resume goes on with it, --overwrite replaces it",
                              out);
    if (!run && o->resume)
        return laip_bad_input(error, "%s: holds no run that could go on, expected one for --resume", out);
    char *last = laip_run_path(r, "last");
    bool good = laip_make_folders(last, error) && take_lock(r, token, error);
    free(last);
    if (good)
        clean(r, false);
    return good;
}

/* Whether this rank finds in the folder what rank 0 wrote there; a network's file system may take a while. */
static bool sees(const laip_run *r, uint64_t token, laip_error *error)
{
    static const struct timespec pause = {0, 200000000};
    char *path = laip_run_path(r, "lock"), wanted[32];
    bool found = false;
    snprintf(wanted, sizeof wanted, "%016" PRIx64, token);
    for (int tries = 0; tries < 50 && !found; tries++) {
        char *text;
        size_t size;
        laip_error ignored;
        if (laip_file_read(path, &text, &size, &ignored)) {
            found = strstr(text, wanted) != NULL;
            free(text);
        }
        if (!found)
            nanosleep(&pause, NULL);
    }
    free(path);
    return found ||
           laip_bad_input(
               error, "%s: on %s is not the folder of rank 0 on %s, expected one that all hosts share",
               r->config->out, laip_ranks_host(r->ranks, r->ranks->rank), laip_ranks_host(r->ranks, 0));
}

bool laip_run_open_folder(laip_run *r, laip_error *error)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t token = (uint64_t)now.tv_sec * 1000000007u + (uint64_t)now.tv_nsec + (uint64_t)getpid();
    laip_ranks_broadcast(r->ranks, &token, sizeof token);
    bool good = r->ranks->rank || prepare(r, token, error);
    if (!laip_run_all(r, good, error))
        return false;
    return laip_run_all(r, sees(r, token, error), error);
}

void laip_run_tidy(const laip_run *r)
{
    laip_ranks_barrier(r->ranks);
    if (!r->ranks->rank)
        clean(r, false);
}

bool laip_run_describe(laip_run *r, laip_error *error)
{
    char *config = laip_run_path(r, "config.yaml"), *vocab = laip_run_path(r, "vocab.txt");
    if (!r->ranks->rank && !r->options->resume)
        clean(r, true); /* only now, as its weights may be those that this run begins with */
    bool good = r->ranks->rank || (laip_file_write(vocab, r->corpus.vocab, strlen(r->corpus.vocab), error) &&
                                   laip_file_write(config, r->yaml.text, r->yaml.length, error));
    free(config);
    free(vocab);
    return good;
}
