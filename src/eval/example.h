/* One caption of a drawn family (synth/family.h) with a picture of each of its four members: an example of
 * whether colours are bound to things, for a figure. */
#ifndef LAIP_EVAL_EXAMPLE_H
#define LAIP_EVAL_EXAMPLE_H

#include "eval/attention.h"
#include "synth/family.h"

typedef struct laip_example {
    int32_t family;
    int own;                          /* the member that the caption describes */
    size_t caption;                   /* of the dataset */
    size_t picture[LAIP_FAMILY];      /* a member's */
    const double *boxes[LAIP_FAMILY]; /* of what is in it: [LAIP_BOUNDS, 4] (eval/binding.h) */
    bool control;                     /* members differ by colours that are foreign to the family */
    size_t phrases;                   /* of the caption, those that name a bound thing, in its order: */
    size_t phrase[LAIP_BOUNDS];       /* its number, */
    int thing[LAIP_BOUNDS];           /* and what it names */
    float matching[LAIP_FAMILY], cosine[LAIP_FAMILY]; /* ITM's logit 1, of the features: with each picture */
} laip_example;

/* The split's family of that number (below 0: the first of the split).  Of its captions the one with most
 * phrases that name a bound thing with its colour, of equals that whose picture shows the four things best;
 * of every other member the picture that does.  Bad input: no families beside the split's annotations; no
 * such family in the split, or not all four of it; no caption that names a thing. */
bool laip_example_choose(laip_example *x, const laip_binding *b, const laip_dataset *d,
                         const laip_texts *texts, const laip_tokenizer *tokenizer, long family,
                         laip_error *error);
/* Fills matching and cosine. */
bool laip_example_score(laip_example *x, laip_model *model, const laip_dataset *d, const laip_texts *texts,
                        laip_error *error);
/* The box of the thing that wears, in a member's picture, the colour that a phrase gives to another; NULL:
 * none, or the named thing itself does. */
const double *laip_example_swapped(const laip_example *x, size_t phrase, int member);

#endif
