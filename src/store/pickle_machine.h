/* Inside the pickle reader: the machine, and how it reads numbers and strings onto its stack. */
#ifndef LAIP_STORE_PICKLE_MACHINE_H
#define LAIP_STORE_PICKLE_MACHINE_H

#include "store/pickle.h"

typedef struct laip_pickle_machine {
    const unsigned char *data;
    size_t size, at, base;
    const char *name;
    laip_arena *arena;
    laip_pickle_node **stack, **memo;
    size_t depth, stack_capacity, memo_count, memo_capacity;
    size_t *marks, mark_count, mark_capacity;
    laip_pickle_node *storages;
    bool stopped;
    laip_error *error;
} laip_pickle_machine;

extern laip_pickle_node laip_pickle_none, laip_pickle_true, laip_pickle_false;

/* "FILE: byte N of the pickle: found WHAT"; returns false. */
bool laip_pickle_bad(laip_pickle_machine *m, const char *what);
#ifdef __clang_analyzer__ /* as in base/error.h */
#define laip_pickle_bad(...) ((void)laip_pickle_bad(__VA_ARGS__), false)
#endif
bool laip_pickle_push(laip_pickle_machine *m, laip_pickle_node *n);
laip_pickle_node *laip_pickle_make(laip_pickle_machine *m, laip_pickle_kind kind);
/* The next bytes; a little-endian number of so many; the rest of a line, as protocol 0 has it. */
bool laip_pickle_take(laip_pickle_machine *m, size_t count, const unsigned char **bytes);
bool laip_pickle_number(laip_pickle_machine *m, size_t bytes, uint64_t *value);
bool laip_pickle_line(laip_pickle_machine *m, const char **text, size_t *length);
/* Values onto the stack: an integer; a little-endian two's complement of so many bytes; a string whose length
 * takes so many bytes; a big-endian double; a line of decimals of kind I, L or F. */
bool laip_pickle_put_int(laip_pickle_machine *m, int64_t value);
bool laip_pickle_put_long(laip_pickle_machine *m, size_t bytes);
bool laip_pickle_put_string(laip_pickle_machine *m, size_t length_bytes);
bool laip_pickle_put_real(laip_pickle_machine *m);
bool laip_pickle_put_decimal(laip_pickle_machine *m, char kind);

#endif
