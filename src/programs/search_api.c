/* The answers of laip-search serve: files of the page, pictures of the index, and JSON. */
#include "programs/search_serve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TOP = 500, LONGEST_QUERY = 4000, SMALL_FILE = 64 << 10 };

static search_answer json_answer(unsigned status, json_t *j)
{
    char *text = json_dumps(j, JSON_PRESERVE_ORDER | JSON_COMPACT | JSON_REAL_PRECISION(6));
    json_decref(j);
    if (!text)
        abort();
    return (search_answer){.status = status, .type = "application/json", .body = text, .size = strlen(text)};
}

search_answer search_refuse(unsigned status, const char *why)
{
    char *clean = search_utf8(why);
    search_answer a = json_answer(status, json_pack("{s:s}", "error", clean));
    free(clean);
    return a;
}

static search_answer failed(const laip_error *error)
{
    return search_refuse(error->status == LAIP_BAD_INPUT ? 400 : 500, error->text);
}

/* A whole number of at most `most`; text NULL: what is taken without one. */
static bool number(const char *text, size_t without, size_t most, size_t *value)
{
    char *end;
    errno = 0;
    *value = without;
    if (!text)
        return true;
    if (*text < '0' || *text > '9')
        return false;
    unsigned long long n = strtoull(text, &end, 10);
    *value = (size_t)n;
    return !*end && !errno && n <= most;
}

/* A request with what answers it: the index of its edition. */
typedef struct turn {
    search_server *server;
    search_session *session;
    const search_request *request;
} turn;

/* A picture's bytes, decoded: one at a time. */
static bool decode(search_server *s, laip_photo **photo, const void *data, size_t size, laip_error *error)
{
    pthread_mutex_lock(&s->decoder);
    bool good = laip_photo_decode(photo, data, size, "the picture", error) == LAIP_OK;
    pthread_mutex_unlock(&s->decoder);
    return good;
}

/* The file of the picture of the index that id names; false: *a says why not. */
static bool read_picture(const turn *t, const char *id, void **data, size_t *size, const char **type,
                         search_answer *a)
{
    laip_error error;
    size_t picture;
    if (laip_index_find(t->session->index, id, &picture, &error) != LAIP_OK)
        *a = search_refuse(404, error.text);
    else if (laip_index_read(t->session->index, picture, data, size, type, &error) != LAIP_OK)
        *a = search_refuse(410, error.text);
    else
        return true;
    return false;
}

/* The same, decoded; NULL: *a says why not. */
static laip_photo *open_picture(const turn *t, const char *id, search_answer *a)
{
    laip_error error;
    laip_photo *photo = NULL;
    void *data;
    size_t size;
    const char *type;
    if (!read_picture(t, id, &data, &size, &type, a))
        return NULL;
    if (!decode(t->server, &photo, data, size, &error))
        *a = failed(&error);
    laip_release(data);
    return photo;
}

/* Searches with the sentence, the picture, and what is not wanted, as far as they are there. */
static search_answer results(const turn *t, search_part *parts, size_t count, size_t top, size_t rerank)
{
    laip_network_info info = {.size = sizeof info};
    laip_error error;
    laip_network_describe(t->session->network, &info);
    float *feature = calloc(2 * info.embed + 1, sizeof *feature), *sum = feature + info.embed;
    if (!feature)
        abort();
    const char *sentence = t->request->q;
    search_query q = {.sentence = sentence, .parts = parts, .part_count = count, .feature = feature};
    bool good =
        !sentence || laip_encode_sentences(t->session->network, &sentence, 1, feature, &error) == LAIP_OK;
    if (count)
        good = good && search_parts_encode(t->session, parts, count, sum, &error) &&
               search_parts_add(feature, sum, info.embed, &error);
    good = good && search_run(t->session, &q, 1, top, rerank, &error);
    free(feature);
    if (!good)
        return failed(&error);
    json_t *j = search_json(t->session, &q);
    json_object_del(j, "folder"); /* of this machine */
    free(q.hits);
    return json_answer(200, j);
}

static search_answer search_with(const turn *t, size_t top, size_t rerank)
{
    const search_request *r = t->request;
    search_part parts[2];
    search_answer a;
    laip_error error;
    laip_photo *photo = NULL;
    size_t count = 0;
    if (r->post && !decode(t->server, &photo, r->upload, r->upload_size, &error))
        return failed(&error);
    if (!r->post && r->like && !(photo = open_picture(t, r->like, &a)))
        return a;
    if (photo)
        parts[count++] = (search_part){
            .text = r->post ? "a picture" : r->like, .picture = true, .photo = photo, .weight = 1};
    if (r->without)
        parts[count++] = (search_part){.text = r->without, .weight = -1};
    a = results(t, parts, count, top, rerank);
    laip_photo_close(photo);
    return a;
}

static search_answer api_search(const turn *t)
{
    const search_server *s = t->server;
    const search_request *r = t->request;
    size_t top, rerank;
    if (!number(r->top, 10, MOST_TOP, &top) || !top)
        return search_refuse(400, "top: expected a number from 1 to 500");
    if (!number(r->rerank, 0, 100000, &rerank))
        return search_refuse(400, "rerank: expected a number");
    if (rerank > s->rerank && rerank > top) /* no more than whoever started the server allows */
        rerank = s->rerank > top ? s->rerank : top;
    if (!s->rerank)
        rerank = 0;
    if (!r->q && !r->like && !r->post)
        return search_refuse(
            400, "q: expected a sentence; or like: a picture's id; or a picture as a POST's body");
    if ((r->q && strlen(r->q) > LONGEST_QUERY) || (r->without && strlen(r->without) > LONGEST_QUERY))
        return search_refuse(400, "the sentence is too long: expected at most 4000 bytes");
    return search_with(t, top, rerank);
}

