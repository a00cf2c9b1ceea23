#include "store/pickle_machine.h"

#include <stdlib.h>
#include <string.h>

laip_pickle_node laip_pickle_none = {.kind = LAIP_PICKLE_NONE},
                 laip_pickle_true = {.kind = LAIP_PICKLE_BOOL, .integer = 1},
                 laip_pickle_false = {.kind = LAIP_PICKLE_BOOL};

bool(laip_pickle_bad)(laip_pickle_machine *m, const char *what)
{
    return laip_bad_input(m->error, "%s: byte %zu of the pickle: found %s", m->name, m->base + m->at, what);
}

bool laip_pickle_push(laip_pickle_machine *m, laip_pickle_node *n)
{
    void *array = m->stack;
    laip_grow(&array, &m->stack_capacity, m->depth + 1, sizeof *m->stack);
    m->stack = array;
    m->stack[m->depth++] = n;
    return true;
}

laip_pickle_node *laip_pickle_make(laip_pickle_machine *m, laip_pickle_kind kind)
{
    laip_pickle_node *n = laip_arena_alloc(m->arena, 1, sizeof *n);
    n->kind = kind;
    return n;
}

bool laip_pickle_take(laip_pickle_machine *m, size_t count, const unsigned char **bytes)
{
    if (m->size - m->at < count)
        return laip_pickle_bad(m, "the end, in the middle of a value");
    *bytes = m->data + m->at;
    m->at += count;
    return true;
}

bool laip_pickle_number(laip_pickle_machine *m, size_t bytes, uint64_t *value)
{
    const unsigned char *p = NULL;
    *value = 0;
    if (!laip_pickle_take(m, bytes, &p))
        return false;
    for (size_t i = 0; i < bytes; i++)
        *value |= (uint64_t)p[i] << (8 * i);
    return true;
}

bool laip_pickle_line(laip_pickle_machine *m, const char **text, size_t *length)
{
    const unsigned char *start = m->data + m->at, *end = memchr(start, '\n', m->size - m->at);
    if (!end)
        return laip_pickle_bad(m, "a line without an end");
    *length = (size_t)(end - start);
    *text = laip_arena_strndup(m->arena, (const char *)start, *length);
    m->at += *length + 1;
    return true;
}

bool laip_pickle_put_int(laip_pickle_machine *m, int64_t value)
{
    laip_pickle_node *n = laip_pickle_make(m, LAIP_PICKLE_INT);
    n->integer = value;
    return laip_pickle_push(m, n);
}

bool laip_pickle_put_long(laip_pickle_machine *m, size_t bytes)
{
    const unsigned char *p = NULL;
    if (!laip_pickle_take(m, bytes, &p))
        return false;
    if (bytes <= 8) {
        uint64_t value = bytes && p[bytes - 1] & 0x80 ? UINT64_MAX : 0;
        for (size_t i = 0; i < bytes; i++)
            value = (value & ~((uint64_t)0xff << (8 * i))) | (uint64_t)p[i] << (8 * i);
        return laip_pickle_put_int(m, (int64_t)value);
    }
    laip_pickle_node *n = laip_pickle_make(m, LAIP_PICKLE_BIG);
    n->text = laip_arena_strndup(m->arena, (const char *)p, bytes);
    n->length = bytes;
    return laip_pickle_push(m, n);
}

bool laip_pickle_put_string(laip_pickle_machine *m, size_t length_bytes)
{
    uint64_t length;
    const unsigned char *p = NULL;
    if (!laip_pickle_number(m, length_bytes, &length) ||
        (length > m->size ? !laip_pickle_bad(m, "a string longer than the file")
                          : !laip_pickle_take(m, (size_t)length, &p)))
        return false;
    laip_pickle_node *n = laip_pickle_make(m, LAIP_PICKLE_STRING);
    n->text = laip_arena_strndup(m->arena, (const char *)p, (size_t)length);
    n->length = (size_t)length;
    return laip_pickle_push(m, n);
}

bool laip_pickle_put_real(laip_pickle_machine *m)
{
    const unsigned char *p = NULL;
    uint64_t bits = 0;
    if (!laip_pickle_take(m, 8, &p))
        return false;
    for (int i = 0; i < 8; i++)
        bits = bits << 8 | p[i];
    laip_pickle_node *n = laip_pickle_make(m, LAIP_PICKLE_FLOAT);
    memcpy(&n->real, &bits, sizeof bits);
    return laip_pickle_push(m, n);
}

bool laip_pickle_put_decimal(laip_pickle_machine *m, char kind)
{
    const char *text = NULL;
    size_t length = 0;
    char *end;
    if (!laip_pickle_line(m, &text, &length))
        return false;
    if (kind == 'F') {
        laip_pickle_node *n = laip_pickle_make(m, LAIP_PICKLE_FLOAT);
        n->real = strtod(text, &end);
        return *end || end == text ? laip_pickle_bad(m, "a line that is no number") : laip_pickle_push(m, n);
    }
    if (kind == 'I' && (strcmp(text, "00") == 0 || strcmp(text, "01") == 0))
        return laip_pickle_push(m, text[1] == '1' ? &laip_pickle_true : &laip_pickle_false);
    int64_t value = strtoll(text, &end, 10);
    if (end == text || (*end && strcmp(end, "L") != 0))
        return laip_pickle_bad(m, "a line that is no number");
    return laip_pickle_put_int(m, value);
}
