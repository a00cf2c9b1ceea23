#include "report/history.h"

#include "base/file.h"
#include "base/memory.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void laip_history_read(laip_history *h, const char *path)
{
    char *text = NULL;
    size_t size;
    laip_error none;
    json_t *lines = json_array();
    if (laip_file_read(path, &text, &size, &none))
        for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
            json_t *object = json_loadb(line, (size_t)(end - line), 0, NULL);
            if (json_is_object(object))
                json_array_append_new(lines, object);
            else
                json_decref(object);
        }
    free(text);
    *h = (laip_history){lines, json_array_size(lines)};
}

void laip_history_free(laip_history *h)
{
    json_decref(h->lines);
    *h = (laip_history){0};
}

static const json_t *at_path(const json_t *value, const char *path)
{
    while (value && *path) {
        char key[64];
        size_t n = strcspn(path, ".");
        snprintf(key, sizeof key, "%.*s", (int)n, path);
        value = json_is_array(value) ? json_array_get(value, (size_t)strtoul(key, NULL, 10))
                                     : json_object_get(value, key);
        path += n + (path[n] == '.');
    }
    return value;
}

size_t laip_history_column(const laip_history *h, const char *having, const char *path, double **x,
                           double **y)
{
    size_t n = 0;
    *x = laip_alloc(h->count + 1, sizeof **x);
    *y = laip_alloc(h->count + 1, sizeof **y);
    for (size_t i = 0; i < h->count; i++) {
        const json_t *line = json_array_get(h->lines, i), *value = at_path(line, path);
        if (!at_path(line, having ? having : path))
            continue;
        (*x)[n] = json_number_value(json_object_get(line, "step"));
        (*y)[n++] = json_is_number(value) ? json_number_value(value) : NAN;
    }
    return n;
}

size_t laip_history_changes(const laip_history *h, const char *key, double *x, const char **text, size_t most)
{
    const char *before = NULL;
    size_t n = 0;
    for (size_t i = 0; i < h->count && n < most; i++) {
        const json_t *line = json_array_get(h->lines, i);
        const char *now = json_string_value(json_object_get(line, key));
        if (now && before && strcmp(now, before) != 0) {
            x[n] = json_number_value(json_object_get(line, "step"));
            text[n++] = now;
        }
        before = now ? now : before;
    }
    return n;
}
