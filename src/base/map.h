/* A hash table from strings to int32.  Keys are copied.  A zeroed struct is an empty table. */
#ifndef LAIP_BASE_MAP_H
#define LAIP_BASE_MAP_H

#include "base/memory.h"
#include <stdbool.h>
#include <stdint.h>

typedef struct laip_map {
    struct laip_map_entry *entries;
    size_t count, capacity; /* capacity is a power of two, at most two thirds full */
    laip_arena keys;
} laip_map;

uint64_t laip_hash(const void *data, size_t size);
void laip_map_set(laip_map *map, const char *key, size_t length, int32_t value);
bool laip_map_get(const laip_map *map, const char *key, size_t length, int32_t *value);
void laip_map_free(laip_map *map);

#endif
