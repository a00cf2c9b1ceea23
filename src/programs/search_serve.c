/* laip-search serve: a page to search with, and the same as JSON, on this machine. */
#include "programs/search_serve.h"

#include <argp.h>
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { OPTION_PORT = 256, OPTION_BIND, OPTION_RERANK, OPTION_MODEL };
enum {
    THREADS = 8,
    CONNECTIONS = 500,       /* at once */
    IDLE = 30,               /* seconds after which a connection is closed */
    HEAD_BYTES = 32 << 10,   /* of a request's line and headers */
    UPLOAD_BYTES = 16 << 20, /* of a picture */
    UPLOADS = 16             /* at once */
};

typedef struct arguments {
    const char *index, *model, *bind;
    search_how how;
    size_t port, rerank;
} arguments;

static const struct argp_option options[] = {
    {"port", OPTION_PORT, "N", 0, "Port (8080); 0: any that is free", 0},
    {"bind", OPTION_BIND, "ADDRESS", 0,
     "Address of this machine that is listened on (127.0.0.1: for this machine alone)", 0},
    {"rerank", OPTION_RERANK, "N", 0,
     "How many of the best pictures the page ranks again by matching (32); 0: none", 0},
    {"model", OPTION_MODEL, "MODEL", 0, "The checkpoint, when it is no more where it was", 0},
    {0}};

static const char documentation[] =
    "Serves a page that searches the index G with sentences and pictures, and shows where in a picture each "
    "phrase of the sentence looks; and the same as JSON: /api/search?q=SENTENCE&top=N&rerank=N, with like=ID "
    "of a picture of the index or a picture as the body of a POST, and not=WORDS."
    "\vOnly pictures of the index can be read through it, as they were indexed.  On another address than "
    "127.0.0.1 everyone who reaches it can: there is no password.  When the index changes, the next search "
    "is in the new "
    "one.\n\nExample:\n\n  laip-search serve photos.laip\n  curl "
    "'http://127.0.0.1:8080/api/search?q=a+red+coat&top=3'";

static error_t parse(int key, char *text, struct argp_state *state)
{
    arguments *a = state->input;
    switch (key) {
    case OPTION_PORT:
        a->port = search_number(state, text, 0, 65535);
        return 0;
    case OPTION_BIND:
        a->bind = text;
        return 0;
    case OPTION_RERANK:
        a->rerank = search_number(state, text, 0, 1000);
        return 0;
    case OPTION_MODEL:
        a->model = text;
        return 0;
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &a->how;
        return 0;
    case ARGP_KEY_ARG:
        if (a->index)
            argp_error(state, "%s: expected one index", text);
        a->index = text;
        return 0;
    case ARGP_KEY_END:
        if (!a->index)
            argp_error(state, "G, the index, is needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

typedef struct site {
    search_server server;
    bool local; /* bound to this machine alone: then requests must say so too */
    atomic_int uploads;
} site;

/* A request whose body comes in parts. */
typedef struct upload {
    char *data;
    size_t size, room;
    bool counted, refused;
} upload;

/* Who may put pictures into other sites' pages, and what this one may load: nothing that is not here. */
static const char *const headers[][2] = {
    {"Content-Security-Policy",
     "default-src 'none'; img-src 'self' blob:; script-src 'self'; style-src 'self'; connect-src 'self'; "
     "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Referrer-Policy", "no-referrer"}};

static enum MHD_Result send_answer(struct MHD_Connection *c, search_answer *a)
{
    struct MHD_Response *r =
        a->file
            ? MHD_create_response_from_buffer(a->file->length, (void *)a->file->text, MHD_RESPMEM_PERSISTENT)
            : MHD_create_response_from_buffer(a->size, a->body, MHD_RESPMEM_MUST_FREE);
    if (!r) {
        free(a->body);
        return MHD_NO;
    }
    MHD_add_response_header(r, "Content-Type", a->type);
    MHD_add_response_header(r, "Cache-Control", a->keep ? "private, max-age=86400, immutable" : "no-store");
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        MHD_add_response_header(r, headers[i][0], headers[i][1]);
    enum MHD_Result result = MHD_queue_response(c, a->status, r);
    MHD_destroy_response(r);
    return result;
}

static enum MHD_Result refuse(struct MHD_Connection *c, unsigned status, const char *why)
{
    search_answer a = search_refuse(status, why);
    return send_answer(c, &a);
}

/* A page of elsewhere whose name was made to mean this machine would send its own name as Host. */
static bool is_for_us(const site *s, struct MHD_Connection *c)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    const char *host = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Host");
    if (!s->local)
        return true;
    for (size_t i = 0; host && i < sizeof names / sizeof *names; i++) {
        size_t n = strlen(names[i]);
        if (strncmp(host, names[i], n) == 0 && (!host[n] || host[n] == ':'))
            return true;
    }
    return false;
}

static bool take_part(upload *u, const char *data, size_t size)
{
    if (u->refused || u->size + size > UPLOAD_BYTES)
        return false;
    if (u->size + size > u->room) {
        u->room = 2 * (u->size + size);
        char *grown = realloc(u->data, u->room);
        if (!grown)
            return false;
        u->data = grown;
    }
    memcpy(u->data + u->size, data, size);
    u->size += size;
    return true;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *c, const char *url, const char *method,
                              const char *version, const char *data, size_t *size, void **state)
{
    site *s = context;
    upload *u = *state;
    bool post = strcmp(method, "POST") == 0;
    (void)version;
    if (!u) { /* the head alone is there */
        u = *state = calloc(1, sizeof *u);
        if (!u)
            return MHD_NO;
        u->counted = post;
        u->refused = post && atomic_fetch_add(&s->uploads, 1) >= UPLOADS;
        return MHD_YES;
    }
    if (*size) {
        if (!take_part(u, data, *size))
            u->refused = true;
        *size = 0;
        return MHD_YES;
    }
    if (!is_for_us(s, c))
        return refuse(c, MHD_HTTP_FORBIDDEN, "this server is for its own machine");
    if (!post && strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return refuse(c, MHD_HTTP_METHOD_NOT_ALLOWED, "expected GET or POST");
    if (u->refused)
        return u->size ? refuse(c, MHD_HTTP_CONTENT_TOO_LARGE, "the picture is too large: at most 16 MiB")
                       : refuse(c, MHD_HTTP_SERVICE_UNAVAILABLE, "too many pictures at once");
    search_request r = {.path = url, .post = post, .upload = u->data ? u->data : "", .upload_size = u->size};
    const struct {
        const char *name, **to;
    } fields[] = {{"q", &r.q},   {"like", &r.like}, {"not", &r.without},
                  {"id", &r.id}, {"top", &r.top},   {"rerank", &r.rerank}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        *fields[i].to = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, fields[i].name);
    search_answer a = search_api(&s->server, &r);
    return send_answer(c, &a);
}

static void completed(void *context, struct MHD_Connection *c, void **state,
                      enum MHD_RequestTerminationCode how)
{
    site *s = context;
    upload *u = *state;
    (void)c;
    (void)how;
    if (!u)
        return;
    if (u->counted)
        atomic_fetch_sub(&s->uploads, 1);
    free(u->data);
    free(u);
    *state = NULL;
}

/* Either family's address of a's --bind and --port. */
static bool make_address(const arguments *a, struct sockaddr_storage *address, bool *six, bool *local,
                         laip_error *error)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)a->port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)a->port)};
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, a->bind, &v4.sin_addr) == 1) {
        memcpy(address, &v4, sizeof v4);
        *local = ntohl(v4.sin_addr.s_addr) >> 24 == 127;
        *six = false;
    } else if (inet_pton(AF_INET6, a->bind, &v6.sin6_addr) == 1) {
        memcpy(address, &v6, sizeof v6);
        *local = IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
        *six = true;
    } else
        return search_fail(error, LAIP_BAD_INPUT,
                           "--bind %s: expected a numeric address, such as 127.0.0.1 or ::1", a->bind);
    return true;
}

