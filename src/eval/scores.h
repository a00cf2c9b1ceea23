/* The numbers behind an evaluation, for other programs to read. */
#ifndef LAIP_EVAL_SCORES_H
#define LAIP_EVAL_SCORES_H

#include "eval/evaluate.h"

/* Writes a safetensors file with, for n pictures and q captions in the order of the split:
 *   image_features [n, E], text_features [q, E]   of unit length
 *   similarities   [q, n]                         their products
 *   candidates     [q, k], matching_logits [q, k, 2]
 *                                                 the k best pictures by similarity; logit 1 is that of a
 * match picture_person [n], caption_person [q], caption_picture [q] token_begin    [q + 1], tokens
 * [token_begin[q]]   the captions as the network reads them and, in the metadata, "pictures" and "captions":
 * JSON lists of the pictures' files and the captions' texts.  The evaluation must have kept them
 * (laip_reranking). */
bool laip_scores_write(const char *path, const laip_evaluation *e, const laip_dataset *d,
                       const laip_texts *texts, laip_error *error);

#endif
