/* WordPiece: captions to ids of a BERT vocabulary.
 *
 * The text is cleaned, split and matched as bert-base-uncased does: control characters removed, white space
 * unified, CJK characters set apart, accents stripped (canonical decomposition without non-spacing marks),
 * lower case, punctuation set apart; then each word is cut into the longest tokens of the vocabulary from
 * left to right (Schuster and Nakajima 2012; Devlin et al. 2019).  A word of more than 100 characters, or one
 * that cannot be cut, is [UNK].
 *
 * A laip_tokenizer is constant once made: any number of threads may use one at once, each with its own
 * laip_tokens.  Text is UTF-8; a byte that is none counts as U+FFFD, which the cleaning removes. */
#ifndef LAIP_TEXT_TOKENIZER_H
#define LAIP_TEXT_TOKENIZER_H

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

typedef struct laip_tokenizer laip_tokenizer;

/* Reads vocab.txt: a token a line, its id the line's number from 0; of equal lines the last one counts.  Bad
 * input: an unreadable file, a line that is not UTF-8, or no [PAD], [UNK], [CLS], [SEP] or [MASK]. */
laip_tokenizer *laip_tokenizer_load(const char *path, laip_error *error);
/* The same from the text of a vocab.txt in memory; name stands for the file in errors. */
laip_tokenizer *laip_tokenizer_parse(const char *name, const char *text, size_t length, laip_error *error);
/* The same from a list of tokens. */
laip_tokenizer *laip_tokenizer_from_words(const char *const *words, size_t count, laip_error *error);
void laip_tokenizer_free(laip_tokenizer *tokenizer);

typedef enum laip_special { LAIP_PAD, LAIP_UNK, LAIP_CLS, LAIP_SEP, LAIP_MASK, LAIP_SPECIALS } laip_special;

size_t laip_tokenizer_size(const laip_tokenizer *tokenizer); /* ids are 0 … size - 1 */
int32_t laip_tokenizer_special(const laip_tokenizer *tokenizer, laip_special which);
const char *laip_tokenizer_token(const laip_tokenizer *tokenizer, int32_t id); /* NULL when out of range */
int32_t laip_tokenizer_id(const laip_tokenizer *tokenizer, const char *token); /* -1 when there is none */

/* What is done to a caption before WordPiece sees it. */
typedef enum laip_caption_rule {
    LAIP_RULE_NONE,
    /* ALBEF's and RaSa's: lower case; , . ' ! ? " ( ) * # : ; ~ deleted; - and / to a space; <person> to
     * person; runs of white space to one space; blanks at the ends dropped.  One addition, for captions that
     * lack the space after a full stop: "jacket.His" becomes two words (laip_caption_clean says exactly
     * when). */
    LAIP_RULE_ALBEF,
    /* The same to the letter, without that addition: "jacket.His" is jackethis, as the public checkpoints
       know it. */
    LAIP_RULE_ORIGINAL
} laip_caption_rule;

typedef struct laip_tokenize_options {
    laip_caption_rule rule;
    size_t max_words;      /* of the caption rule: words, divided by spaces, that are kept; 0: all */
    size_t max_tokens;     /* ids that are kept, [CLS] and [SEP] among them; 0: all */
    bool sep;              /* [SEP] at the end ([CLS] is always at the beginning) */
    bool literal_specials; /* "[MASK]" in the text is three words, not the token of that name */
} laip_tokenize_options;

/* The tokens of one caption.  A zeroed struct is empty; it is reused from call to call and grows as needed.
 */
typedef struct laip_tokens {
    size_t count;
    int32_t *ids;
    uint32_t *start, *end; /* the bytes [start, end) of the given text that the token came from; empty for the
                            * [CLS] and [SEP] that were added */
    int32_t *word;         /* the word, from 0, that the token belongs to; -1 for the added [CLS] and [SEP] */
    size_t cut;            /* tokens left out because of max_tokens */
    size_t cut_words;      /* words left out because of max_words */
    size_t capacity;       /* room of the arrays; the rest is working space */
    char *scratch;
    uint32_t *scratch_start, *scratch_end;
    size_t scratch_capacity;
} laip_tokens;

/* length bytes of text, fewer than 2^31.  NULL options are all zero.  Never fails. */
void laip_tokenize(const laip_tokenizer *tokenizer, const char *text, size_t length,
                   const laip_tokenize_options *options, laip_tokens *out);
void laip_tokens_free(laip_tokens *tokens);

/* ALBEF's rule alone: a new string, free() releases it.  A full stop between two letters of the ASCII range
 * is a space instead of being deleted when it ends a sentence: the letters before it are two or more and
 * either the letter after it is a capital and the one before it is not, or there are two or more letters
 * after it too and the characters up to the next white space on both sides hold no sign of an address (@ : /
 * \ _ & =). */
char *laip_caption_clean(const char *text, size_t length, size_t max_words);

/* A WordPiece vocabulary of at most `size` tokens learned from captions: first [PAD] [UNK] [CLS] [SEP]
 * [MASK], then every character seen as the beginning (a) and inside (##a) of words, then merges: at each step
 * the two neighbouring tokens seen together most often become one (Sennrich et al. 2016), ties going to the
 * pair first in byte order, until the size is reached or no pair is seen twice.  When the characters alone
 * are too many the most frequent ones are kept.  The same captions in any order give the same list.  Bad
 * input: a size under 6.  *words becomes an array of *count strings; laip_vocab_free releases it. */
bool laip_vocab_learn(const char *const *captions, size_t caption_count, laip_caption_rule rule, size_t size,
                      char ***words, size_t *count, laip_error *error);
bool laip_vocab_save(const char *path, char *const *words, size_t count, laip_error *error);
void laip_vocab_free(char **words, size_t count);

#endif
