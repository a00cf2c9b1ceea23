/* laip-search: its subcommands, and what they share.  Of the library they use laip.h alone. */
#ifndef LAIP_PROGRAMS_SEARCH_H
#define LAIP_PROGRAMS_SEARCH_H

#include "laip/laip.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

int laip_search_index(int argc, char **argv);
int laip_search_query(int argc, char **argv);
int laip_search_serve(int argc, char **argv);

/* An index with the network that it was made with. */
typedef struct search_session {
    laip_engine *engine;
    laip_network *network;
    laip_index *index;
} search_session;

/* model NULL: where the index says that the checkpoint is.  A run folder stands for its best.safetensors. */
bool search_open(search_session *s, const char *path, const char *model, const char *device, bool quiet,
                 laip_error *error);
bool search_open_model(search_session *s, const char *model, const char *device, bool quiet,
                       laip_error *error);
void search_close(search_session *s);

/* A query: a sentence or a picture, and what was found for it. */
typedef struct search_query {
    const char *sentence; /* NULL: by a picture */
    const char *picture;
    float *feature; /* [E] */
    laip_hit *hits; /* [top] */
    size_t count;
    double seconds; /* from the encoded query to the hits */
} search_query;

/* Searches with queries whose features are there; re-ranks those of sentences when rerank > 0. */
bool search_run(search_session *s, search_query *queries, size_t count, size_t top, size_t rerank,
                laip_error *error);
json_t *search_json(const search_session *s, const search_query *q);
json_t *search_hit_json(const search_session *s, const laip_hit *hit, size_t rank);
/* One page with the pictures in it. */
bool search_html(const search_session *s, const search_query *queries, size_t count, const char *path,
                 laip_error *error);

double search_seconds(void);
/* The text as UTF-8 that JSON and HTML take: what is none becomes U+FFFD.  free() releases it. */
char *search_utf8(const char *text);
/* & < > " ' as entities. */
void search_escape(FILE *to, const char *text);
bool search_fail(laip_error *error, laip_status status, const char *format, ...)
    __attribute__((__format__(__printf__, 3, 4)));
/* Prints `PROGRAM: line` to standard error; returns the exit status. */
int search_end(const char *program, bool good, const laip_error *error);
/* A whole number of at least `least` or an end with argp's message. */
struct argp_state;
size_t search_number(struct argp_state *state, const char *text, long least, long most);

#endif
