/* The vocabulary inside a laip_tokenizer: tokens by id, and a trie of them. */
#ifndef LAIP_TEXT_VOCAB_H
#define LAIP_TEXT_VOCAB_H

#include "base/memory.h"
#include "text/tokenizer.h"

/* An edge of the trie: from a state along a byte.  key is state << 8 | byte, plus one so that 0 is a free
 * place. */
typedef struct laip_trie_edge {
    uint32_t key, next;
} laip_trie_edge;

struct laip_tokenizer {
    laip_arena arena;
    const char **tokens;
    size_t count, token_capacity;
    laip_trie_edge *edges; /* open addressing; capacity is a power of two, at most half full */
    size_t edge_count, edge_capacity;
    int32_t *values; /* id of the token that ends at a state, or -1 */
    size_t states, states_capacity;
    uint32_t inside; /* the state after "##"; 0 when no token begins so */
    int32_t specials[LAIP_SPECIALS];
};

extern const char *const laip_special_names[LAIP_SPECIALS];

/* The state after `state` along byte, or 0 (the root, which no edge leads to). */
static inline uint32_t laip_trie_step(const laip_tokenizer *t, uint32_t state, unsigned char byte)
{
    uint32_t key = (state << 8 | byte) + 1;
    size_t mask = t->edge_capacity - 1;
    for (size_t i = (key * 2654435769u >> 8) & mask;; i = (i + 1) & mask) {
        if (t->edges[i].key == key)
            return t->edges[i].next;
        if (t->edges[i].key == 0)
            return 0;
    }
}

#endif
