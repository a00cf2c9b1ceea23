/* Noun phrases: words, tags, and the rules of a chunk grammar over them. */
#include "phrases/phrases.h"

#include "base/map.h"
#include "phrases/tag_pattern.h"
#include "phrases/tagger.h"
#include <stdlib.h>
#include <string.h>

/* Modifiers joined by commas or conjunctions, modifiers, heads.  Our tagger calls a noun that modifiers
 * follow (short sleeve red shirt) an adjective; NLTK's does not. */
const char laip_default_grammar[] = "NP: {((<JJ.*>|<RB><VBN>)+(<,><CC>?|<CC>))*(<JJ.*>|<RB><VBN>)*<NN.*>+}";
const char laip_default_grammar_penn[] =
    "NP: {(<NN|JJ.*|VBN>*<JJ.*|VBN>(<,><CC>?|<CC>))*<JJ.*|VBN|NN>*<NN.*>+}";
const char laip_default_generic_heads[] = "man,men,woman,women,person,people,boy,boys,girl,girls,guy,lady,"
                                          "male,female,gentleman,individual,pedestrian,pair,pairs,"
                                          "set,picture,image,photo";

typedef struct rule {
    laip_tag_pattern *pattern;
    bool chink;
} rule;

struct laip_phraser {
    laip_tagger *tagger;
    rule *rules;
    size_t rule_count, rule_capacity;
    laip_map generic;
};

static size_t skip_blanks(const char *g, size_t at)
{
    for (;;) {
        at += strspn(g + at, " \t\r\n;");
        if (g[at] != '#')
            return at;
        at += strcspn(g + at, "\n");
    }
}

/* The end of the pattern that begins at `at`: the brace that is not a repeat's.  A repeat's brace opens
 * inside. */
static size_t pattern_end(const char *g, size_t at, char brace)
{
    int depth = 0;
    for (bool tag = false; g[at]; at++) {
        if (g[at] == '\\' && g[at + 1])
            at++;
        else if (g[at] == '<')
            tag = true;
        else if (g[at] == '>')
            tag = false;
        else if (tag)
            continue;
        else if (g[at] == '{' && brace == '}')
            depth++;
        else if (g[at] == '{' && strspn(g + at + 1, "0123456789,") &&
                 g[at + 1 + strspn(g + at + 1, "0123456789,")] == '}')
            at += 1 + strspn(g + at + 1, "0123456789,");
        else if (g[at] == brace && depth-- == 0)
            return at;
    }
    return at;
}

static bool add_rule(laip_phraser *p, const char *g, size_t *at, laip_error *error)
{
    char brace = g[*at] == '{' ? '}' : '{';
    size_t from = *at + 1, end = pattern_end(g, from, brace);
    if (!g[end])
        return laip_bad_input(error, "grammar, character %zu: this %c has no %c", *at + 1, g[*at], brace);
    const char *const *names;
    size_t count = laip_tagger_names(p->tagger, &names);
    laip_tag_pattern *pattern = laip_tag_pattern_compile(g + from, end - from, names, count, error);
    if (!pattern)
        return laip_error_prefix(error, "grammar, rule at character %zu", *at + 1);
    void *rules = p->rules;
    laip_grow(&rules, &p->rule_capacity, p->rule_count + 1, sizeof *p->rules);
    p->rules = rules;
    p->rules[p->rule_count++] = (rule){pattern, brace == '{'};
    *at = end + 1;
    return true;
}

static bool parse_grammar(laip_phraser *p, const char *g, laip_error *error)
{
    for (size_t at = skip_blanks(g, 0); g[at]; at = skip_blanks(g, at)) {
        if (g[at] != '{' && g[at] != '}') {
            size_t label = strcspn(g + at, ":{}<>\n;");
            if (g[at + label] != ':')
                return laip_bad_input(error, "grammar, character %zu: expected LABEL: {pattern} or }pattern{",
                                      at + 1);
            at = skip_blanks(g, at + label + 1);
        }
        if (g[at] != '{' && g[at] != '}')
            return laip_bad_input(error, "grammar, character %zu: expected { or }", at + 1);
        if (!add_rule(p, g, &at, error))
            return false;
    }
    return p->rule_count || laip_bad_input(error, "grammar: no rule in it, such as NP: {<JJ>*<NN>}");
}

static void set_generic(laip_phraser *p, const char *words)
{
    for (const char *w = words; w && *w;) {
        w += strspn(w, ", \t\r\n");
        size_t n = strcspn(w, ", \t\r\n");
        if (n)
            laip_map_set(&p->generic, w, n, 1);
        w += n;
    }
}

