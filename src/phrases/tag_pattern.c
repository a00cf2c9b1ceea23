/* Regular expressions over tags: compiled to a program of sets, splits and jumps; run by backtracking that
 * visits each pair of instruction and place once. */
#include "phrases/tag_pattern.h"

#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

typedef enum operation { ONE, SPLIT, JUMP, MATCH } operation;

typedef struct instruction {
    operation op;
    uint32_t x, y; /* ONE: the set; SPLIT: first x, then y; JUMP: x */
} instruction;

struct laip_tag_pattern {
    instruction *code;
    size_t size, code_capacity;
    uint8_t (*sets)[256];
    size_t set_count, set_capacity;
};

enum { MOST_CODE = 10000, MOST_DEPTH = 50, MOST_REPEATS = 100 };

typedef struct parser {
    laip_tag_pattern *p;
    const char *text;
    size_t at, end;
    bool inside; /* the characters of one tag, not tags */
    int depth;
    const char *const *names;
    size_t name_count;
    laip_error *error;
} parser;

static bool parse_choice(parser *r);

static bool wrong(parser *r, const char *what)
{
    return laip_bad_input(r->error, "tag pattern, character %zu: %s", r->at + 1, what);
}

static int peek(const parser *r)
{
    return r->at < r->end ? (unsigned char)r->text[r->at] : -1;
}

static void skip_blanks(parser *r)
{
    while (r->at < r->end && strchr(" \t\r\n", r->text[r->at]))
        r->at++;
}

static bool emit(parser *r, operation op, size_t x, size_t y)
{
    if (r->p->size >= MOST_CODE)
        return wrong(r, "the pattern is too large");
    void *code = r->p->code;
    laip_grow(&code, &r->p->code_capacity, r->p->size + 1, sizeof *r->p->code);
    r->p->code = code;
    r->p->code[r->p->size++] = (instruction){op, (uint32_t)x, (uint32_t)y};
    return true;
}

static uint8_t *new_set(parser *r)
{
    void *sets = r->p->sets;
    laip_grow(&sets, &r->p->set_capacity, r->p->set_count + 1, sizeof *r->p->sets);
    r->p->sets = sets;
    memset(r->p->sets[r->p->set_count], 0, sizeof *r->p->sets);
    return r->p->sets[r->p->set_count++];
}

