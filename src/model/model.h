/* The whole network with its parameters: encoders, projections, heads, temperature, momentum copies. */
#ifndef LAIP_MODEL_MODEL_H
#define LAIP_MODEL_MODEL_H

#include "loss/mpm.h"
#include "model/params.h"
#include "net/cross_encoder.h"
#include "net/vit.h"

typedef struct laip_model {
    laip_device *device;
    laip_model_config sizes;
    bool training; /* with gradients, moments and momentum copies */
    laip_table table, table_m;
    laip_params params;
    laip_vit vit, vit_m;
    laip_text_encoder text, text_m;
    laip_cross_encoder cross;
    laip_linear vision_proj, text_proj, vision_proj_m, text_proj_m, itm_head;
    laip_mlm_head mlm_head;
    laip_param *temperature;
} laip_model;

/* Declares the network and takes its memory; values are not initialised yet (laip_params_initialise, or a
 * checkpoint). sizes are checked first. */
bool laip_model_create(laip_model *model, laip_device *device, const laip_model_config *sizes, bool training,
                       laip_error *error);
void laip_model_free(laip_model *model);
/* Only declares: for --plan, and for listing what a checkpoint must hold. */
bool laip_model_declare(laip_model *model, const laip_model_config *sizes, bool training, laip_error *error);
size_t laip_model_bytes(const laip_model *model, const laip_device *device);

/* The parameter and part of a checkpoint's name, online or momentum; false when there is none. */
bool laip_model_find(const laip_model *model, const char *name, laip_param **param, laip_part **part);

#endif