static json_t *floats(const float *values, size_t count)
{
    json_t *j = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(j, json_real((double)values[i]));
    return j;
}

static search_answer explanation(const laip_explanation *x, const char *sentence)
{
    json_t *phrases = json_array();
    for (size_t i = 0; i < laip_explanation_count(x); i++) {
        laip_phrase_view v = {.size = sizeof v};
        laip_explanation_phrase(x, i, &v);
        size_t patches = (size_t)v.rows * (size_t)v.cols;
        char *text = strndup(sentence + v.begin, v.end - v.begin), *clean = search_utf8(text);
        json_array_append_new(phrases,
                              json_pack("{s:s, s:i, s:i, s:o, s:o, s:o}", "text", clean, "rows", v.rows,
                                        "cols", v.cols, "forward", floats(v.forward, patches), "backward",
                                        floats(v.backward, patches), "both", floats(v.both, patches)));
        free(text);
        free(clean);
    }
    return json_answer(200, json_pack("{s:o}", "phrases", phrases));
}

static search_answer api_explain(const turn *t)
{
    const search_request *r = t->request;
    search_answer a;
    laip_error error;
    laip_explanation *x;
    if (!r->q || !r->id || strlen(r->q) > LONGEST_QUERY)
        return search_refuse(400, "expected q, a sentence of at most 4000 bytes, and id, a picture's");
    laip_photo *photo = open_picture(t, r->id, &a);
    if (!photo)
        return a;
    if (laip_explain(&x, t->session->network, r->q, photo, &error) != LAIP_OK)
        a = failed(&error);
    else {
        a = explanation(x, r->q);
        laip_explanation_close(x);
    }
    laip_photo_close(photo);
    return a;
}

static search_answer api_index(const turn *t)
{
    laip_index_info info = {.size = sizeof info};
    laip_index_describe(t->session->index, &info);
    return json_answer(
        200, json_pack("{s:i, s:i}", "pictures", (int)info.pictures, "rerank", (int)t->server->rerank));
}

static search_answer picture(const turn *t, const char *id)
{
    search_answer a = {.status = 200, .keep = true};
    read_picture(t, id, &a.body, &a.size, &a.type, &a);
    return a;
}

/* A picture for a list of many: as it is where it is small. */
static search_answer thumbnail(const turn *t, const char *id)
{
    search_answer a = picture(t, id);
    laip_photo *photo;
    laip_error error;
    void *small;
    size_t bytes;
    if (a.status != 200 || a.size <= SMALL_FILE)
        return a;
    bool decoded = decode(t->server, &photo, a.body, a.size, &error);
    free(a.body);
    if (!decoded)
        return failed(&error);
    if (laip_photo_thumbnail(photo, SEARCH_THUMBNAIL, &small, &bytes, &error) == LAIP_OK)
        a = (search_answer){.status = 200, .type = "image/jpeg", .body = small, .size = bytes, .keep = true};
    else
        a = failed(&error);
    laip_photo_close(photo);
    return a;
}

static search_answer page(const char *name)
{
    const struct {
        const char *end, *type;
    } types[] = {{".html", "text/html; charset=utf-8"},
                 {".css", "text/css; charset=utf-8"},
                 {".js", "text/javascript; charset=utf-8"},
                 {".svg", "image/svg+xml"}};
    for (const search_web_file *f = search_web_files; f->name; f++)
        for (size_t i = 0; strcmp(f->name, name) == 0 && i < sizeof types / sizeof *types; i++)
            if (strcmp(strrchr(name, '.'), types[i].end) == 0)
                return (search_answer){.status = 200, .type = types[i].type, .file = f};
    return search_refuse(404, "nothing is here");
}

/* What follows the prefix in the path; NULL: the path has another. */
static const char *after(const char *path, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncmp(path, prefix, length) == 0 ? path + length : NULL;
}

static search_answer of_index(const turn *t)
{
    const char *path = t->request->path, *id;
    if (strcmp(path, "/api/search") == 0)
        return api_search(t);
    if (strcmp(path, "/api/explain") == 0)
        return api_explain(t);
    if (strcmp(path, "/api/index") == 0)
        return api_index(t);
    if ((id = after(path, "/thumbnail/")) != NULL)
        return thumbnail(t, id);
    if ((id = after(path, "/picture/")) != NULL)
        return picture(t, id);
    return search_refuse(404, "nothing is here");
}

search_answer search_api(search_server *s, const search_request *r)
{
    if (r->post && strcmp(r->path, "/api/search") != 0)
        return search_refuse(405, "expected GET");
    if (!after(r->path, "/api/") && !after(r->path, "/picture/") && !after(r->path, "/thumbnail/"))
        return page(strcmp(r->path, "/") == 0 ? "index.html" : r->path + 1);
    turn t = {.server = s, .request = r};
    search_edition *e = search_edition_take(s, &t.session);
    search_answer a = of_index(&t);
    search_edition_give(s, e);
    return a;
}
