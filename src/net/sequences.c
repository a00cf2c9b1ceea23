#include "net/sequences.h"

#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

void laip_sequences_plan(laip_sequences *s, laip_plan *plan, size_t most_count, size_t most_rows,
                         size_t most_longest, size_t most_blocks)
{
    laip_sequences_free(s); /* the layout runs twice */
    *s = (laip_sequences){.most_count = most_count,
                          .most_rows = most_rows,
                          .most_longest = most_longest,
                          .most_blocks = most_blocks};
    size_t identity = most_count > most_blocks ? most_count : most_blocks;
    s->begin = laip_alloc(most_count + 1, sizeof *s->begin);
    s->id = laip_alloc(most_count, sizeof *s->id);
    s->image = laip_alloc(most_count, sizeof *s->image);
    s->d_begin = laip_plan_ints(plan, most_count + 1);
    s->d_identity = laip_plan_ints(plan, identity + 1);
    s->d_row_sequence = laip_plan_ints(plan, most_rows);
    s->d_id = laip_plan_ints(plan, 2 * most_count);
    if (most_blocks) {
        s->d_image = laip_plan_ints(plan, most_count);
        s->d_block_begin = laip_plan_ints(plan, most_blocks + 1);
        s->d_block_sequences_begin = laip_plan_ints(plan, most_blocks + 1);
        s->d_block_sequences = laip_plan_ints(plan, most_count);
    }
}

void laip_sequences_free(laip_sequences *s)
{
    free(s->begin);
    free(s->id);
    free(s->image);
    s->begin = s->image = NULL;
    s->id = NULL;
}

void laip_sequences_clear(laip_sequences *s)
{
    s->count = s->rows = s->longest = 0;
}

size_t laip_sequences_add(laip_sequences *s, size_t length, int32_t image, uint64_t id)
{
    s->begin[s->count] = (int32_t)s->rows;
    s->image[s->count] = image;
    s->id[s->count] = id;
    s->rows += length;
    if (length > s->longest)
        s->longest = length;
    s->begin[s->count + 1] = (int32_t)s->rows;
    return s->count++;
}

static void upload(laip_device *d, laip_ints to, const int32_t *values, size_t count)
{
    to.count = count;
    laip_ints_write(d, to, values);
}

static void upload_images(laip_sequences *s, laip_device *d, size_t blocks, size_t block_rows)
{
    int32_t *begin = laip_alloc(blocks + 1, sizeof *begin),
            *block_sequences_begin = laip_alloc(blocks + 1, sizeof *begin);
    int32_t *block_sequences = laip_alloc(s->count, sizeof *block_sequences),
            *next = laip_alloc(blocks, sizeof *next);
    for (size_t i = 0; i < s->count; i++)
        block_sequences_begin[s->image[i] + 1]++;
    for (size_t t = 0; t < blocks; t++) {
        begin[t + 1] = (int32_t)((t + 1) * block_rows);
        block_sequences_begin[t + 1] += block_sequences_begin[t];
        next[t] = block_sequences_begin[t];
    }
    for (size_t i = 0; i < s->count; i++)
        block_sequences[next[s->image[i]]++] = (int32_t)i;
    upload(d, s->d_image, s->image, s->count);
    upload(d, s->d_block_begin, begin, blocks + 1);
    upload(d, s->d_block_sequences_begin, block_sequences_begin, blocks + 1);
    upload(d, s->d_block_sequences, block_sequences, s->count);
    free(begin);
    free(block_sequences_begin);
    free(block_sequences);
    free(next);
}

