/* Host memory.  Running out of it is not an error that a caller could mend, and these functions never return
 * NULL: they call the program's handler, which is not to return.  Sizes are given as count × size and checked
 * for overflow. */
#ifndef LAIP_BASE_MEMORY_H
#define LAIP_BASE_MEMORY_H

#include "laip/status.h"
#include <stddef.h>

/* What is done when memory runs out; without a handler, or when it returns, the process aborts. */
typedef void laip_memory_handler(size_t count, size_t size);
LAIP_API void laip_on_out_of_memory(laip_memory_handler *handler);
void laip_out_of_memory(size_t count, size_t size); /* does not return */

void *laip_alloc(size_t count, size_t size);              /* zeroed; free() releases it */
void *laip_realloc(void *old, size_t count, size_t size); /* new bytes are not cleared */
char *laip_strdup(const char *text);
char *laip_strndup(const char *text, size_t length);
/* Grows *array (of elements of `size` bytes) so that it holds at least `needed`; *capacity is its size now.
 */
void laip_grow(void **array, size_t *capacity, size_t needed, size_t size);

/* Of this process, in main memory now; 0 where the system does not tell. */
size_t laip_resident_bytes(void);

/* An arena: many small pieces that are released together.  A zeroed struct is an empty arena. */
typedef struct laip_arena {
    struct laip_arena_block *blocks;
} laip_arena;

void *laip_arena_alloc(laip_arena *arena, size_t count, size_t size); /* zeroed, aligned for any type */
char *laip_arena_strndup(laip_arena *arena, const char *text, size_t length);
void laip_arena_free(laip_arena *arena);

#endif
