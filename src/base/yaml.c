/* YAML by libyaml's events: the tree, and scalars as values. */
#include "base/yaml.h"

#include "base/file.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

typedef struct reader {
    yaml_parser_t parser;
    laip_yaml *yaml;
    const char *file;
    laip_error *error;
} reader;

static bool wrong_at(const reader *r, yaml_mark_t mark, const char *what)
{
    return laip_bad_input(r->error, "%s:%zu:%zu: %s", r->file, mark.line + 1, mark.column + 1, what);
}

static bool next(reader *r, yaml_event_t *event)
{
    if (yaml_parser_parse(&r->parser, event))
        return true;
    const char *what = r->parser.problem ? r->parser.problem : "not readable as YAML";
    if (r->parser.error == YAML_READER_ERROR)
        return laip_bad_input(r->error, "%s: byte %zu: %s", r->file, r->parser.problem_offset, what);
    return wrong_at(r, r->parser.problem_mark, what);
}

static laip_yaml_node *make(reader *r, laip_yaml_kind kind, yaml_mark_t mark)
{
    laip_yaml *y = r->yaml;
    laip_yaml_node *n = laip_arena_alloc(&y->arena, 1, sizeof *n);
    *n = (laip_yaml_node){.kind = kind,
                          .file = r->file,
                          .line = (int)mark.line + 1,
                          .column = (int)mark.column + 1,
                          .text = ""};
    if (kind != LAIP_YAML_SCALAR) {
        void *blocks = y->blocks;
        laip_grow(&blocks, &y->block_capacity, y->block_count + 1, sizeof *y->blocks);
        y->blocks = blocks;
        y->blocks[y->block_count++] = n;
    }
    return n;
}

static void append(laip_yaml_node *to, laip_yaml_node *key, laip_yaml_node *item)
{
    if (to->count == to->capacity) {
        to->capacity = to->capacity ? 2 * to->capacity : 8;
        to->items = laip_realloc(to->items, to->capacity, sizeof *to->items);
        if (to->kind == LAIP_YAML_MAPPING)
            to->keys = laip_realloc(to->keys, to->capacity, sizeof *to->keys);
    }
    if (key)
        to->keys[to->count] = key;
    to->items[to->count++] = item;
}

static bool read_node(reader *r, yaml_event_t *event, int depth, laip_yaml_node **out);

static bool read_scalar(reader *r, const yaml_event_t *event, laip_yaml_node **out)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;
    if (memchr(text, 0, length))
        return wrong_at(r, event->start_mark, "a string with a zero byte");
    *out = make(r, LAIP_YAML_SCALAR, event->start_mark);
    (*out)->text = laip_arena_strndup(&r->yaml->arena, text, length);
    (*out)->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return true;
}

static bool read_pair(reader *r, yaml_event_t *event, int depth, laip_yaml_node *mapping)
{
    laip_yaml_node *key, *value;
    if (event->type != YAML_SCALAR_EVENT)
        return wrong_at(r, event->start_mark, "a key that is no single word");
    if (!read_node(r, event, depth, &key))
        return false;
    for (size_t i = 0; i < mapping->count; i++)
        if (strcmp(mapping->keys[i]->text, key->text) == 0)
            return laip_bad_input(r->error, "%s:%d:%d: the key '%.100s' is named twice, first in line %d",
                                  r->file, key->line, key->column, key->text, mapping->keys[i]->line);
    yaml_event_t other;
    if (!next(r, &other))
        return false;
    bool good = read_node(r, &other, depth, &value);
    yaml_event_delete(&other);
    if (good)
        append(mapping, key, value);
    return good;
}

/* The items up to the end of a sequence or mapping. */
static bool read_items(reader *r, laip_yaml_node *to, int depth)
{
    for (;;) {
        yaml_event_t event;
        if (!next(r, &event))
            return false;
        bool end = event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT, good = true;
        laip_yaml_node *item;
        if (!end && to->kind == LAIP_YAML_MAPPING)
            good = read_pair(r, &event, depth, to);
        else if (!end && (good = read_node(r, &event, depth, &item)))
            append(to, NULL, item);
        yaml_event_delete(&event);
        if (end || !good)
            return good;
    }
}

static bool has_anchor_or_tag(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor || event->data.scalar.tag;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor || event->data.sequence_start.tag;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor || event->data.mapping_start.tag;
    default:
        return event->type == YAML_ALIAS_EVENT;
    }
}

