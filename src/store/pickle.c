/* The machine that pickles are programs of: a stack, marks in it, and a memo. */
#include "store/pickle_machine.h"

#include "store/pickle_names.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Values above the last mark may be taken. */
static size_t floor_of(const laip_pickle_machine *m)
{
    return m->mark_count ? m->marks[m->mark_count - 1] : 0;
}

static bool needs(laip_pickle_machine *m, size_t count)
{
    return m->depth - floor_of(m) >= count ||
           laip_pickle_bad(m, "an operation with too few values before it");
}

static laip_pickle_node *pop(laip_pickle_machine *m)
{
    return m->stack[--m->depth];
}

static bool append(laip_pickle_machine *m, laip_pickle_node *list, laip_pickle_node **items, size_t count)
{
    if (list->length + count > list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 4;
        while (capacity < list->length + count)
            capacity *= 2;
        laip_pickle_node **grown = laip_arena_alloc(m->arena, capacity, sizeof *grown);
        if (list->length)
            memcpy(grown, list->items, list->length * sizeof *grown);
        list->items = grown;
        list->capacity = capacity;
    }
    if (count)
        memcpy(list->items + list->length, items, count * sizeof *items);
    list->length += count;
    return true;
}

/* Everything above the last mark, which is taken off. */
static bool above_mark(laip_pickle_machine *m, laip_pickle_node ***items, size_t *count)
{
    if (!m->mark_count)
        return laip_pickle_bad(m, "an operation that needs a mark, and no mark");
    size_t floor = m->marks[--m->mark_count];
    *items = m->stack ? m->stack + floor : NULL;
    *count = m->depth - floor;
    m->depth = floor;
    return true;
}

static bool put_collection(laip_pickle_machine *m, laip_pickle_kind kind, laip_pickle_node **items,
                           size_t count)
{
    laip_pickle_node *n = laip_pickle_make(m, kind);
    if (kind == LAIP_PICKLE_DICT && count % 2)
        return laip_pickle_bad(m, "a dict with a key and no value");
    return append(m, n, items, count) && laip_pickle_push(m, n);
}

static bool from_mark(laip_pickle_machine *m, laip_pickle_kind kind)
{
    laip_pickle_node **items = NULL;
    size_t count = 0;
    return above_mark(m, &items, &count) && put_collection(m, kind, items, count);
}

static bool tuple(laip_pickle_machine *m, size_t count)
{
    if (!needs(m, count))
        return false;
    m->depth -= count;
    return put_collection(m, LAIP_PICKLE_LIST, m->stack + m->depth, count);
}

/* Adds to the list or dict that lies under them; an object that is not constructed takes anything. */
static bool extend(laip_pickle_machine *m, laip_pickle_kind kind, laip_pickle_node **items, size_t count)
{
    if (m->depth > floor_of(m) && m->stack[m->depth - 1]->kind == LAIP_PICKLE_FOREIGN)
        return true;
    if (!needs(m, 1) || m->stack[m->depth - 1]->kind != kind || (kind == LAIP_PICKLE_DICT && count % 2))
        return laip_pickle_bad(m, "items for what does not take them");
    return append(m, m->stack[m->depth - 1], items, count);
}

static bool extend_few(laip_pickle_machine *m, laip_pickle_kind kind, size_t count)
{
    if (!needs(m, count + 1))
        return false;
    m->depth -= count;
    return extend(m, kind, m->stack + m->depth, count);
}

static bool extend_from_mark(laip_pickle_machine *m, laip_pickle_kind kind)
{
    laip_pickle_node **items = NULL;
    size_t count = 0;
    return above_mark(m, &items, &count) && extend(m, kind, items, count);
}

static bool put_name(laip_pickle_machine *m, const char *module, const char *name)
{
    bool storage;
    laip_dtype type = LAIP_F32;
    char whole[200];
    int length = snprintf(whole, sizeof whole, "%s.%s", module, name);
    if (length < 0 || (size_t)length >= sizeof whole || !laip_pickle_known(whole, &storage, &type))
        return laip_pickle_push(m, laip_pickle_foreign(m->arena, whole));
    laip_pickle_node *n = laip_pickle_make(m, LAIP_PICKLE_NAME);
    n->type = type;
    n->text = laip_arena_strndup(m->arena, whole, (size_t)length);
    n->length = (size_t)length;
    return laip_pickle_push(m, n);
}