laip_phraser *laip_phraser_create(const char *tagger_folder, const char *grammar, const char *generic_heads,
                                  laip_error *error)
{
    laip_phraser *p = laip_alloc(1, sizeof *p);
    p->tagger = laip_tagger_create(tagger_folder, error);
    if (p->tagger && !grammar)
        grammar = laip_tagger_is_ours(p->tagger) ? laip_default_grammar : laip_default_grammar_penn;
    if (!p->tagger || !parse_grammar(p, grammar, error)) {
        laip_phraser_free(p);
        return NULL;
    }
    set_generic(p, generic_heads);
    return p;
}

void laip_phraser_free(laip_phraser *p)
{
    if (!p)
        return;
    laip_tagger_free(p->tagger);
    for (size_t i = 0; i < p->rule_count; i++)
        laip_tag_pattern_free(p->rules[i].pattern);
    free(p->rules);
    laip_map_free(&p->generic);
    free(p);
}

/* What a token is to the chunks. */
enum { OUTSIDE, BEGINS, CONTINUES };

/* Finds the rule's matches in the tokens [from, to) and marks them: chunks, or what leaves its chunk. */
static void apply(const rule *r, const uint8_t *tags, size_t from, size_t to, void *work, uint8_t *chunk)
{
    size_t start, end;
    while (from < to && laip_tag_pattern_find(r->pattern, tags, from, to, work, &start, &end)) {
        for (size_t i = start; i < end; i++)
            chunk[i] = r->chink ? OUTSIDE : i == start ? BEGINS : CONTINUES;
        from = end;
    }
}

static void chunk_tokens(const laip_phraser *p, const uint8_t *tags, size_t count, uint8_t *chunk)
{
    for (size_t k = 0; k < p->rule_count; k++) {
        const rule *r = &p->rules[k];
        void *work = laip_alloc(laip_tag_pattern_work(r->pattern, count), 1);
        for (size_t i = 0; i < count;) {
            size_t end = i + 1;
            bool inside = chunk[i] != OUTSIDE;
            while (end < count && (inside ? chunk[end] == CONTINUES : chunk[end] == OUTSIDE))
                end++;
            if (inside == r->chink)
                apply(r, tags, i, end, work, chunk);
            i = end;
        }
        free(work);
    }
}

static bool is_generic(const laip_phraser *p, const char *text, size_t length)
{
    char low[64];
    int32_t unused;
    if (length > sizeof low || !p->generic.count)
        return false;
    for (size_t i = 0; i < length; i++)
        low[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + 32) : text[i];
    return laip_map_get(&p->generic, low, length, &unused);
}

static void add_span(laip_spans *out, uint32_t start, uint32_t end)
{
    if (out->count == out->capacity) {
        out->capacity = out->capacity ? 2 * out->capacity : 16;
        out->start = laip_realloc(out->start, out->capacity, sizeof *out->start);
        out->end = laip_realloc(out->end, out->capacity, sizeof *out->end);
    }
    out->start[out->count] = start;
    out->end[out->count++] = end;
}

void laip_phrases(const laip_phraser *p, const char *text, size_t length, laip_spans *out)
{
    laip_spans words = {0};
    laip_english_words(text, length, &words);
    const char **tokens = laip_alloc(words.count, sizeof *tokens);
    uint32_t *lengths = laip_alloc(words.count, sizeof *lengths);
    uint8_t *tags = laip_alloc(words.count, 1), *chunk = laip_alloc(words.count, 1);
    for (size_t i = 0; i < words.count; i++) {
        tokens[i] = text + words.start[i];
        lengths[i] = words.end[i] - words.start[i];
    }
    laip_tagger_run(p->tagger, tokens, lengths, words.count, tags);
    chunk_tokens(p, tags, words.count, chunk);
    out->count = 0;
    for (size_t i = 0; i < words.count; i++) {
        if (chunk[i] == OUTSIDE)
            continue;
        size_t last = i;
        while (last + 1 < words.count && chunk[last + 1] == CONTINUES)
            last++;
        if (!is_generic(p, text + words.start[i], words.end[last] - words.start[i]))
            add_span(out, words.start[i], words.end[last]);
        i = last;
    }
    free(tokens);
    free(lengths);
    free(tags);
    free(chunk);
    laip_spans_free(&words);
}

void laip_span_tokens(const laip_tokens *t, uint32_t start, uint32_t end, size_t *first, size_t *last)
{
    size_t i = 0;
    while (i < t->count && (t->word[i] < 0 || t->end[i] <= start))
        i++;
    *first = *last = i;
    while (*last < t->count && t->word[*last] >= 0 && t->start[*last] < end)
        ++*last;
}
