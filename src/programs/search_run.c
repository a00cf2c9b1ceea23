/* Queries against an index, and their results as JSON and as a page. */
#include "programs/search.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool search_run(search_session *s, search_query *queries, size_t count, size_t top, size_t rerank,
                laip_error *error)
{
    laip_network_info info = {.size = sizeof info};
    laip_network_describe(s->network, &info);
    size_t E = info.embed, wide = rerank > top ? rerank : top;
    float *features = calloc(count * E + 1, sizeof *features);
    laip_hit *hits = calloc(count * wide + 1, sizeof *hits);
    size_t *found = calloc(count + 1, sizeof *found);
    if (!features || !hits || !found)
        abort();
    for (size_t i = 0; i < count; i++)
        memcpy(features + i * E, queries[i].feature, E * sizeof *features);
    double start = search_seconds();
    bool good = laip_index_search(s->index, s->network, features, count, wide, hits, found, error) == LAIP_OK;
    double each = (search_seconds() - start) / (double)(count ? count : 1);
    for (size_t i = 0; good && i < count; i++) {
        search_query *q = &queries[i];
        laip_hit *mine = hits + i * wide;
        start = search_seconds();
        if (rerank && q->sentence && !q->part_count)
            good = laip_index_rerank(s->index, s->network, q->sentence, mine,
                                     found[i] < rerank ? found[i] : rerank, error) == LAIP_OK;
        q->seconds = each + search_seconds() - start;
        q->count = found[i] < top ? found[i] : top;
        q->hits = malloc((q->count + 1) * sizeof *q->hits);
        if (!q->hits)
            abort();
        memcpy(q->hits, mine, q->count * sizeof *q->hits);
    }
    free(features);
    free(hits);
    free(found);
    return good;
}

static json_t *text_json(const char *text)
{
    char *clean = search_utf8(text);
    json_t *j = json_string(clean);
    free(clean);
    return j;
}

json_t *search_hit_json(const search_session *s, const laip_hit *hit, size_t rank)
{
    laip_picture_view v = {.size = sizeof v};
    laip_error error;
    if (laip_index_picture(s->index, hit->picture, &v, &error) != LAIP_OK)
        return json_null();
    json_t *names = json_array();
    const char *name;
    for (size_t i = 0; i < 100 && (name = laip_index_name(s->index, hit->picture, i)) != NULL; i++)
        json_array_append_new(names, text_json(name));
    json_t *j = json_pack("{s:i, s:s, s:o, s:o, s:i, s:i, s:f, s:f}", "rank", (int)rank, "id", v.id, "name",
                          text_json(v.name), "names", names, "width", v.width, "height", v.height, "score",
                          (double)hit->score, "cosine", (double)hit->cosine);
    if (hit->matched)
        json_object_set_new(j, "log_odds", json_real((double)hit->log_odds));
    return j;
}

/* Names of the parts of one kind; NULL: there are none. */
static json_t *parts_json(const search_query *q, bool without)
{
    json_t *parts = NULL;
    for (size_t i = 0; i < q->part_count; i++)
        if ((q->parts[i].weight < 0) == without) {
            parts = parts ? parts : json_array();
            json_array_append_new(parts, text_json(q->parts[i].text));
        }
    return parts;
}

json_t *search_json(const search_session *s, const search_query *q)
{
    laip_index_info info = {.size = sizeof info};
    laip_index_describe(s->index, &info);
    json_t *j = json_object(), *results = json_array();
    json_t *like = parts_json(q, false), *without = parts_json(q, true);
    for (size_t i = 0; i < q->count; i++)
        json_array_append_new(results, search_hit_json(s, &q->hits[i], i + 1));
    if (q->sentence)
        json_object_set_new(j, "query", text_json(q->sentence));
    if (like)
        json_object_set_new(j, "like", like);
    if (without)
        json_object_set_new(j, "not", without);
    json_object_set_new(j, "folder", text_json(info.folder));
    json_object_set_new(j, "pictures", json_integer((json_int_t)info.pictures));
    json_object_set_new(j, "seconds", json_real(q->seconds));
    json_object_set_new(j, "results", results);
    return j;
}

