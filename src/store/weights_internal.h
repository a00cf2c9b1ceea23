/* Between weights.c and weights_names.c. */
#ifndef LAIP_STORE_WEIGHTS_INTERNAL_H
#define LAIP_STORE_WEIGHTS_INTERNAL_H

#include "store/weights.h"

/* Takes off, in any order, what all names begin with of DistributedDataParallel's "module.", torch.compile's
 * "_orig_mod." and Lightning's "model.", and what torch.compile and wrappers for parallel training leave
 * within names.  What was taken off all of them; the caller frees it. */
char *laip_weights_strip(laip_tensor_entry *tensors, size_t count);

#endif