void laip_sequences_upload(laip_sequences *s, laip_device *d, size_t blocks, size_t block_rows)
{
    if (s->count > s->most_count || s->rows > s->most_rows || s->longest > s->most_longest ||
        blocks > s->most_blocks) {
        laip_device_fail(
            d,
            "a batch of %zu sequences, %zu tokens (longest %zu) and %zu images is more than was planned:"
            " %zu, %zu (%zu) and %zu",
            s->count, s->rows, s->longest, blocks, s->most_count, s->most_rows, s->most_longest,
            s->most_blocks);
        return;
    }
    size_t most = s->most_count > s->most_blocks ? s->most_count : s->most_blocks;
    int32_t *identity = laip_alloc(most + 1, sizeof *identity), *row = laip_alloc(s->rows, sizeof *row),
            *id = laip_alloc(2 * s->count, sizeof *id);
    for (size_t i = 0; i <= most; i++)
        identity[i] = (int32_t)i;
    for (size_t i = 0; i < s->count; i++) {
        id[2 * i] = (int32_t)(uint32_t)s->id[i];
        id[2 * i + 1] = (int32_t)(uint32_t)(s->id[i] >> 32);
        for (int32_t r = s->begin[i]; r < s->begin[i + 1]; r++)
            row[r] = (int32_t)i;
    }
    upload(d, s->d_begin, s->begin, s->count + 1);
    upload(d, s->d_identity, identity, most + 1);
    upload(d, s->d_row_sequence, row, s->rows);
    upload(d, s->d_id, id, 2 * s->count);
    s->blocks = blocks;
    s->block_rows = block_rows;
    if (blocks)
        upload_images(s, d, blocks, block_rows);
    free(identity);
    free(row);
    free(id);
}

void laip_sequences_uniform(laip_sequences *s, laip_device *d, size_t count, size_t length)
{
    if (s->count == count && s->longest == length && s->rows == count * length)
        return; /* the tables are there already */
    laip_sequences_clear(s);
    for (size_t i = 0; i < count; i++)
        laip_sequences_add(s, length, 0, i);
    laip_sequences_upload(s, d, 0, 0);
}

/* Σ over the first `count` sequences of rows here times rows there. */
static double scores(const laip_sequences *s, const laip_sequences *whole, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)(s->begin[i + 1] - s->begin[i]) * (whole->begin[i + 1] - whole->begin[i]);
    return sum;
}

laip_attention laip_sequences_self(const laip_sequences *s, size_t count, int heads, int head_size,
                                   float dropout)
{
    size_t rows = (size_t)s->begin[count];
    return (laip_attention){.heads = heads,
                            .head_size = head_size,
                            .sequences = count,
                            .blocks = count,
                            .query_rows = rows,
                            .key_rows = rows,
                            .longest_query = s->longest,
                            .longest_block = s->longest,
                            .q_begin = s->d_begin,
                            .kv_of = s->d_identity,
                            .k_begin = s->d_begin,
                            .block_sequences_begin = s->d_identity,
                            .block_sequences = s->d_identity,
                            .ids = s->d_id,
                            .dropout = dropout,
                            .score_count = scores(s, s, count)};
}

laip_attention laip_sequences_cross(const laip_sequences *s, size_t count, int heads, int head_size,
                                    float dropout)
{
    return (laip_attention){.heads = heads,
                            .head_size = head_size,
                            .sequences = count,
                            .blocks = s->blocks,
                            .query_rows = (size_t)s->begin[count],
                            .key_rows = s->blocks * s->block_rows,
                            .longest_query = s->longest,
                            .longest_block = s->block_rows,
                            .q_begin = s->d_begin,
                            .kv_of = s->d_image,
                            .k_begin = s->d_block_begin,
                            .block_sequences_begin = s->d_block_sequences_begin,
                            .block_sequences = s->d_block_sequences,
                            .ids = s->d_id,
                            .dropout = dropout,
                            .score_count = (double)s->begin[count] * (double)s->block_rows};
}

laip_attention laip_sequences_onto(const laip_sequences *s, const laip_sequences *whole, size_t count,
                                   int heads, int head_size, float dropout)
{
    laip_attention a = laip_sequences_self(whole, count, heads, head_size, dropout);
    a.query_rows = (size_t)s->begin[count];
    a.longest_query = s->longest;
    a.q_begin = s->d_begin;
    a.ids = s->d_id;
    a.score_count = scores(s, whole, count);
    return a;
}

laip_dropout_mask laip_sequences_mask(const laip_sequences *s, laip_rng_key stream, float p)
{
    return (laip_dropout_mask){
        .row_sequence = s->d_row_sequence, .begin = s->d_begin, .ids = s->d_id, .stream = stream, .p = p};
}