static bool read_node(reader *r, yaml_event_t *event, int depth, laip_yaml_node **out)
{
    if (has_anchor_or_tag(event))
        return wrong_at(r, event->start_mark, "anchors (&), aliases (*) and tags (!) are not read here");
    if (event->type == YAML_SCALAR_EVENT)
        return read_scalar(r, event, out);
    if (event->type != YAML_SEQUENCE_START_EVENT && event->type != YAML_MAPPING_START_EVENT)
        return wrong_at(r, event->start_mark, "a value is expected");
    if (depth == LAIP_YAML_DEPTH)
        return wrong_at(r, event->start_mark, "nested too deeply");
    *out = make(r, event->type == YAML_MAPPING_START_EVENT ? LAIP_YAML_MAPPING : LAIP_YAML_SEQUENCE,
                event->start_mark);
    return read_items(r, *out, depth + 1);
}

static bool read_document(reader *r)
{
    for (;;) {
        yaml_event_t event;
        if (!next(r, &event))
            return false;
        yaml_event_type_t type = event.type;
        bool good = true;
        if (type == YAML_DOCUMENT_START_EVENT && r->yaml->root)
            good = wrong_at(r, event.start_mark, "a second document, expected one");
        else if (type != YAML_STREAM_START_EVENT && type != YAML_STREAM_END_EVENT &&
                 type != YAML_DOCUMENT_START_EVENT && type != YAML_DOCUMENT_END_EVENT)
            good = read_node(r, &event, 0, &r->yaml->root);
        yaml_event_delete(&event);
        if (!good || type == YAML_STREAM_END_EVENT)
            return good;
    }
}

bool laip_yaml_parse(const char *name, const char *text, size_t length, laip_yaml *yaml, laip_error *error)
{
    *yaml = (laip_yaml){0};
    reader r = {.yaml = yaml, .error = error};
    r.file = laip_arena_strndup(&yaml->arena, name, strlen(name));
    if (!yaml_parser_initialize(&r.parser))
        return laip_failure(error, "%s: no memory for reading YAML", name);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, length);
    bool good = read_document(&r);
    if (good && (!yaml->root || laip_yaml_is_null(yaml->root)))
        yaml->root = make(&r, LAIP_YAML_MAPPING, (yaml_mark_t){0});
    yaml_parser_delete(&r.parser);
    if (!good)
        laip_yaml_free(yaml);
    return good;
}

bool laip_yaml_read(const char *path, laip_yaml *yaml, laip_error *error)
{
    char *text;
    size_t size;
    if (!laip_file_read(path, &text, &size, error))
        return false;
    bool good = laip_yaml_parse(path, text, size, yaml, error);
    free(text);
    return good;
}

void laip_yaml_free(laip_yaml *yaml)
{
    for (size_t i = 0; i < yaml->block_count; i++) {
        free(yaml->blocks[i]->items);
        free(yaml->blocks[i]->keys);
    }
    free(yaml->blocks);
    laip_arena_free(&yaml->arena);
    *yaml = (laip_yaml){0};
}

const char *laip_yaml_kind_name(const laip_yaml_node *node)
{
    static const char *const names[] = {"a single value", "a list", "a mapping"};
    return laip_yaml_is_null(node) ? "nothing" : names[node->kind];
}

const laip_yaml_node *laip_yaml_find(const laip_yaml_node *mapping, const char *key)
{
    for (size_t i = 0; mapping->kind == LAIP_YAML_MAPPING && i < mapping->count; i++)
        if (strcmp(mapping->keys[i]->text, key) == 0)
            return mapping->items[i];
    return NULL;
}

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(text, *words) == 0)
            return true;
    return false;
}