static bool serve(site *s, const arguments *a, const sigset_t *ends, laip_error *error)
{
    struct sockaddr_storage address;
    bool six = false;
    int which;
    laip_index_info info = {.size = sizeof info};
    search_session *session;
    if (!make_address(a, &address, &six, &s->local, error))
        return false;
    signal(SIGPIPE, SIG_IGN);
    struct MHD_Daemon *d = MHD_start_daemon(
        MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD | (six ? MHD_USE_IPv6 : 0), (uint16_t)a->port, NULL,
        NULL, answer, s, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address, MHD_OPTION_THREAD_POOL_SIZE,
        (unsigned)THREADS, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)IDLE, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_BYTES, MHD_OPTION_NOTIFY_COMPLETED,
        completed, s, MHD_OPTION_END);
    if (!d)
        return search_fail(error, LAIP_FAILURE, "%s port %zu: cannot be listened on: %s", a->bind, a->port,
                           strerror(errno));
    const union MHD_DaemonInfo *port = MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT);
    search_edition *now = search_edition_take(&s->server, &session);
    laip_index_describe(session->index, &info);
    search_edition_give(&s->server, now);
    printf("http://%s%s%s:%u/  serves %zu pictures until Ctrl-C\n", six ? "[" : "", a->bind, six ? "]" : "",
           port ? port->port : (unsigned)a->port, info.pictures);
    fflush(stdout);
    sigwait(ends, &which);
    MHD_stop_daemon(d);
    return true;
}

int laip_search_serve(int argc, char **argv)
{
    static const struct argp_child how[] = {{&search_how_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {options, parse, "G", documentation, how, NULL, NULL};
    arguments a = {.port = 8080, .rerank = 32, .bind = "127.0.0.1"};
    site s = {.server = {.rerank = 0}};
    laip_error error;
    sigset_t ends;
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, NULL); /* before there are other threads, which have it from here */
    s.server.rerank = a.rerank;
    pthread_mutex_init(&s.server.decoder, NULL);
    bool good =
        search_edition_first(&s.server, a.index, a.model, &a.how, &error) && serve(&s, &a, &ends, &error);
    search_edition_end(&s.server);
    pthread_mutex_destroy(&s.server.decoder);
    return search_end("laip-search serve", good, &error);
}
