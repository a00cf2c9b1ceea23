/* Between pickle.c and pickle_torch.c: the names that a pickle may say, and what they are applied to. */
#ifndef LAIP_STORE_PICKLE_NAMES_H
#define LAIP_STORE_PICKLE_NAMES_H

#include "store/pickle.h"

/* Whether module.name is one of PyTorch's for tensors; a storage's name gives its type. */
bool laip_pickle_known(const char *name, bool *storage, laip_dtype *type);
/* result of applying a name to a tuple of arguments, which is foreign where the name or what a tensor is made
 * of is; error without a place (the caller puts it before). */
bool laip_pickle_apply(laip_arena *arena, const laip_pickle_node *name, const laip_pickle_node *arguments,
                       laip_pickle_node **result, laip_error *error);
/* ('storage', type, key, location, elements[, view]): a storage node, or a foreign one for another type. */
bool laip_pickle_persistent(laip_arena *arena, const laip_pickle_node *id, laip_pickle_node **result,
                            laip_error *error);

/* The name of a storage of that type: "FloatStorage". */
const char *laip_pickle_storage(laip_dtype type);
/* A foreign node of a type; characters of its name that do not print become '?'. */
laip_pickle_node *laip_pickle_foreign(laip_arena *arena, const char *type);

#endif