static const char *const null_words[] = {"", "~", "null", "Null", "NULL", NULL};
static const char *const true_words[] = {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", NULL};
static const char *const false_words[] = {"false", "False", "FALSE", "no",  "No",
                                          "NO",    "off",   "Off",   "OFF", NULL};

bool laip_yaml_is_null(const laip_yaml_node *node)
{
    return node->kind == LAIP_YAML_SCALAR && !node->quoted && is_one_of(node->text, null_words);
}

bool laip_yaml_expected(const laip_yaml_node *node, const char *what, const char *expected, laip_error *error)
{
    if (node->kind != LAIP_YAML_SCALAR || laip_yaml_is_null(node))
        return laip_bad_input(error, "%s:%d:%d: %s is %s, expected %s", node->file, node->line, node->column,
                              what, laip_yaml_kind_name(node), expected);
    return laip_bad_input(error, "%s:%d:%d: %s is '%.200s', expected %s", node->file, node->line,
                          node->column, what, node->text, expected);
}

/* 123, -5, 65_536; a number that int64 does not hold is none. */
static bool parse_integer(const char *text, int64_t *value)
{
    char digits[32];
    size_t n = 0;
    for (const char *p = text; *p; p++) {
        bool sign = p == text && (*p == '-' || *p == '+');
        if (*p == '_' && p > text && p[1])
            continue;
        if ((!sign && (*p < '0' || *p > '9')) || n + 1 >= sizeof digits)
            return false;
        digits[n++] = *p;
    }
    digits[n] = 0;
    if (n == 0 || (n == 1 && (*digits < '0' || *digits > '9')))
        return false;
    errno = 0;
    *value = strtoll(digits, NULL, 10);
    return errno == 0;
}

bool laip_yaml_integer(const laip_yaml_node *node, const char *what, int64_t *value, laip_error *error)
{
    if (node->kind == LAIP_YAML_SCALAR && !node->quoted && parse_integer(node->text, value))
        return true;
    return laip_yaml_expected(node, what, "an integer", error);
}

bool laip_yaml_number(const laip_yaml_node *node, const char *what, double *value, laip_error *error)
{
    int64_t whole;
    if (node->kind == LAIP_YAML_SCALAR && !node->quoted) {
        if (parse_integer(node->text, &whole)) {
            *value = (double)whole;
            return true;
        }
        char *end = NULL;
        /* Only decimal forms: no hexadecimal, no words. */
        if (*node->text && strspn(node->text, "+-.0123456789eE") == strlen(node->text))
            *value = strtod(node->text, &end);
        if (end && !*end && isfinite(*value))
            return true;
    }
    return laip_yaml_expected(node, what, "a number", error);
}

bool laip_yaml_boolean(const laip_yaml_node *node, const char *what, bool *value, laip_error *error)
{
    if (node->kind == LAIP_YAML_SCALAR && !node->quoted) {
        *value = is_one_of(node->text, true_words);
        if (*value || is_one_of(node->text, false_words))
            return true;
    }
    return laip_yaml_expected(node, what, "true or false", error);
}

bool laip_yaml_string(const laip_yaml_node *node, const char *what, const char **value, laip_error *error)
{
    if (node->kind != LAIP_YAML_SCALAR)
        return laip_yaml_expected(node, what, "a string", error);
    *value = laip_yaml_is_null(node) ? "" : node->text;
    return true;
}

/* Whether a string may stand without quotes and still be that string, everywhere and also between commas. */
static bool is_plain(const char *text)
{
    static const char safe[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+=@%~^()$;<>|*&?!-";
    static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./";
    return *text && strchr(first, *text) && strspn(text, safe) == strlen(text) &&
           !is_one_of(text, null_words) && !is_one_of(text, true_words) && !is_one_of(text, false_words);
}

/* The characters beyond ASCII that YAML takes for control characters or line breaks; size: of its bytes. */
static unsigned unsafe_character(const unsigned char *p, size_t *size)
{
    if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) {
        *size = 2;
        return p[1];
    }
    bool separator = p[0] == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9);
    bool mark = p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf;
    *size = 3;
    return separator ? 0x2000u + (p[2] & 0x3fu) : mark ? 0xfeff : 0;
}

void laip_yaml_add_string(laip_str *out, const char *text)
{
    if (is_plain(text)) {
        laip_str_adds(out, text);
        return;
    }
    laip_str_add(out, "\"", 1);
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        size_t size;
        unsigned c = unsafe_character(p, &size);
        if (c) {
            laip_str_addf(out, "\\u%04x", c);
            p += size;
            continue;
        }
        if (*p == '"' || *p == '\\')
            laip_str_addf(out, "\\%c", *p);
        else if (*p < 0x20 || *p == 0x7f)
            laip_str_addf(out, "\\x%02x", *p);
        else
            laip_str_add(out, (const char *)p, 1);
        p++;
    }
    laip_str_add(out, "\"", 1);
}
