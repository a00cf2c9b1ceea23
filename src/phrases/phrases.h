/* Noun phrases of a caption: word tokeniser, part-of-speech tagger, chunk grammar.
 *
 * Two taggers, both with the Penn Treebank's tags.  Ours knows the words that people describe other people
 * with, and context rules for what they mean next to each other.  The other one decodes the averaged
 * perceptron of NLTK from its three files, and gives NLTK's tags exactly.
 *
 * Taggers and phrasers are constant once made: any number of threads may use one at once. */
#ifndef LAIP_PHRASES_PHRASES_H
#define LAIP_PHRASES_PHRASES_H

#include "base/error.h"
#include "text/tokenizer.h"
#include <stddef.h>
#include <stdint.h>

typedef struct laip_tagger laip_tagger;

/* folder NULL: ours.  Else the folder with averaged_perceptron_tagger_eng.weights.json, .tagdict.json and
 * .classes.json; one that is missing or not of their form is bad input. */
laip_tagger *laip_tagger_create(const char *folder, laip_error *error);
/* Tags count tokens (UTF-8); tags[i] lives as long as the tagger. */
void laip_tagger_tag(const laip_tagger *tagger, const char *const *tokens, size_t count, const char **tags);
void laip_tagger_free(laip_tagger *tagger);

/* Spans of a text in bytes, [start, end).  A zeroed struct is empty; it is reused from call to call. */
typedef struct laip_spans {
    size_t count, capacity;
    uint32_t *start, *end;
} laip_spans;

void laip_spans_free(laip_spans *spans);

/* The words of an English text as a treebank has them: punctuation and the endings 's, n't and the like are
 * words of their own, hyphens join; "shoes.His" and "shirt,shorts" are divided where a space was forgotten.
 */
void laip_english_words(const char *text, size_t length, laip_spans *out);

/* The grammar is in the manner of NLTK's RegexpParser: rules, divided by line ends or semicolons, each of one
 * or more LABEL: {<DT>?<JJ.*|VBN>*<NN.*>+}     what is a chunk
 *          }<VB.*>{                      what is taken out of chunks again
 * An element <…> is a regular expression over one tag; elements are repeated by * + ? {n,m}, grouped by ( ),
 * and divided by |.  # begins a comment.  All labels give phrases; rules work one after another on what no
 * chunk holds. */
extern const char laip_default_grammar[];       /* for our tagger */
extern const char laip_default_grammar_penn[];  /* for NLTK's tags */
extern const char laip_default_generic_heads[]; /* "man,woman,person,pair,…" */

typedef struct laip_phraser laip_phraser;

/* tagger_folder as for laip_tagger_create; grammar NULL: the default one of that tagger.  generic_heads,
 * words divided by commas or blanks, or NULL: a phrase that is nothing but one of them ("man", but not "young
 * man") is left out. */
laip_phraser *laip_phraser_create(const char *tagger_folder, const char *grammar, const char *generic_heads,
                                  laip_error *error);
/* The phrases of length (fewer than 2^31) bytes of text, in order, none overlapping.  Give it the caption as
 * it was written: sentence ends and hyphens help. */
void laip_phrases(const laip_phraser *phraser, const char *text, size_t length, laip_spans *out);
void laip_phraser_free(laip_phraser *phraser);

/* The tokens [*first, *last) of tokens that came from the bytes [start, end) of the text; none: both equal.
 */
void laip_span_tokens(const laip_tokens *tokens, uint32_t start, uint32_t end, size_t *first, size_t *last);

#endif
