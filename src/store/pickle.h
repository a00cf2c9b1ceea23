/* The part of Python's pickle that tensors need: numbers, strings, lists, tuples, dicts, sets, and the few
 * names by which PyTorch rebuilds tensors.  Nothing is ever called: a tensor is a node that says where its
 * elements lie, and an object of any other type is a foreign node, which has the type's name and nothing
 * else. Whoever reads weights refuses foreign nodes among them.
 *
 * Protocols 0 to 5.  A file's pickle may have LAIP_PICKLE_BYTES; a node costs at least a byte of it. */
#ifndef LAIP_STORE_PICKLE_H
#define LAIP_STORE_PICKLE_H

#include "base/memory.h"
#include "store/tensor.h"

enum { LAIP_PICKLE_BYTES = 64 << 20 };

typedef enum laip_pickle_kind {
    LAIP_PICKLE_NONE,
    LAIP_PICKLE_BOOL,
    LAIP_PICKLE_INT,
    LAIP_PICKLE_BIG, /* an integer beyond 64 bits: text has its little-endian bytes */
    LAIP_PICKLE_FLOAT,
    LAIP_PICKLE_STRING,  /* str or bytes, in text */
    LAIP_PICKLE_LIST,    /* list, tuple or set */
    LAIP_PICKLE_DICT,    /* items are key, value, key, value … */
    LAIP_PICKLE_NAME,    /* one of the known names, in text: "torch.FloatStorage" */
    LAIP_PICKLE_STORAGE, /* text is its key, length its elements */
    LAIP_PICKLE_TENSOR,
    LAIP_PICKLE_FOREIGN /* another type, or an object of it, not constructed; text is "argparse.Namespace" */
} laip_pickle_kind;

/* Where a tensor's elements lie. */
typedef struct laip_pickle_tensor {
    const struct laip_pickle_node *storage;
    size_t first; /* in the storage */
    int rank;
    size_t shape[LAIP_RANK], stride[LAIP_RANK]; /* in elements */
} laip_pickle_tensor;

typedef struct laip_pickle_node {
    laip_pickle_kind kind;
    laip_dtype type; /* STORAGE, and NAME of one */
    int64_t integer; /* STORAGE: where it begins in the storage of that key */
    double real;
    const char *text; /* a NUL follows it */
    size_t length;    /* bytes of text; items of a list or dict */
    size_t capacity;
    struct laip_pickle_node **items;
    laip_pickle_tensor *tensor;
    int visit; /* for whoever walks the nodes, which may lie in several places and in themselves; 0 at first
                */
} laip_pickle_node;

typedef struct laip_pickle {
    const laip_pickle_node *root;
    const laip_pickle_node *storages; /* a list of all that it names, some more than once */
    size_t bytes;                     /* its own */
} laip_pickle;

/* Reads one pickle from data.  name, and base, the offset of data in that file, stand in errors.  Nodes live
 * in the arena. */
bool laip_pickle_read(const void *data, size_t size, const char *name, size_t base, laip_arena *arena,
                      laip_pickle *pickle, laip_error *error);
/* The value of a string key of a dict; NULL: none, or no dict. */
const laip_pickle_node *laip_pickle_get(const laip_pickle_node *dict, const char *key);

#endif