static bool global(laip_pickle_machine *m)
{
    const char *module = NULL, *name = NULL;
    size_t length = 0;
    return laip_pickle_line(m, &module, &length) && laip_pickle_line(m, &name, &length) &&
           put_name(m, module, name);
}

static bool stack_global(laip_pickle_machine *m)
{
    if (!needs(m, 2))
        return false;
    laip_pickle_node *name = pop(m), *module = pop(m);
    if (name->kind != LAIP_PICKLE_STRING || module->kind != LAIP_PICKLE_STRING)
        return laip_pickle_bad(m, "a name that is no string");
    return put_name(m, module->text, name->text);
}

static bool placed(laip_pickle_machine *m, bool good)
{
    return good || laip_error_prefix(m->error, "%s: byte %zu of the pickle: found", m->name, m->base + m->at);
}

static bool reduce(laip_pickle_machine *m)
{
    laip_pickle_node *result = NULL;
    if (!needs(m, 2))
        return false;
    laip_pickle_node *arguments = pop(m), *name = pop(m);
    return placed(m, laip_pickle_apply(m->arena, name, arguments, &result, m->error)) &&
           laip_pickle_push(m, result);
}

static bool persistent(laip_pickle_machine *m)
{
    laip_pickle_node *result = NULL;
    if (!needs(m, 1))
        return false;
    return placed(m, laip_pickle_persistent(m->arena, pop(m), &result, m->error)) &&
           append(m, m->storages, &result, 1) && laip_pickle_push(m, result);
}

/* State dicts carry attributes besides their items, which say nothing about weights. */
static bool build(laip_pickle_machine *m)
{
    if (!needs(m, 2))
        return false;
    pop(m);
    laip_pickle_kind kind = m->stack[m->depth - 1]->kind;
    return kind == LAIP_PICKLE_DICT || kind == LAIP_PICKLE_FOREIGN ||
           laip_pickle_bad(m, "state for what is no dict");
}

/* Operations that construct an object of a type: its name stays, in the place of the type and all arguments.
 */
static bool stand_in(laip_pickle_machine *m, const laip_pickle_node *type)
{
    if (type->kind != LAIP_PICKLE_FOREIGN && type->kind != LAIP_PICKLE_NAME)
        return laip_pickle_bad(m, "an object of what is no type");
    laip_pickle_node *n = laip_pickle_make(m, LAIP_PICKLE_FOREIGN);
    n->text = type->text;
    n->length = type->length;
    return laip_pickle_push(m, n);
}

/* An OrderedDict, too, may be made by NEWOBJ. */
static bool new_object(laip_pickle_machine *m, size_t arguments)
{
    if (!needs(m, arguments + 1))
        return false;
    m->depth -= arguments;
    const laip_pickle_node *type = pop(m);
    if (type->kind == LAIP_PICKLE_NAME && strcmp(type->text, "collections.OrderedDict") == 0)
        return put_collection(m, LAIP_PICKLE_DICT, NULL, 0);
    return stand_in(m, type);
}

static bool object_from_mark(laip_pickle_machine *m)
{
    laip_pickle_node **items = NULL;
    size_t count = 0;
    return above_mark(m, &items, &count) &&
           ((count && items) || laip_pickle_bad(m, "an object without a type")) && stand_in(m, items[0]);
}

static bool instance(laip_pickle_machine *m)
{
    laip_pickle_node **items = NULL;
    size_t count = 0;
    return above_mark(m, &items, &count) && global(m) && stand_in(m, pop(m));
}

/* A type that programs have agreed to number, which needs their list. */
static bool extension(laip_pickle_machine *m, size_t bytes)
{
    uint64_t number;
    char name[40];
    if (!laip_pickle_number(m, bytes, &number))
        return false;
    snprintf(name, sizeof name, "extension %llu", (unsigned long long)number);
    return laip_pickle_push(m, laip_pickle_foreign(m->arena, name));
}

