/* YAML files as a tree of nodes that know their place.
 *
 * The subset that a configuration needs: one document of scalars, sequences and mappings, comments anywhere.
 * Anchors, aliases, tags, keys that are no scalars and keys named twice are refused, each by
 * file:line:column. What is in the file and what is not can so be seen on its page. */
#ifndef LAIP_BASE_YAML_H
#define LAIP_BASE_YAML_H

#include "base/error.h"
#include "base/memory.h"
#include "base/str.h"
#include <stdint.h>

typedef enum laip_yaml_kind { LAIP_YAML_SCALAR, LAIP_YAML_SEQUENCE, LAIP_YAML_MAPPING } laip_yaml_kind;

typedef struct laip_yaml_node {
    laip_yaml_kind kind;
    const char *file;
    int line, column; /* from 1 */
    const char *text; /* of a scalar, UTF-8 without zero bytes */
    bool quoted;      /* written in quotes or as a block: a string, whatever it looks like */
    size_t count;     /* of a sequence's or mapping's items */
    struct laip_yaml_node **items, **keys; /* keys: of a mapping, all scalars */
    size_t capacity;
} laip_yaml_node;

/* A document; its nodes live as long as it. */
typedef struct laip_yaml {
    laip_yaml_node *root; /* an empty mapping when the document is empty */
    laip_arena arena;
    laip_yaml_node **blocks; /* nodes whose arrays are to be freed */
    size_t block_count, block_capacity;
} laip_yaml;

enum { LAIP_YAML_DEPTH = 32 }; /* the deepest nesting that is read */

bool laip_yaml_read(const char *path, laip_yaml *yaml, laip_error *error);
/* The same from memory; name stands for the file in errors. */
bool laip_yaml_parse(const char *name, const char *text, size_t length, laip_yaml *yaml, laip_error *error);
void laip_yaml_free(laip_yaml *yaml);

const char *laip_yaml_kind_name(const laip_yaml_node *node);
/* The value of a mapping's key, or NULL. */
const laip_yaml_node *laip_yaml_find(const laip_yaml_node *mapping, const char *key);
/* A plain null, ~ or nothing at all. */
bool laip_yaml_is_null(const laip_yaml_node *node);

/* A node as a value.  Bad input says "FILE:LINE:COLUMN: WHAT is …, expected …". */
bool laip_yaml_integer(const laip_yaml_node *node, const char *what, int64_t *value, laip_error *error);
bool laip_yaml_number(const laip_yaml_node *node, const char *what, double *value, laip_error *error);
bool laip_yaml_boolean(const laip_yaml_node *node, const char *what, bool *value, laip_error *error);
bool laip_yaml_string(const laip_yaml_node *node, const char *what, const char **value, laip_error *error);
/* "FILE:LINE:COLUMN: WHAT is FOUND, expected EXPECTED"; returns false. */
bool laip_yaml_expected(const laip_yaml_node *node, const char *what, const char *expected,
                        laip_error *error);

/* Adds text to out as a scalar that reads back as that string: plain where it may be, else in double quotes.
 */
void laip_yaml_add_string(laip_str *out, const char *text);

#endif
