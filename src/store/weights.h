/* Weights from wherever people have them: safetensors or PyTorch's .pth, in either way of naming, with
 * positions of another grid. */
#ifndef LAIP_STORE_WEIGHTS_H
#define LAIP_STORE_WEIGHTS_H

#include "store/pth.h"
#include "store/safetensors.h"

typedef struct laip_weights {
    char *path;
    bool is_pth;
    laip_safetensors safetensors;
    laip_pth pth;
    size_t count;
    laip_tensor_entry *tensors; /* by names without what wrappers put before them: laip_weights_strip */
    char *prefix;               /* what all names began with, "module._orig_mod."; "": nothing */
    void *held;                 /* the elements of the tensor that was loaded last */
} laip_weights;

/* By content, whatever the name says. */
bool laip_weights_open(laip_weights *w, const char *path, laip_error *error);
/* key chooses a dictionary of a .pth that has several (laip_pth_open); NULL or "": the usual one. */
bool laip_weights_open_key(laip_weights *w, const char *path, const char *key, laip_error *error);
/* One line that says what of the file is read and what is left aside; nothing where that is all of it. */
void laip_weights_tell(const laip_weights *w);
void laip_weights_close(laip_weights *w);
/* Tensor i with its elements, which stay until the next call. */
bool laip_weights_load(laip_weights *w, size_t i, laip_tensor_entry *tensor, laip_error *error);
const char *laip_weights_metadata(const laip_weights *w, const char *key); /* NULL: none */

/* Whether this is a position table [1, 1 + rows·cols, D], and its grid: what the file's metadata say, or a
 * square. */
bool laip_weights_grid(const laip_weights *w, const char *name, const laip_tensor_entry *t, size_t *rows,
                       size_t *cols);

/* The name of a tensor as this program has it: with ".bert" in the text encoders' names, which retrieval
 * models leave out.  name [300]. */
void laip_weights_name(const char *from, char *name);
/* The other way: without ".bert". */
void laip_weights_name_short(const char *from, char *name);
/* Why a tensor of this (own) name is rightly not part of the network: "tied", "a task's own head", "made
 * again by the momentum encoder", …; NULL: nobody knows it. */
const char *laip_weights_ignored(const char *name);

/* Whether a tensor of this name may be missing: prefixes are divided by commas; NULL or "": none. */
bool laip_weights_allowed(const char *prefixes, const char *name);

/* Position table [1 + rows·cols, D] to [1 + to_rows·to_cols, D]: row 0 stays, the grid is resized bicubically
 * (a = −0.75, half-pixel centres, edges repeated, no antialiasing), as PyTorch's interpolate does it. */
void laip_resize_positions(const float *from, size_t rows, size_t cols, float *to, size_t to_rows,
                           size_t to_cols, size_t width);

#endif