static bool memo_put(laip_pickle_machine *m, uint64_t index)
{
    if (!needs(m, 1))
        return false;
    if (index > m->size)
        return laip_pickle_bad(m, "a memo of more entries than the pickle has bytes");
    void *array = m->memo;
    size_t old = m->memo_capacity;
    laip_grow(&array, &m->memo_capacity, (size_t)index + 1, sizeof *m->memo);
    m->memo = array;
    memset(m->memo + old, 0, (m->memo_capacity - old) * sizeof *m->memo);
    m->memo[index] = m->stack[m->depth - 1];
    m->memo_count++;
    return true;
}

static bool memo_get(laip_pickle_machine *m, uint64_t index)
{
    if (index >= m->memo_capacity || !m->memo[index])
        return laip_pickle_bad(m, "a reference to nothing");
    return laip_pickle_push(m, m->memo[index]);
}

static bool memo_line(laip_pickle_machine *m, bool put)
{
    const char *text = NULL;
    size_t length = 0;
    if (!laip_pickle_line(m, &text, &length))
        return false;
    uint64_t index = strtoull(text, NULL, 10);
    return put ? memo_put(m, index) : memo_get(m, index);
}

static bool mark(laip_pickle_machine *m)
{
    void *array = m->marks;
    laip_grow(&array, &m->mark_capacity, m->mark_count + 1, sizeof *m->marks);
    m->marks = array;
    m->marks[m->mark_count++] = m->depth;
    return true;
}

static bool with_number(laip_pickle_machine *m, unsigned char op)
{
    uint64_t n = 0;
    size_t bytes = op == 'J' || op == 'r' || op == 'j' || op == 0x8b ? 4 : op == 'M' ? 2 : op == 0x95 ? 8 : 1;
    if (!laip_pickle_number(m, bytes, &n))
        return false;
    switch (op) {
    case 'J':
        return laip_pickle_put_int(m, (int32_t)(uint32_t)n);
    case 'K':
    case 'M':
        return laip_pickle_put_int(m, (int64_t)n);
    case 0x8a:
    case 0x8b:
        return n > m->size ? laip_pickle_bad(m, "a number longer than the file")
                           : laip_pickle_put_long(m, (size_t)n);
    case 'q':
    case 'r':
        return memo_put(m, n);
    case 'h':
    case 'j':
        return memo_get(m, n);
    case 0x80:
        return n <= 5 || laip_pickle_bad(m, "a protocol beyond 5");
    default: /* 0x95: a frame, which only says how far to read ahead */
        return true;
    }
}

static bool simple(laip_pickle_machine *m, unsigned char op)
{
    laip_pickle_node **items = NULL;
    size_t count = 0;
    switch (op) {
    case 'N':
        return laip_pickle_push(m, &laip_pickle_none);
    case 0x88:
        return laip_pickle_push(m, &laip_pickle_true);
    case 0x89:
        return laip_pickle_push(m, &laip_pickle_false);
    case '(':
        return mark(m);
    case '0': /* pops a mark where there is nothing above it */
        if (m->mark_count && m->depth == floor_of(m)) {
            m->mark_count--;
            return true;
        }
        return needs(m, 1) && pop(m);
    case '1':
        return above_mark(m, &items, &count);
    case '2':
        return needs(m, 1) && laip_pickle_push(m, m->stack[m->depth - 1]);
    case '.':
        m->stopped = true;
        return needs(m, 1);
    case 0x94:
        return memo_put(m, m->memo_count);
    default:
        return false;
    }
}

