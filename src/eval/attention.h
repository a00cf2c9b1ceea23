/* Where the phrases of a caption look in a picture: maps of BidirAtt's attention (model/README.md), each word
 * of a phrase masked in turn and the maps averaged. */
#ifndef LAIP_EVAL_ATTENTION_H
#define LAIP_EVAL_ATTENTION_H

#include "base/str.h"
#include "data/texts.h"
#include "eval/binding.h"
#include "model/explain.h"

enum { LAIP_MAP_FORWARD, LAIP_MAP_BACKWARD, LAIP_MAP_BOTH, LAIP_MAPS };
extern const char *const laip_map_names[LAIP_MAPS];

typedef struct laip_attention_reader {
    laip_explainer explainer;
    const laip_dataset *dataset;
    const laip_texts *texts;         /* with phrases */
    const laip_tokenizer *tokenizer; /* whose tokens they are */
    size_t patches;                  /* P */
    float *planes;                   /* of the picture that is open */
} laip_attention_reader;

bool laip_attention_reader_open(laip_attention_reader *r, laip_model *model, const laip_loss_config *loss,
                                const laip_dataset *d, const laip_texts *texts,
                                const laip_tokenizer *tokenizer, laip_error *error);
void laip_attention_reader_close(laip_attention_reader *r);
bool laip_attention_picture(laip_attention_reader *r, size_t picture, laip_error *error);
/* maps [LAIP_MAPS, P] of phrase number `phrase` of the texts over the picture that was opened, none negative,
 * each of sum 1 or all 0.  false with an empty error text: the phrase has no word that could be masked. */
bool laip_attention_phrase(laip_attention_reader *r, size_t phrase, float *maps, laip_error *error);

/* Per cent of a map [P] of sum 1 that lie inside a box (binding.h); patches at its edge count in part. */
double laip_attention_inside(const laip_attention_reader *r, const float *map, const double *box);

/* The words of a phrase, as the tokenizer left them; the bound thing that they name (synth/family.h), -1:
 * none. */
void laip_phrase_text(const laip_token_sequences *phrases, size_t phrase, const laip_tokenizer *tokenizer,
                      laip_str *out);
int laip_phrase_thing(const laip_token_sequences *phrases, size_t phrase, const laip_tokenizer *tokenizer);

/* The share of attention inside the box of what a phrase names, over phrases of drawn families that name a
 * bound thing. */
typedef struct laip_attention_share {
    size_t phrases;
    double area, inside[LAIP_MAPS]; /* of the picture; of each map: means, per cent */
} laip_attention_share;

/* Of `count` captions evenly spread over the split, each with its own picture; shares [LAIP_BOUNDS of
 * synth/family.h]. */
bool laip_attention_shares(laip_attention_reader *r, const laip_binding *b, size_t count,
                           laip_attention_share *shares, laip_error *error);

#endif
