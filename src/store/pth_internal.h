/* Between pth.c and pth_choose.c. */
#ifndef LAIP_STORE_PTH_INTERNAL_H
#define LAIP_STORE_PTH_INTERNAL_H

#include "store/pth.h"

/* The dictionary of tensors in a file's object: the one under `key`, or (NULL, "") the first by the usual
 * names, then by the number of its tensors.  Sets p->key and p->aside. */
bool laip_pth_choose(laip_pth *p, const laip_pickle_node *root, const char *key,
                     const laip_pickle_node **dict, laip_error *error);

#endif
