#include "base/memory.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct laip_arena_block {
    struct laip_arena_block *next;
    size_t used, size;
    max_align_t bytes[];
};

static laip_memory_handler *handler;

void laip_on_out_of_memory(laip_memory_handler *on)
{
    handler = on;
}

void laip_out_of_memory(size_t count, size_t size)
{
    if (handler)
        handler(count, size);
    abort();
}

void *laip_alloc(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size ? size : 1);
    if (!p)
        laip_out_of_memory(count, size);
    return p;
}

void *laip_realloc(void *old, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        laip_out_of_memory(count, size);
    size_t bytes = count * size;
    void *p = realloc(old, bytes ? bytes : 1);
    if (!p)
        laip_out_of_memory(count, size);
    return p;
}

char *laip_strndup(const char *text, size_t length)
{
    char *copy = laip_alloc(length + 1, 1);
    memcpy(copy, text, length);
    return copy;
}

char *laip_strdup(const char *text)
{
    return laip_strndup(text, strlen(text));
}

void laip_grow(void **array, size_t *capacity, size_t needed, size_t size)
{
    if (needed <= *capacity)
        return;
    size_t wanted = *capacity < 8 ? 8 : *capacity + *capacity / 2;
    if (wanted < needed)
        wanted = needed;
    *array = laip_realloc(*array, wanted, size);
    *capacity = wanted;
}

size_t laip_resident_bytes(void)
{
    size_t all = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    bool told = f && fscanf(f, "%zu %zu", &all, &resident) == 2;
    if (f)
        fclose(f);
    return told ? resident * (size_t)sysconf(_SC_PAGESIZE) : 0;
}

void *laip_arena_alloc(laip_arena *arena, size_t count, size_t size)
{
    if (size && count > (SIZE_MAX / 2) / size)
        laip_out_of_memory(count, size);
    size_t bytes = (count * size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    struct laip_arena_block *block = arena->blocks;
    if (!block || block->size - block->used < bytes) {
        size_t room = bytes > 65536 ? bytes : 65536;
        block = laip_alloc(1, sizeof *block + room);
        block->size = room;
        block->next = arena->blocks;
        arena->blocks = block;
    }
    void *p = (char *)block->bytes + block->used;
    block->used += bytes;
    return p;
}

char *laip_arena_strndup(laip_arena *arena, const char *text, size_t length)
{
    char *copy = laip_arena_alloc(arena, length + 1, 1);
    memcpy(copy, text, length);
    return copy;
}

void laip_arena_free(laip_arena *arena)
{
    while (arena->blocks) {
        struct laip_arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
}
