#include "model/layout.h"

#include <string.h>

laip_parts laip_parts_of(const laip_loss_config *loss, const laip_batch *batch)
{
    const float *w = loss->weight;
    laip_parts p = {.matches = w[LAIP_LOSS_ITM] > 0 || w[LAIP_LOSS_TRIPLET] > 0,
                    .aligns = batch->phrases && w[LAIP_LOSS_BIDIRATT] > 0,
                    .mlm = w[LAIP_LOSS_MLM] > 0};
    p.masks = batch->phrases && (p.aligns || w[LAIP_LOSS_MPM] > 0);
    return p;
}

/* Names the random streams of a sequence: the sample's number and what it is there. */
enum {
    CODE_CAPTION,
    CODE_MASKED_CAPTION,
    CODE_PAIR,
    CODE_NEGATIVE_IMAGE,
    CODE_NEGATIVE_TEXT,
    CODE_MLM,
    CODE_PHRASE
};
static uint64_t stream(const laip_batch *batch, size_t sample, uint64_t code)
{
    return batch->sample[sample] * 4096 + code;
}

/* The stream of phrase j in one of three places: plain, masked, in the cross batch. */
static uint64_t phrase_stream(const laip_batch *b, size_t j, uint64_t place)
{
    uint64_t number = 0; /* of its caption's */
    while (number < j && b->phrase_owner[j - number - 1] == b->phrase_owner[j])
        number++;
    return stream(b, (size_t)b->phrase_owner[j], CODE_PHRASE + 3 * number + place);
}

static void add_text(laip_sequences *t, int32_t *to, const int32_t *ids, int32_t begin, int32_t end,
                     uint64_t id)
{
    size_t length = (size_t)(end - begin);
    memcpy(to + t->rows, ids + begin, length * sizeof *ids);
    laip_sequences_add(t, length, 0, id);
}

static void add_captions(laip_sequences *t, int32_t *to, const laip_batch *b, const int32_t *ids,
                         uint64_t code)
{
    for (size_t i = 0; i < (size_t)b->size; i++)
        add_text(t, to, ids, b->caption_begin[i], b->caption_begin[i + 1], stream(b, i, code));
}

static void add_phrases(laip_sequences *t, int32_t *to, const laip_batch *b, const int32_t *ids,
                        uint64_t place)
{
    for (size_t j = 0; j < (size_t)b->phrases; j++)
        add_text(t, to, ids, b->phrase_begin[j], b->phrase_begin[j + 1], phrase_stream(b, j, place));
}

laip_text_layout laip_lay_out_text(laip_arena *arena, const laip_batch *b, laip_parts parts,
                                   laip_sequences *t)
{
    int32_t *ids = laip_arena_alloc(arena, t->most_rows, sizeof *ids);
    laip_text_layout l = {.ids = ids};
    laip_sequences_clear(t);
    add_captions(t, ids, b, b->caption_ids, CODE_CAPTION);
    l.plain = t->count;
    if (parts.aligns)
        add_phrases(t, ids, b, b->phrase_ids, 0);
    l.masked_phrases = t->count;
    if (parts.masks)
        add_phrases(t, ids, b, b->phrase_masked, 1);
    l.masked_captions = t->count;
    if (parts.mlm)
        add_captions(t, ids, b, b->caption_masked, CODE_MASKED_CAPTION);
    return l;
}

/* The cross batch in the making. */
typedef struct cross {
    const laip_sequences *text;
    laip_cross_pass *pass;
    int32_t *source;
} cross;

/* Adds the text sequence `text`, reading image `image`, of whose output all rows are wanted or only that of
 * [CLS]; returns its index. */
static size_t add_pair(const cross *c, size_t text, size_t image, bool all, uint64_t id)
{
    const laip_sequences *t = c->text;
    laip_sequences *x = &c->pass->tokens;
    size_t length = (size_t)(t->begin[text + 1] - t->begin[text]);
    for (size_t r = 0; r < length; r++)
        c->source[x->rows + r] = t->begin[text] + (int32_t)r;
    laip_bert_selection_add(&c->pass->selection, (int32_t)x->rows, length, all, (int32_t)image, id);
    return laip_sequences_add(x, length, (int32_t)image, id);
}

static void add_matches(const cross *c, laip_arena *arena, const laip_batch *b, laip_negatives n,
                        laip_cross_layout *l)
{
    size_t B = (size_t)b->size, first = l->pairs;
    int32_t *text = laip_arena_alloc(arena, B, sizeof *text),
            *image = laip_arena_alloc(arena, B, sizeof *image),
            *row = laip_arena_alloc(arena, 3 * B, sizeof *row);
    for (size_t i = 0; i < B; i++)
        add_pair(c, i, i, false, stream(b, i, CODE_PAIR));
    for (size_t i = 0; i < B; i++)
        image[i] =
            n.image[i] < 0
                ? -1
                : (int32_t)(add_pair(c, i, (size_t)n.image[i], false, stream(b, i, CODE_NEGATIVE_IMAGE)) -
                            first);
    for (size_t i = 0; i < B; i++)
        text[i] = n.text[i] < 0
                      ? -1
                      : (int32_t)(add_pair(c, (size_t)n.text[i], i, false, stream(b, i, CODE_NEGATIVE_TEXT)) -
                                  first);
    l->matches = c->pass->tokens.count - first;
    for (size_t i = 0; i < l->matches; i++)
        row[i] = c->pass->selection.tokens.begin[first + i];
    l->match_row = row;
    l->text_match = text;
    l->image_match = image;
}

laip_cross_layout laip_lay_out_cross(laip_arena *arena, const laip_batch *b, laip_parts parts,
                                     const laip_text_layout *text, const laip_sequences *text_tokens,
                                     laip_negatives negatives, laip_cross_pass *pass)
{
    laip_sequences *x = &pass->tokens;
    cross c = {text_tokens, pass, laip_arena_alloc(arena, x->most_rows + 1, sizeof(int32_t))};
    laip_cross_layout l = {.source = c.source};
    laip_sequences_clear(x);
    laip_bert_selection_clear(&pass->selection);
    for (size_t j = 0; parts.masks && j < (size_t)b->phrases; j++)
        add_pair(&c, text->masked_phrases + j, (size_t)b->phrase_owner[j], true, phrase_stream(b, j, 2));
    l.pairs = x->count;
    if (parts.matches)
        add_matches(&c, arena, b, negatives, &l);
    l.captions = x->count;
    for (size_t i = 0; parts.mlm && i < (size_t)b->size; i++)
        add_pair(&c, text->masked_captions + i, i, true, stream(b, i, CODE_MLM));
    return l;
}