static bool collection(laip_pickle_machine *m, unsigned char op)
{
    switch (op) {
    case ']':
    case ')':
    case 0x8f:
        return put_collection(m, LAIP_PICKLE_LIST, NULL, 0);
    case '}':
        return put_collection(m, LAIP_PICKLE_DICT, NULL, 0);
    case 'l':
    case 't':
    case 0x91:
        return from_mark(m, LAIP_PICKLE_LIST);
    case 'd':
        return from_mark(m, LAIP_PICKLE_DICT);
    case 0x85:
    case 0x86:
    case 0x87:
        return tuple(m, (size_t)op - 0x84);
    case 'a':
        return extend_few(m, LAIP_PICKLE_LIST, 1);
    case 's':
        return extend_few(m, LAIP_PICKLE_DICT, 2);
    case 'e':
    case 0x90:
        return extend_from_mark(m, LAIP_PICKLE_LIST);
    default: /* 'u' */
        return extend_from_mark(m, LAIP_PICKLE_DICT);
    }
}

static bool refuse(laip_pickle_machine *m, unsigned char op)
{
    static const struct {
        unsigned char op;
        const char *name;
    } known[] = {{'P', "PERSID"}, {0x97, "NEXT_BUFFER"}, {0x98, "READONLY_BUFFER"}};
    char found[120];
    snprintf(found, sizeof found, "operation 0x%02x, which no pickle of tensors has", op);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].op == op)
            snprintf(found, sizeof found, "operation %s, which needs what lies outside of the file",
                     known[i].name);
    return laip_pickle_bad(m, found);
}

static bool step(laip_pickle_machine *m)
{
    const unsigned char *op = NULL;
    if (!laip_pickle_take(m, 1, &op))
        return false;
    if (memchr("N\x88\x89(012.\x94", *op, 9))
        return simple(m, *op);
    if (memchr("])\x8f}lt\x91"
               "d\x85\x86\x87"
               "ase\x90u",
               *op, 16))
        return collection(m, *op);
    if (memchr("JKM\x8a\x8bqrhj\x80\x95", *op, 11))
        return with_number(m, *op);
    switch (*op) {
    case 'X':
    case 'B':
    case 'T':
        return laip_pickle_put_string(m, 4);
    case 'U':
    case 'C':
    case 0x8c:
        return laip_pickle_put_string(m, 1);
    case 0x8d:
    case 0x8e:
    case 0x96:
        return laip_pickle_put_string(m, 8);
    case 'G':
        return laip_pickle_put_real(m);
    case 'I':
    case 'L':
    case 'F':
        return laip_pickle_put_decimal(m, (char)*op);
    case 'c':
        return global(m);
    case 0x93:
        return stack_global(m);
    case 'R':
        return reduce(m);
    case 'Q':
        return persistent(m);
    case 0x81: /* NEWOBJ */
        return new_object(m, 1);
    case 0x92: /* NEWOBJ_EX */
        return new_object(m, 2);
    case 'o':
        return object_from_mark(m);
    case 'i':
        return instance(m);
    case 0x82: /* EXT1, EXT2, EXT4 */
    case 0x83:
    case 0x84:
        return extension(m, (size_t)1 << (*op - 0x82));
    case 'b':
        return build(m);
    case 'p':
        return memo_line(m, true);
    case 'g':
        return memo_line(m, false);
    default:
        return refuse(m, *op);
    }
}

bool laip_pickle_read(const void *data, size_t size, const char *name, size_t base, laip_arena *arena,
                      laip_pickle *pickle, laip_error *error)
{
    laip_pickle_machine m = {.data = data,
                             .size = size < LAIP_PICKLE_BYTES ? size : LAIP_PICKLE_BYTES,
                             .base = base,
                             .name = name,
                             .arena = arena,
                             .error = error};
    bool good = true;
    m.storages = laip_pickle_make(&m, LAIP_PICKLE_LIST);
    while (good && !m.stopped)
        good = step(&m);
    if (good)
        *pickle = (laip_pickle){m.stack[m.depth - 1], m.storages, m.at};
    free(m.stack);
    free(m.memo);
    free(m.marks);
    return good;
}

const laip_pickle_node *laip_pickle_get(const laip_pickle_node *dict, const char *key)
{
    if (dict->kind != LAIP_PICKLE_DICT)
        return NULL;
    for (size_t i = 0; i + 1 < dict->length; i += 2)
        if (dict->items[i]->kind == LAIP_PICKLE_STRING && strcmp(dict->items[i]->text, key) == 0)
            return dict->items[i + 1];
    return NULL;
}
