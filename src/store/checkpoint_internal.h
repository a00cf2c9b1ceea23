/* What the files of a checkpoint share: the walk over its tensors, and the reader that finds them in a file.
 */
#ifndef LAIP_STORE_CHECKPOINT_INTERNAL_H
#define LAIP_STORE_CHECKPOINT_INTERNAL_H

#include "store/checkpoint.h"
#include "store/weights.h"

typedef bool laip_checkpoint_visit(void *context, laip_param *q, laip_part *part, const char *name, int which,
                                   laip_error *error);

/* Every tensor of a checkpoint, in its order: online weights, and with `state` the momentum copies and the
 * moments; which is that of laip_params_read. */
bool laip_checkpoint_each(laip_model *model, bool state, laip_checkpoint_visit *visit, void *context,
                          laip_error *error);

typedef struct laip_checkpoint_reader {
    laip_weights file;
    laip_map index; /* tensor of the file by its own name */
    laip_model *model;
    const char *allowed; /* prefixes that may be missing */
    size_t missing, misshapen, unexpected, loaded, renamed, resized, retyped, initialised;
    char first[300]; /* misfit */
} laip_checkpoint_reader;

bool laip_checkpoint_open(laip_checkpoint_reader *r, const char *path, laip_error *error);
void laip_checkpoint_close(laip_checkpoint_reader *r);
/* The entry of a name; data not read.  NULL: none. */
const laip_tensor_entry *laip_checkpoint_find(const laip_checkpoint_reader *r, const char *name, size_t *at);
/* A laip_checkpoint_visit, with the reader as its context: the tensor into the model; what does not fit is
 * counted. */
bool laip_checkpoint_load_part(void *reader, laip_param *q, laip_part *part, const char *name, int which,
                               laip_error *error);
/* Whether everything fitted and, unless it is a state, nothing is unexpected. */
bool laip_checkpoint_strict(laip_checkpoint_reader *r, const char *path, bool state, laip_error *error);

#endif