/* One character, which a backslash may precede. */
static bool parse_character(parser *r, unsigned char *c)
{
    if (peek(r) == '\\') {
        r->at++;
        int next = peek(r);
        if (next < 0 || (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z') ||
            (next >= '0' && next <= '9'))
            return wrong(r, "a backslash makes a sign plain, and a sign is expected after it");
    }
    if (peek(r) < 0)
        return wrong(r, "a character is expected");
    *c = (unsigned char)r->text[r->at++];
    return true;
}

/* [abc], [a-z], [^abc]; the bracket was read. */
static bool parse_class(parser *r, uint8_t *set)
{
    bool invert = peek(r) == '^';
    r->at += invert;
    for (bool first = true; peek(r) != ']' || first; first = false) {
        unsigned char a = 0, b;
        if (!parse_character(r, &a))
            return false;
        b = a;
        if (peek(r) == '-' && r->at + 1 < r->end && r->text[r->at + 1] != ']') {
            r->at++;
            if (!parse_character(r, &b))
                return false;
        }
        for (int c = a; c <= b; c++)
            set[c] = 1;
    }
    r->at++;
    for (int c = 0; invert && c < 256; c++)
        set[c] = !set[c];
    return true;
}

/* Whether the pattern over characters matches all of name. */
static bool whole_match(const laip_tag_pattern *p, const char *name)
{
    size_t length = strlen(name), start, end;
    uint8_t *text = laip_alloc(length + 1, 1);
    memcpy(text, name,
           length); /* its final zero stands for the end, which only the pattern's last set takes */
    void *work = laip_alloc(laip_tag_pattern_work(p, length + 1), 1);
    bool good =
        laip_tag_pattern_find(p, text, 0, length + 1, work, &start, &end) && start == 0 && end == length + 1;
    free(work);
    free(text);
    return good;
}

/* <…>: the set of the tags that the expression inside matches. */
static bool parse_tag(parser *r)
{
    size_t close = r->at;
    while (close < r->end && r->text[close] != '>')
        close += r->text[close] == '\\' ? 2 : 1;
    if (close >= r->end)
        return wrong(r, "this < has no >");
    laip_tag_pattern inner = {0};
    parser sub = {&inner, r->text, r->at, close, true, 0, NULL, 0, r->error};
    bool good = parse_choice(&sub);
    if (good && sub.at < close)
        good = wrong(&sub, "this ) has no (");
    if (good) {
        new_set(&sub)[0] = 1;
        good = emit(&sub, ONE, inner.set_count - 1, 0) && emit(&sub, MATCH, 0, 0);
    }
    if (good) {
        size_t index = r->p->set_count;
        uint8_t *set = new_set(r);
        for (size_t i = 0; i < r->name_count; i++)
            set[i] = whole_match(&inner, r->names[i]);
        good = emit(r, ONE, index, 0);
    }
    free(inner.code);
    free(inner.sets);
    r->at = close + 1;
    return good;
}

static bool parse_group(parser *r)
{
    if (r->end - r->at >= 2 && r->text[r->at] == '?' && r->text[r->at + 1] == ':')
        r->at += 2;
    if (++r->depth > MOST_DEPTH)
        return wrong(r, "groups within groups are too deep");
    if (!parse_choice(r))
        return false;
    r->depth--;
    if (peek(r) != ')')
        return wrong(r, "a ) is expected");
    r->at++;
    return true;
}

static bool parse_atom(parser *r)
{
    int c = peek(r);
    if (c == '(') {
        r->at++;
        return parse_group(r);
    }
    if (!r->inside) {
        if (c != '<')
            return wrong(r, "expected <, ( or a repeat");
        r->at++;
        return parse_tag(r);
    }
    if (c == '*' || c == '+' || c == '?' || c == '<' || c == '{' || c == '}')
        return wrong(r, "this sign has nothing before it to repeat, or needs a backslash");
    size_t index = r->p->set_count;
    uint8_t *set = new_set(r);
    if (c == '.') {
        r->at++;
        for (int i = 1; i < 256; i++)
            set[i] = !strchr("{}<>", i);
    } else if (c == '[') {
        r->at++;
        if (!parse_class(r, set))
            return false;
        set[0] = 0;
    } else {
        unsigned char plain;
        if (!parse_character(r, &plain))
            return false;
        set[plain] = 1;
    }
    return emit(r, ONE, index, 0);
}

static bool parse_number(parser *r, size_t *n)
{
    size_t from = r->at;
    for (*n = 0; peek(r) >= '0' && peek(r) <= '9' && *n <= MOST_REPEATS; r->at++)
        *n = *n * 10 + (size_t)(peek(r) - '0');
    if (*n > MOST_REPEATS)
        return wrong(r, "more than 100 repeats");
    return r->at > from || wrong(r, "a number is expected");
}

/* The bounds of a repeat; most 0: none.  At {…} the brace is being looked at. */
static bool parse_bounds(parser *r, size_t *least, size_t *most)
{
    int c = peek(r);
    r->at++;
    *least = c == '+';
    *most = c == '?';
    if (c != '{')
        return true;
    if (!parse_number(r, least))
        return false;
    *most = *least;
    if (peek(r) == ',') {
        r->at++;
        *most = 0;
        if (peek(r) != '}' && !parse_number(r, most))
            return false;
        if (*most == 0 && r->text[r->at - 1] != ',')
            return wrong(r, "no repeat at all");
    } else if (*least == 0)
        return wrong(r, "no repeat at all");
    if (peek(r) != '}' || (*most && *most < *least))
        return wrong(r, "a repeat is {n}, {n,} or {n,m}");
    r->at++;
    return true;
}

/* Takes the instructions from base on out of the program; free() releases them. */
static instruction *take_back(parser *r, size_t base)
{
    size_t size = r->p->size - base;
    instruction *piece = laip_alloc(size, sizeof *piece);
    if (size)
        memcpy(piece, r->p->code + base, size * sizeof *piece);
    r->p->size = base;
    return piece;
}

/* Appends a copy of the instructions in piece, which were compiled to stand at `base`. */
static bool append(parser *r, const instruction *piece, size_t size, size_t base)
{
    size_t shift = r->p->size - base;
    for (size_t i = 0; i < size; i++) {
        bool jumps = piece[i].op == SPLIT || piece[i].op == JUMP;
        if (!emit(r, piece[i].op, piece[i].x + (jumps ? shift : 0),
                  piece[i].y + (piece[i].op == SPLIT ? shift : 0)))
            return false;
    }
    return true;
}

static bool append_optional(parser *r, const instruction *piece, size_t size, size_t base, bool again)
{
    size_t split = r->p->size;
    if (!emit(r, SPLIT, split + 1, 0) || !append(r, piece, size, base) || (again && !emit(r, JUMP, split, 0)))
        return false;
    r->p->code[split].y = (uint32_t)r->p->size;
    return true;
}

static bool parse_repeat(parser *r)
{
    size_t base = r->p->size;
    if (!parse_atom(r))
        return false;
    if (!r->inside)
        skip_blanks(r);
    int c = peek(r);
    if (c != '*' && c != '+' && c != '?' && c != '{')
        return true;
    size_t least, most, size = r->p->size - base;
    if (!parse_bounds(r, &least, &most))
        return false;
    instruction *piece = take_back(r, base);
    bool good = true;
    for (size_t i = 0; good && i < least; i++)
        good = append(r, piece, size, base);
    for (size_t i = least; good && i < most; i++)
        good = append_optional(r, piece, size, base, false);
    if (good && !most)
        good = append_optional(r, piece, size, base, true);
    free(piece);
    if (good && !r->inside)
        skip_blanks(r);
    c = peek(r);
    if (good && (c == '*' || c == '+' || c == '?' || c == '{'))
        return wrong(r, "a repeat of a repeat");
    return good;
}

static bool parse_sequence(parser *r)
{
    for (;;) {
        if (!r->inside)
            skip_blanks(r);
        int c = peek(r);
        if (c < 0 || c == '|' || c == ')')
            return true;
        if (!parse_repeat(r))
            return false;
    }
}

static bool parse_choice(parser *r)
{
    size_t base = r->p->size;
    if (!parse_sequence(r))
        return false;
    while (peek(r) == '|') {
        /* SPLIT first, second; first; JUMP end; second */
        size_t size = r->p->size - base;
        instruction *first = take_back(r, base);
        bool good = emit(r, SPLIT, base + 1, base + size + 2) && append(r, first, size, base);
        free(first);
        size_t jump = r->p->size;
        r->at++;
        if (!good || !emit(r, JUMP, 0, 0) || !parse_sequence(r))
            return false;
        r->p->code[jump].x = (uint32_t)r->p->size;
    }
    return true;
}

laip_tag_pattern *laip_tag_pattern_compile(const char *text, size_t length, const char *const *names,
                                           size_t name_count, laip_error *error)
{
    laip_tag_pattern *p = laip_alloc(1, sizeof *p);
    parser r = {p, text, 0, length, false, 0, names, name_count, error};
    bool good = parse_choice(&r);
    if (good && r.at < length)
        good = wrong(&r, "this ) has no (");
    if (good && emit(&r, MATCH, 0, 0))
        return p;
    laip_tag_pattern_free(p);
    return NULL;
}

void laip_tag_pattern_free(laip_tag_pattern *p)
{
    if (!p)
        return;
    free(p->code);
    free(p->sets);
    free(p);
}

/* Working space: a stack of (instruction, place), then a bit for each pair. */
typedef struct entry {
    uint32_t pc, at;
} entry;

size_t laip_tag_pattern_work(const laip_tag_pattern *p, size_t count)
{
    size_t pairs = p->size * (count + 1);
    return (pairs + 1) * sizeof(entry) + pairs / 8 + 1;
}

/* Matches at `from`, marking in seen what was tried; *end is where the match ends. */
static bool match_at(const laip_tag_pattern *p, const uint8_t *tags, size_t from, size_t count, entry *stack,
                     uint8_t *seen, size_t *end)
{
    size_t top = 0;
    stack[top++] = (entry){0, (uint32_t)from};
    while (top) {
        entry e = stack[--top];
        size_t bit = e.pc * (count + 1) + e.at;
        if (seen[bit / 8] >> bit % 8 & 1)
            continue;
        const instruction *i = &p->code[e.pc];
        if (i->op == MATCH && e.at == from)
            continue; /* an empty match, and it may be met again from another beginning */
        seen[bit / 8] = (uint8_t)(seen[bit / 8] | 1u << bit % 8);
        if (i->op == MATCH) {
            *end = e.at;
            return true;
        }
        if (i->op == ONE) {
            if (e.at < count && p->sets[i->x][tags[e.at]])
                stack[top++] = (entry){e.pc + 1, e.at + 1};
        } else {
            if (i->op == SPLIT)
                stack[top++] = (entry){i->y, e.at};
            stack[top++] = (entry){i->x, e.at};
        }
    }
    return false;
}

bool laip_tag_pattern_find(const laip_tag_pattern *p, const uint8_t *tags, size_t from, size_t count,
                           void *work, size_t *start, size_t *end)
{
    size_t pairs = p->size * (count + 1);
    entry *stack = work;
    uint8_t *seen = (uint8_t *)(stack + pairs + 1);
    memset(seen, 0, pairs / 8 + 1);
    for (*start = from; *start < count; ++*start)
        if (match_at(p, tags, *start, count, stack, seen, end))
            return true;
    return false;
}
