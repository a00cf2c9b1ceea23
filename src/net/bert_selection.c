/* Which rows a last layer computes: see laip_bert_selection. */
#include "net/bert.h"

#include "base/memory.h"
#include <stdlib.h>

void laip_bert_selection_plan(laip_bert_selection *t, laip_plan *r, size_t sequences, size_t rows,
                              size_t longest, size_t images, bool backward)
{
    laip_bert_selection_free(t); /* the layout runs twice */
    *t = (laip_bert_selection){.backward = backward};
    laip_sequences_plan(&t->tokens, r, sequences, rows, longest, images);
    t->source = laip_alloc(rows, sizeof *t->source);
    t->d_source = laip_plan_ints(r, rows);
    if (backward)
        t->back = laip_scatter_plan(r, rows);
}

void laip_bert_selection_free(laip_bert_selection *t)
{
    laip_sequences_free(&t->tokens);
    free(t->source);
    t->source = NULL;
}

void laip_bert_selection_clear(laip_bert_selection *t)
{
    laip_sequences_clear(&t->tokens);
}

size_t laip_bert_selection_add(laip_bert_selection *t, int32_t begin, size_t length, bool all, int32_t image,
                               uint64_t id)
{
    size_t wanted = all ? length : 1;
    if (t->tokens.count < t->tokens.most_count && t->tokens.rows + wanted <= t->tokens.most_rows)
        for (size_t i = 0; i < wanted; i++)
            t->source[t->tokens.rows + i] = begin + (int32_t)i;
    return laip_sequences_add(&t->tokens, wanted, image, id);
}

void laip_bert_selection_upload(laip_bert_selection *t, laip_device *d, const laip_sequences *batch)
{
    laip_sequences_upload(&t->tokens, d, batch->blocks, batch->block_rows);
    t->d_source.count = t->tokens.rows;
    laip_ints_write(d, t->d_source, t->source);
    if (t->backward)
        laip_scatter_upload(&t->back, d, t->source, t->tokens.rows, batch->rows);
}
