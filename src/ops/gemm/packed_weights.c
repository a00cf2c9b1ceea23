/* Weights that stay packed: see ops/gemm.h.  A weight is known by the buffer that it lies in, its offset
 * there and its sides, not by the handle of a sub-buffer, which may be released and made again. */
#include "base/memory.h"
#include "ops/gemm/internal.h"

#include <stdlib.h>

void laip_gemm_cache_begin(laip_device *d, laip_mem weights, size_t limit)
{
    laip_gemm_state *s = laip_gemm_state_of(d);
    s->cache_limit = limit;
    for (size_t i = 0; i < s->weights_count; i++)
        if (s->weights[i] == weights)
            return;
    void *array = s->weights;
    laip_grow(&array, &s->weights_capacity, s->weights_count + 1, sizeof(laip_mem));
    s->weights = array;
    s->weights[s->weights_count++] = weights;
}

void laip_gemm_cache_clear(laip_device *d)
{
    laip_gemm_state *s = laip_gemm_state_of(d);
    for (size_t i = 0; i < s->cached_count; i++)
        s->cached[i].valid = false;
}

void laip_gemm_cache_end(laip_device *d)
{
    laip_gemm_state *s = laip_gemm_state_of(d);
    for (size_t i = 0; i < s->cached_count; i++)
        laip_mem_release(s->cached[i].packed);
    free(s->cached);
    free(s->weights);
    s->cached = NULL;
    s->weights = NULL;
    s->cached_count = s->cached_capacity = s->weights_count = s->weights_capacity = s->cache_bytes = 0;
}

size_t laip_gemm_cache_bytes(laip_device *d)
{
    return laip_gemm_state_of(d)->cache_bytes;
}

/* The weight buffer that mem is or lies in, and where in it; NULL: none. */
static laip_mem owner_of(const laip_gemm_state *s, laip_mem mem, size_t *offset)
{
    cl_mem owner = NULL;
    *offset = 0;
    clGetMemObjectInfo(mem, CL_MEM_ASSOCIATED_MEMOBJECT, sizeof owner, &owner, NULL);
    if (owner)
        clGetMemObjectInfo(mem, CL_MEM_OFFSET, sizeof *offset, offset, NULL);
    for (size_t i = 0; i < s->weights_count; i++)
        if (s->weights[i] == mem || (owner && s->weights[i] == owner))
            return owner ? owner : mem;
    return NULL;
}

laip_mem laip_gemm_cached(laip_device *d, const laip_product *p, int columns, size_t bytes, bool *valid)
{
    laip_gemm_state *s = laip_gemm_state_of(d);
    size_t offset;
    laip_mem owner = s->weights_count && !p->measuring ? owner_of(s, p->b.mem, &offset) : NULL;
    *valid = false;
    if (!owner)
        return NULL;
    for (size_t i = 0; i < s->cached_count; i++) {
        laip_packed_weight *w = &s->cached[i];
        if (w->owner != owner || w->offset != offset || w->n != p->n || w->k != p->k ||
            w->columns != columns || w->transposed != p->transpose_b || w->store != p->b.store)
            continue;
        *valid = w->valid;
        w->valid = true; /* the caller packs it now */
        return w->packed;
    }
    if (s->cache_bytes + bytes > s->cache_limit)
        return NULL;
    laip_mem packed = laip_mem_create(d, bytes, "packed weights");
    if (!packed)
        return NULL;
    void *array = s->cached;
    laip_grow(&array, &s->cached_capacity, s->cached_count + 1, sizeof *s->cached);
    s->cached = array;
    s->cached[s->cached_count++] =
        (laip_packed_weight){owner, packed, offset, p->n, p->k, columns, p->transpose_b, p->b.store, true};
    s->cache_bytes += bytes;
    return packed;
}