static void base64(FILE *to, const unsigned char *data, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        size_t n = size - i < 3 ? size - i : 3;
        unsigned v =
            (unsigned)data[i] << 16 | (n > 1 ? (unsigned)data[i + 1] << 8 : 0) | (n > 2 ? data[i + 2] : 0);
        for (size_t k = 0; k < 4; k++)
            fputc(k <= n ? digits[v >> (18 - 6 * k) & 63] : '=', to);
    }
}

/* The picture, small; false: it cannot be read any more. */
static bool html_picture(FILE *to, const search_session *s, const laip_hit *hit)
{
    laip_photo *photo = NULL;
    void *data = NULL, *small = NULL;
    size_t size, bytes = 0;
    const char *type;
    bool good = laip_index_read(s->index, hit->picture, &data, &size, &type, NULL) == LAIP_OK &&
                laip_photo_decode(&photo, data, size, "picture", NULL) == LAIP_OK &&
                laip_photo_thumbnail(photo, SEARCH_THUMBNAIL, &small, &bytes, NULL) == LAIP_OK;
    if (good) {
        fputs("<img alt=\"\" src=\"data:image/jpeg;base64,", to);
        base64(to, small, bytes);
        fputs("\">", to);
    }
    laip_photo_close(photo);
    laip_release(data);
    laip_release(small);
    return good;
}

static void html_hit(FILE *to, const search_session *s, const laip_hit *hit, size_t rank)
{
    laip_picture_view v = {.size = sizeof v};
    laip_error error;
    if (laip_index_picture(s->index, hit->picture, &v, &error) != LAIP_OK)
        return;
    char *name = search_utf8(v.name);
    fputs("<figure>", to);
    if (!html_picture(to, s, hit))
        fputs("<p>The picture cannot be read.</p>", to);
    fprintf(to, "<figcaption><b>%zu</b> ", rank);
    search_escape(to, name);
    fprintf(to, " <span>%.3f</span></figcaption></figure>\n", (double)hit->score);
    free(name);
}

/* "a sentence, like a picture, without some words" */
static void html_title(FILE *to, const search_query *q)
{
    const char *between = "";
    fputs("<h2>", to);
    for (size_t i = 0; i <= q->part_count; i++) {
        const search_part *p = i ? &q->parts[i - 1] : NULL;
        const char *text = p ? p->text : q->sentence;
        if (!text)
            continue;
        char *clean = search_utf8(text);
        fputs(between, to);
        fputs(!p ? "" : p->weight < 0 ? "without " : "like ", to);
        search_escape(to, clean);
        free(clean);
        between = ", ";
    }
    fputs("</h2>\n<div class=\"grid\">\n", to);
}

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
    "style-src 'unsafe-inline'\">\n<title>laip-search</title>\n<style>\n"
    ":root { color-scheme: light dark; font-family: system-ui, sans-serif; }\n"
    "body { margin: 1.5rem auto; max-width: 75rem; padding: 0 1rem; }\n"
    "h2 { font-size: 1.1rem; margin: 2rem 0 .75rem; }\n"
    ".grid { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); }\n"
    "figure { margin: 0; }\n"
    "img { width: 100%; height: 14rem; object-fit: contain; background: #8881; border-radius: .4rem; }\n"
    "figcaption { font-size: .8rem; overflow-wrap: anywhere; } figcaption span { opacity: .7; }\n"
    "</style></head><body>\n";

bool search_html(const search_session *s, const search_query *queries, size_t count, const char *path,
                 laip_error *error)
{
    FILE *to = fopen(path, "wb");
    if (!to)
        return search_fail(error, LAIP_FAILURE, "%s: cannot be written: %s", path, strerror(errno));
    fputs(head, to);
    for (size_t i = 0; i < count; i++) {
        const search_query *q = &queries[i];
        html_title(to, q);
        for (size_t k = 0; k < q->count; k++)
            html_hit(to, s, &q->hits[k], k + 1);
        fputs("</div>\n", to);
    }
    fputs("</body></html>\n", to);
    bool good = !ferror(to);
    good &= fclose(to) == 0;
    return good || search_fail(error, LAIP_FAILURE, "%s: cannot be written: %s", path, strerror(errno));
}
