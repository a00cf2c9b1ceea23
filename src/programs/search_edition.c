/* The editions of an index that is served: what was read of its file, and read anew when another takes its
 * place.  A request keeps the edition that it began with, which is released when nobody has it any more. */
#include "programs/search_serve.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A network, of all editions that were made with it. */
typedef struct shared_network {
    laip_network *network;
    size_t users;
} shared_network;

struct search_edition {
    search_session session; /* the engine is the server's */
    shared_network *shared; /* the session's */
    struct stat file;       /* as it was before it was read */
    size_t users;           /* requests, and the server while it is the newest */
};

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* For who has s->editions, as everything here that changes `users`. */
static void release(search_edition *e)
{
    if (--e->users)
        return;
    laip_index_close(e->session.index);
    if (--e->shared->users == 0) {
        laip_network_close(e->shared->network);
        free(e->shared);
    }
    free(e);
}

static void *allocate(size_t size)
{
    void *p = calloc(1, size);
    if (!p)
        abort();
    return p;
}

bool search_edition_first(search_server *s, const char *path, const char *model, const search_how *how,
                          laip_error *error)
{
    search_edition *e = s->newest = allocate(sizeof *e);
    pthread_mutex_init(&s->editions, NULL);
    s->path = path;
    s->model = model;
    e->users = 1;
    e->shared = allocate(sizeof *e->shared);
    e->shared->users = 1;
    stat(path, &e->file); /* what is wrong with it, opening says */
    bool good = search_open(&e->session, path, model, how, true, error);
    e->shared->network = e->session.network;
    return good;
}

void search_edition_end(search_server *s)
{
    laip_engine *engine = s->newest->session.engine;
    release(s->newest);
    laip_engine_close(engine);
    pthread_mutex_destroy(&s->editions);
}

/* With the network of the newest where it is that of the index; else with the one that the index names. */
static bool read_edition(const search_server *s, const search_edition *newest, search_edition *e,
                         laip_error *error)
{
    laip_index_info info = {.size = sizeof info};
    search_session *session = &e->session;
    session->engine = newest->session.engine;
    session->how = newest->session.how;
    if (laip_index_open(&session->index, s->path, error) != LAIP_OK)
        return false;
    if (laip_index_check(session->index, newest->session.network, NULL) == LAIP_OK) {
        e->shared = newest->shared;
        session->network = e->shared->network;
        return true;
    }
    laip_index_describe(session->index, &info);
    if (!search_open_network(session, s->model ? s->model : info.checkpoint, error))
        return false;
    e->shared = allocate(sizeof *e->shared);
    e->shared->network = session->network;
    return laip_index_check(session->index, session->network, error) == LAIP_OK;
}

/* Reads the file again; one that cannot be read is left alone until it is another. */
static void renew(search_server *s, search_edition *newest, const struct stat *file)
{
    laip_error error;
    laip_index_info info = {.size = sizeof info};
    search_edition *e = allocate(sizeof *e);
    bool good = read_edition(s, newest, e, &error);
    pthread_mutex_lock(&s->editions);
    e->users = 1;
    e->file = *file;
    if (!e->shared)
        e->shared = allocate(sizeof *e->shared); /* of nothing */
    e->shared->users++;
    if (good) {
        laip_index_describe(e->session.index, &info);
        s->newest = e;
        release(newest); /* the server's */
    } else {
        newest->file = *file;
        release(e);
    }
    s->reading = false;
    pthread_mutex_unlock(&s->editions);
    if (good)
        printf("the index has changed: %zu pictures\n", info.pictures);
    else
        fprintf(stderr, "laip-search serve: goes on with the index as it was: %s\n", error.text);
    fflush(stdout);
}

search_edition *search_edition_take(search_server *s, search_session **session)
{
    struct stat file;
    pthread_mutex_lock(&s->editions);
    search_edition *e = s->newest;
    e->users++;
    bool changed = !s->reading && stat(s->path, &file) == 0 && !same_file(&file, &e->file);
    s->reading |= changed; /* one reads it; the others go on with what there is */
    pthread_mutex_unlock(&s->editions);
    if (changed) {
        renew(s, e, &file);
        search_edition_give(s, e); /* NOLINT(clang-analyzer-unix.Malloc): one of its users is this */
        pthread_mutex_lock(&s->editions);
        e = s->newest;
        e->users++;
        pthread_mutex_unlock(&s->editions);
    }
    *session = &e->session;
    return e;
}

void search_edition_give(search_server *s, search_edition *e)
{
    pthread_mutex_lock(&s->editions);
    release(e);
    pthread_mutex_unlock(&s->editions);
}
