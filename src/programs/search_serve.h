/* laip-search serve: what its two files share. */
#ifndef LAIP_PROGRAMS_SEARCH_SERVE_H
#define LAIP_PROGRAMS_SEARCH_SERVE_H

#include "programs/search.h"
#include <pthread.h>
#include <stddef.h>

/* The files of search_web/, embedded at build time; NULL at the end. */
typedef struct search_web_file {
    const char *name, *text;
    size_t length;
} search_web_file;

extern const search_web_file search_web_files[];

/* The index as it was read once, with its network: search_edition.c. */
typedef struct search_edition search_edition;

typedef struct search_server {
    size_t rerank;            /* at most, and what the page asks for */
    pthread_mutex_t decoder;  /* one picture from outside is decoded at a time: it may be large */
    const char *path, *model; /* of the index; --model, or NULL */
    pthread_mutex_t editions;
    search_edition *newest;
    bool reading; /* somebody reads the index anew */
} search_server;

/* Reads the index for the first time; whether good or not, search_edition_end follows. */
bool search_edition_first(search_server *server, const char *path, const char *model, const search_how *how,
                          laip_error *error);
void search_edition_end(search_server *server);
/* The newest edition, for one request: reads the index's file when it is another than before, and says so.
 * search_edition_give gives it back. */
search_edition *search_edition_take(search_server *server, search_session **session);
void search_edition_give(search_server *server, search_edition *edition);

/* An answer: HTTP status, type, and a body that free() releases; body NULL: see file. */
typedef struct search_answer {
    unsigned status;
    const char *type;
    void *body;
    size_t size;
    const search_web_file *file;
    bool keep; /* the browser may keep it: its address names its content */
} search_answer;

/* What a request asks for, its arguments unescaped, NULL where it has none. */
typedef struct search_request {
    const char *path, *q, *like, *without, *id, *top, *rerank;
    const void *upload; /* of a POST */
    size_t upload_size;
    bool post;
} search_request;

search_answer search_api(search_server *server, const search_request *request);
search_answer search_refuse(unsigned status, const char *why);

#endif
