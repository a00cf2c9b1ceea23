/* laip-search: its subcommands, and what they share.  Of the library they use laip.h alone. */
#ifndef LAIP_PROGRAMS_SEARCH_H
#define LAIP_PROGRAMS_SEARCH_H

#include "laip/laip.h"
#include <argp.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

int laip_search_index(int argc, char **argv);
int laip_search_query(int argc, char **argv);
int laip_search_serve(int argc, char **argv);

/* How the network runs, as options of every subcommand say; NULL: as it does by itself. */
typedef struct search_how {
    const char *device, *precision, *storage;
} search_how;
extern const struct argp search_how_argp; /* a child of theirs, whose input is a search_how */

/* An index with the network that it was made with. */
typedef struct search_session {
    search_how how;
    laip_engine *engine;
    laip_network *network;
    laip_index *index;
} search_session;

/* model NULL: where the index says that the checkpoint is.  A run folder stands for its best.safetensors. */
bool search_open(search_session *s, const char *path, const char *model, const search_how *how, bool quiet,
                 laip_error *error);
bool search_open_model(search_session *s, const char *model, const search_how *how, bool quiet,
                       laip_error *error);
bool search_open_network(search_session *s, const char *model, laip_error *error); /* the engine is there */
void search_close(search_session *s);

/* What a query has beside its sentence: a picture that what is found is to be like, or words for what it is
 * not. */
typedef struct search_part {
    const char *text; /* the picture's name, or the words */
    bool picture;
    const laip_photo *photo; /* of a picture; NULL: text is its file */
    double weight;           /* beside the sentence's 1; negative: without it */
} search_part;

/* "2:text" or "text", whose weight is 1. */
void search_part_parse(search_part *part, const char *text, bool picture, bool without);
/* sum [E] = the sum of the parts' features by their weights. */
bool search_parts_encode(search_session *s, const search_part *parts, size_t count, float *sum,
                         laip_error *error);
/* feature [E] + sum, of unit length again. */
bool search_parts_add(float *feature, const float *sum, size_t embed, laip_error *error);

/* A query: a sentence, parts, or both, and what was found for it. */
typedef struct search_query {
    const char *sentence;     /* NULL: parts alone */
    const search_part *parts; /* part_count of them; with any, nothing is re-ranked */
    size_t part_count;
    float *feature; /* [E] */
    laip_hit *hits; /* [top] */
    size_t count;
    double seconds; /* from the encoded query to the hits */
} search_query;

/* Searches with queries whose features are there; re-ranks those of a sentence alone when rerank > 0. */
bool search_run(search_session *s, search_query *queries, size_t count, size_t top, size_t rerank,
                laip_error *error);
json_t *search_json(const search_session *s, const search_query *q);
json_t *search_hit_json(const search_session *s, const laip_hit *hit, size_t rank);
/* One page with the pictures in it. */
bool search_html(const search_session *s, const search_query *queries, size_t count, const char *path,
                 laip_error *error);

enum { SEARCH_THUMBNAIL = 480 }; /* pixels of a small picture's longer side */

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
size_t search_number(struct argp_state *state, const char *text, long least, long most);

#endif
