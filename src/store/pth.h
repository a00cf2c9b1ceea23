/* PyTorch's own files: since 1.6 a zip with data.pkl and a member a storage, before that a row of pickles
 * with the storages behind them.  Tensors may share storages, begin anywhere in them, and have any strides.
 */
#ifndef LAIP_STORE_PTH_H
#define LAIP_STORE_PTH_H

#include "store/pickle.h"

typedef struct laip_pth {
    char *path;
    int fd;
    size_t size;
    void *zip;    /* libzip's handle; NULL: the older form */
    char *prefix; /* of its members */
    laip_arena arena;
    laip_tensor_entry *tensors; /* in the order of the dict; data is NULL */
    const laip_pickle_tensor **places;
    size_t count;
    size_t others;     /* entries of that dict that are no tensors */
    const char *key;   /* where the dict is: "state.net"; "": the whole file */
    const char *aside; /* what else the file holds, in words; NULL: nothing */
    /* of the older form: storages by key, and where in the file their elements begin */
    const char **keys;
    size_t *offsets, *lengths, storages;
    /* the storage that was read last */
    const char *held_key;
    unsigned char *held;
    size_t held_bytes;
} laip_pth;

bool laip_pth_is(const void *data, size_t size); /* by the first bytes */
/* The tensors of a dictionary at any depth: the one under `key` ("model_ema", or a whole path: "state.net"),
 * or (NULL, "") the one by a usual name: model, state_dict, …; else the one of most tensors.  Optimisers'
 * states and objects of other types are left aside; such an object within that dictionary is refused. */
bool laip_pth_open(laip_pth *p, const char *path, const char *key, laip_error *error);
void laip_pth_close(laip_pth *p);
/* The elements of a tensor, dense and row-major, in their own type. */
bool laip_pth_read(laip_pth *p, size_t tensor, void *out, laip_error *error);

#endif
