#include "base/map.h"

#include <stdlib.h>
#include <string.h>

struct laip_map_entry {
    const char *key; /* NULL: free */
    uint32_t length;
    int32_t value;
    uint64_t hash;
};

uint64_t laip_hash(const void *data, size_t size)
{
    const unsigned char *bytes = data; /* FNV-1a, then a finaliser, as the low bits choose the slot */
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < size; i++)
        h = (h ^ bytes[i]) * 1099511628211u;
    h ^= h >> 32;
    h *= 0x9e3779b97f4a7c15u;
    return h ^ h >> 29;
}

static struct laip_map_entry *find(const laip_map *map, const char *key, size_t length, uint64_t hash)
{
    for (size_t i = hash & (map->capacity - 1);; i = (i + 1) & (map->capacity - 1)) {
        struct laip_map_entry *e = &map->entries[i];
        if (!e->key || (e->hash == hash && e->length == length && memcmp(e->key, key, length) == 0))
            return e;
    }
}

static void enlarge(laip_map *map)
{
    laip_map old = *map;
    map->capacity = old.capacity ? 2 * old.capacity : 64;
    map->entries = laip_alloc(map->capacity, sizeof *map->entries);
    for (size_t i = 0; i < old.capacity; i++)
        if (old.entries[i].key)
            *find(map, old.entries[i].key, old.entries[i].length, old.entries[i].hash) = old.entries[i];
    free(old.entries);
}

void laip_map_set(laip_map *map, const char *key, size_t length, int32_t value)
{
    if (3 * (map->count + 1) > 2 * map->capacity)
        enlarge(map);
    uint64_t hash = laip_hash(key, length);
    struct laip_map_entry *e = find(map, key, length, hash);
    if (!e->key) {
        e->key = laip_arena_strndup(&map->keys, key, length);
        e->length = (uint32_t)length;
        e->hash = hash;
        map->count++;
    }
    e->value = value;
}

bool laip_map_get(const laip_map *map, const char *key, size_t length, int32_t *value)
{
    if (!map->count)
        return false;
    const struct laip_map_entry *e = find(map, key, length, laip_hash(key, length));
    if (e->key && value)
        *value = e->value;
    return e->key != NULL;
}

void laip_map_free(laip_map *map)
{
    free(map->entries);
    laip_arena_free(&map->keys);
    *map = (laip_map){0};
}
