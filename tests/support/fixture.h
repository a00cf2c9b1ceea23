/* A golden step as its file holds it: the settings, the batch, and all tensors by name.  A file that is not
 * one ends the program with one line and the error's status. */
#ifndef LAIP_TESTS_SUPPORT_FIXTURE_H
#define LAIP_TESTS_SUPPORT_FIXTURE_H

#include "base/memory.h"
#include "model/step.h"
#include "store/safetensors.h"

typedef struct laip_fixture {
    laip_safetensors file;
    laip_model_config sizes;
    laip_loss_config loss;
    laip_optimiser_config optimiser;
    uint64_t t; /* of the optimiser's step */
    laip_batch batch;
    laip_arena arena;
} laip_fixture;

void laip_fixture_open(laip_fixture *f, const char *path);
void laip_fixture_close(laip_fixture *f);
laip_step_sizes laip_fixture_sizes(const laip_fixture *f); /* what its batch takes */

bool laip_fixture_has(const laip_fixture *f, const char *name);
const laip_tensor_entry *laip_fixture_need(laip_fixture *f, const char *name);
/* Elements of a tensor that must be there; the fixture's memory. */
float *laip_fixture_floats(laip_fixture *f, const char *name);
int32_t *laip_fixture_ints(laip_fixture *f, const char *name);

void laip_fixture_stop(const laip_error *error); /* prints the line, and ends the program */

#endif
