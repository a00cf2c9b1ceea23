#include "loss/masked.h"

float *laip_phrase_shares(laip_arena *arena, const laip_batch *b, int reduction)
{
    size_t phrases = (size_t)b->phrases;
    int32_t *of_owner = laip_arena_alloc(arena, (size_t)b->size + 1, sizeof *of_owner);
    float *share = laip_arena_alloc(arena, phrases + 1, sizeof *share);
    for (size_t j = 0; j < phrases; j++)
        of_owner[b->phrase_owner[j]]++;
    for (size_t j = 0; j < phrases; j++)
        share[j] =
            1 / (float)b->size / (reduction == LAIP_PHRASES_MEAN ? (float)of_owner[b->phrase_owner[j]] : 1);
    return share;
}

laip_masked laip_masked_none(laip_arena *arena, const laip_sequences *tokens)
{
    size_t most = tokens->rows + 1;
    return (laip_masked){.row = laip_arena_alloc(arena, most, sizeof(int32_t)),
                         .target = laip_arena_alloc(arena, most, sizeof(int32_t)),
                         .phrase = laip_arena_alloc(arena, most, sizeof(int32_t)),
                         .weight = laip_arena_alloc(arena, most, sizeof(float)),
                         .token_rows = tokens->rows};
}

/* Of the sequence that begins at `row`; its targets, −1 where nothing is masked. */
static void add(laip_masked *m, int32_t row, const int32_t *target, size_t length)
{
    for (size_t k = 0; k < length; k++)
        if (target[k] >= 0) {
            m->row[m->count] = row + (int32_t)k;
            m->target[m->count++] = target[k];
        }
}

void laip_masked_add_phrases(laip_masked *m, laip_arena *arena, const laip_sequences *tokens, size_t first,
                             const laip_batch *b, const float *share, float weight)
{
    size_t phrases = (size_t)b->phrases;
    int32_t *masked = laip_arena_alloc(arena, phrases + 1, sizeof *masked); /* tokens of each phrase */
    for (size_t j = 0; j < phrases; j++) {
        int32_t begin = b->phrase_begin[j];
        size_t before = m->count;
        add(m, tokens->begin[first + j], b->phrase_target + begin, (size_t)(b->phrase_begin[j + 1] - begin));
        masked[j] = (int32_t)(m->count - before);
        for (size_t i = before; i < m->count; i++)
            m->phrase[i] = (int32_t)j;
    }
    m->in_phrases = m->count;
    for (size_t i = 0; i < m->count; i++)
        m->weight[i] = weight * share[m->phrase[i]] / (float)masked[m->phrase[i]];
}

void laip_masked_add_captions(laip_masked *m, const laip_sequences *tokens, size_t first, const laip_batch *b,
                              float weight)
{
    for (size_t i = 0; i < (size_t)b->size; i++) {
        int32_t begin = b->caption_begin[i];
        add(m, tokens->begin[first + i], b->caption_target + begin,
            (size_t)(b->caption_begin[i + 1] - begin));
    }
    for (size_t i = m->in_phrases; i < m->count; i++)
        m->weight[i] = weight / (float)(m->count - m->in_phrases);
}
