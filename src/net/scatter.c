#include "net/scatter.h"

#include "base/memory.h"
#include <stdlib.h>

laip_scatter laip_scatter_plan(laip_plan *r, size_t most_rows)
{
    return (laip_scatter){.target = laip_plan_ints(r, most_rows),
                          .begin = laip_plan_ints(r, most_rows + 1),
                          .source = laip_plan_ints(r, most_rows)};
}

void laip_scatter_upload(laip_scatter *s, laip_device *d, const int32_t *target, size_t count, size_t rows)
{
    /* a counting sort by target keeps the sources of each in increasing order: the sums' order is fixed */
    int32_t *next = laip_alloc(rows + 1, sizeof *next), *source = laip_alloc(count, sizeof *source);
    int32_t *distinct = laip_alloc(count, sizeof *distinct), *begin = laip_alloc(count + 1, sizeof *begin);
    for (size_t r = 0; r < count; r++)
        if (target[r] >= 0)
            next[target[r] + 1]++;
    s->targets = 0;
    for (size_t t = 0; t < rows; t++) {
        if (next[t + 1]) {
            distinct[s->targets] = (int32_t)t;
            begin[s->targets++] = next[t];
        }
        next[t + 1] += next[t];
    }
    begin[s->targets] = next[rows];
    for (size_t r = 0; r < count; r++)
        if (target[r] >= 0)
            source[next[target[r]]++] = (int32_t)r;
    s->target.count = s->targets;
    s->begin.count = s->targets + 1;
    s->source.count = (size_t)begin[s->targets];
    laip_ints_write(d, s->target, distinct);
    laip_ints_write(d, s->begin, begin);
    laip_ints_write(d, s->source, source);
    free(next);
    free(source);
    free(distinct);
    free(begin);
}
