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
    char first[300];  /* misfit */
    char common[300]; /* what the names of all that is missing begin with */
} laip_checkpoint_reader;

/* The name that this program has for a tensor of a file; name [300]. */
typedef void laip_checkpoint_namer(const char *from, char *name);

bool laip_checkpoint_open(laip_checkpoint_reader *r, const char *path, const char *key,
                          laip_checkpoint_namer *namer, laip_error *error);
void laip_checkpoint_close(laip_checkpoint_reader *r);
/* The entry of a name; data not read.  NULL: none. */
const laip_tensor_entry *laip_checkpoint_find(const laip_checkpoint_reader *r, const char *name, size_t *at);
/* A laip_checkpoint_visit, with the reader as its context: the tensor into the model; what does not fit is
 * counted. */
bool laip_checkpoint_load_part(void *reader, laip_param *q, laip_part *part, const char *name, int which,
                               laip_error *error);
/* Whether everything fitted and, with a namer, nothing is unexpected. */
bool laip_checkpoint_strict(laip_checkpoint_reader *r, const char *path, laip_checkpoint_namer *namer,
                            laip_error *error);

/* The four tensors of a queue, all of them there and of its size. */
bool laip_checkpoint_read_queue(laip_checkpoint_reader *r, const char *path, laip_queue *queue,
                                laip_error *error);

/* step, phase, best and data of the file's metadata, as far as it has them. */
bool laip_checkpoint_numbers(const laip_weights *file, laip_checkpoint_notes *notes, laip_error *error);

#endif
