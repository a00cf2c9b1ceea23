#include "base/checksum.h"

#include "base/memory.h"
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct laip_checksum_state {
    XXH3_state_t *xxh3;
};

uint64_t laip_checksum(const void *data, size_t size)
{
    return XXH3_64bits(data, size);
}

void laip_checksum_wide(const void *data, size_t size, uint8_t sum[16])
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(data, size));
    memcpy(sum, canonical.digest, 16);
}

laip_checksum_state *laip_checksum_create(void)
{
    laip_checksum_state *s = laip_alloc(1, sizeof *s);
    s->xxh3 = XXH3_createState(); /* its alignment is more than malloc's */
    if (!s->xxh3)
        laip_out_of_memory(1, sizeof *s);
    XXH3_64bits_reset(s->xxh3);
    return s;
}

void laip_checksum_free(laip_checksum_state *s)
{
    if (s)
        XXH3_freeState(s->xxh3);
    free(s);
}

void laip_checksum_add(laip_checksum_state *s, const void *data, size_t size)
{
    if (size)
        XXH3_64bits_update(s->xxh3, data, size);
}

uint64_t laip_checksum_end(laip_checksum_state *s)
{
    uint64_t sum = XXH3_64bits_digest(s->xxh3);
    XXH3_64bits_reset(s->xxh3);
    return sum;
}
