/* The answers of laip-search serve: files of the page, pictures of the index, and JSON. */
#include "programs/search_serve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TOP = 500, LONGEST_QUERY = 4000 };

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

static search_answer results(search_server *s, search_query *q, size_t top, size_t rerank)
{
    laip_error error;
    bool good = search_run(&s->session, q, 1, top, rerank, &error);
    if (!good)
        return failed(&error);
    json_t *j = search_json(&s->session, q);
    json_object_del(j, "folder"); /* of this machine */
    free(q->hits);
    return json_answer(200, j);
}

static search_answer search_by_photo(search_server *s, const laip_photo *photo, const char *name, size_t top)
{
    laip_network_info info = {.size = sizeof info};
    laip_error error;
    laip_network_describe(s->session.network, &info);
    float *feature = malloc((info.embed + 1) * sizeof *feature);
    if (!feature)
        abort();
    search_query q = {.picture = name, .feature = feature};
    search_answer a = laip_encode_photos(s->session.network, &photo, 1, feature, &error) == LAIP_OK
                          ? results(s, &q, top, 0)
                          : failed(&error);
    free(feature);
    return a;
}

/* A picture's bytes, decoded and searched with, or explained: one at a time. */
static bool decode(search_server *s, laip_photo **photo, const void *data, size_t size, const char *name,
                   laip_error *error)
{
    pthread_mutex_lock(&s->decoder);
    bool good = laip_photo_decode(photo, data, size, name, error) == LAIP_OK;
    pthread_mutex_unlock(&s->decoder);
    return good;
}

static search_answer search_by_upload(search_server *s, const search_request *r, size_t top)
{
    laip_photo *photo;
    laip_error error;
    if (!decode(s, &photo, r->upload, r->upload_size, "the picture", &error))
        return failed(&error);
    search_answer a = search_by_photo(s, photo, "a picture", top);
    laip_photo_close(photo);
    return a;
}

/* The picture of the index that id names; NULL: *a says why not. */
static laip_photo *open_picture(search_server *s, const char *id, search_answer *a)
{
    laip_error error;
    laip_photo *photo = NULL;
    size_t picture, size;
    void *data;
    const char *type;
    if (laip_index_find(s->session.index, id, &picture, &error) != LAIP_OK)
        *a = search_refuse(404, error.text);
    else if (laip_index_read(s->session.index, picture, &data, &size, &type, &error) != LAIP_OK)
        *a = search_refuse(410, error.text);
    else {
        if (!decode(s, &photo, data, size, "the picture", &error))
            *a = failed(&error);
        laip_release(data);
    }
    return photo;
}

static search_answer search_by_picture(search_server *s, const char *id, size_t top)
{
    search_answer a;
    laip_photo *photo = open_picture(s, id, &a);
    if (!photo)
        return a;
    a = search_by_photo(s, photo, id, top);
    laip_photo_close(photo);
    return a;
}

static search_answer search_by_sentence(search_server *s, const char *sentence, size_t top, size_t rerank)
{
    laip_network_info info = {.size = sizeof info};
    laip_error error;
    laip_network_describe(s->session.network, &info);
    float *feature = malloc((info.embed + 1) * sizeof *feature);
    if (!feature)
        abort();
    search_query q = {.sentence = sentence, .feature = feature};
    search_answer a = laip_encode_sentences(s->session.network, &sentence, 1, feature, &error) == LAIP_OK
                          ? results(s, &q, top, rerank)
                          : failed(&error);
    free(feature);
    return a;
}

static search_answer api_search(search_server *s, const search_request *r)
{
    size_t top, rerank;
    if (!number(r->top, 10, MOST_TOP, &top) || !top)
        return search_refuse(400, "top: expected a number from 1 to 500");
    if (!number(r->rerank, 0, 100000, &rerank))
        return search_refuse(400, "rerank: expected a number");
    if (rerank > s->rerank && rerank > top) /* no more than whoever started the server allows */
        rerank = s->rerank > top ? s->rerank : top;
    if (!s->rerank)
        rerank = 0;
    if (r->post)
        return search_by_upload(s, r, top);
    if (r->like)
        return search_by_picture(s, r->like, top);
    if (!r->q)
        return search_refuse(
            400, "q: expected a sentence; or like: a picture's id; or a picture as a POST's body");
    if (strlen(r->q) > LONGEST_QUERY)
        return search_refuse(400, "the sentence is too long: expected at most 4000 bytes");
    return search_by_sentence(s, r->q, top, rerank);
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

static search_answer api_explain(search_server *s, const search_request *r)
{
    search_answer a;
    laip_error error;
    laip_explanation *x;
    if (!r->q || !r->id || strlen(r->q) > LONGEST_QUERY)
        return search_refuse(400, "expected q, a sentence of at most 4000 bytes, and id, a picture's");
    laip_photo *photo = open_picture(s, r->id, &a);
    if (!photo)
        return a;
    if (laip_explain(&x, s->session.network, r->q, photo, &error) != LAIP_OK)
        a = failed(&error);
    else {
        a = explanation(x, r->q);
        laip_explanation_close(x);
    }
    laip_photo_close(photo);
    return a;
}

static search_answer api_index(const search_server *s)
{
    laip_index_info info = {.size = sizeof info};
    laip_index_describe(s->session.index, &info);
    return json_answer(200,
                       json_pack("{s:i, s:i}", "pictures", (int)info.pictures, "rerank", (int)s->rerank));
}

static search_answer picture(const search_server *s, const char *id)
{
    laip_error error;
    size_t at;
    search_answer a = {.status = 200, .keep = true};
    if (laip_index_find(s->session.index, id, &at, &error) != LAIP_OK)
        return search_refuse(404, error.text);
    if (laip_index_read(s->session.index, at, &a.body, &a.size, &a.type, &error) != LAIP_OK)
        return search_refuse(410, error.text);
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

search_answer search_api(search_server *s, const search_request *r)
{
    static const char pictures[] = "/picture/";
    if (strcmp(r->path, "/api/search") == 0)
        return api_search(s, r);
    if (r->post)
        return search_refuse(405, "expected GET");
    if (strcmp(r->path, "/api/explain") == 0)
        return api_explain(s, r);
    if (strcmp(r->path, "/api/index") == 0)
        return api_index(s);
    if (strncmp(r->path, pictures, sizeof pictures - 1) == 0)
        return picture(s, r->path + sizeof pictures - 1);
    return page(strcmp(r->path, "/") == 0 ? "index.html" : r->path + 1);
}
