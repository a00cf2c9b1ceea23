/* Files as torch.save writes them (the older form: a row of pickles, then the storages), with what scripts
 * put around and beside weights. */
#ifndef LAIP_TESTS_SUPPORT_PTH_H
#define LAIP_TESTS_SUPPORT_PTH_H

#include "base/str.h"

typedef struct laip_test_pth {
    laip_str object, keys,
        storages; /* the pickle of the object, those of its storages' names, their elements */
    int count;    /* storages */
} laip_test_pth;

/* Operations of a pickle as they are; a string; a tensor of floats with a storage of its own. */
void laip_test_pth_add(laip_test_pth *p, const char *operations, size_t length);
void laip_test_pth_string(laip_test_pth *p, const char *text);
void laip_test_pth_tensor(laip_test_pth *p, int rank, const size_t *shape, const float *values);
/* Writes the file and empties p. */
void laip_test_pth_write(laip_test_pth *p, const char *path);

#endif
