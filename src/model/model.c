#include "model/model.h"

#include <string.h>

/* What ITC's momentum encoders copy comes first, in the order that both tables share. */
static void declare_averaged(laip_model *m, laip_table *t, laip_vit *vit, laip_text_encoder *text,
                             laip_linear *vision, laip_linear *language, const char *suffix)
{
    char name[64] = "visual_encoder";
    strcat(name, suffix);
    laip_vit_declare(vit, t, &m->sizes, name);
    strcpy(name, "text_encoder");
    strcat(name, suffix);
    strcat(name, ".bert");
    laip_text_declare(text, t, &m->sizes, name);
    size_t D = (size_t)m->sizes.width, E = (size_t)m->sizes.embed;
    strcpy(name, "vision_proj");
    *vision = laip_linear_declare(t, strcat(name, suffix), E, D);
    strcpy(name, "text_proj");
    *language = laip_linear_declare(t, strcat(name, suffix), E, D);
    vision->fp32 = language->fp32 = true; /* cosines are divided by the temperature */
}

/* ALBEF's and RaSa's rule: all but vectors. */
static void decay_all(laip_table *t)
{
    for (size_t i = 0; i < t->count; i++)
        t->params[i]->decay = t->params[i]->part[0].rank != 1;
}

bool laip_model_declare(laip_model *m, const laip_model_config *sizes, bool training, laip_error *error)
{
    *m = (laip_model){.sizes = *sizes, .training = training};
    if (!laip_model_config_check(sizes, error))
        return false;
    size_t D = (size_t)sizes->width;
    m->table.store = m->table_m.store = (laip_store)sizes->storage;
    m->table.averaged = true;
    declare_averaged(m, &m->table, &m->vit, &m->text, &m->vision_proj, &m->text_proj, "");
    m->table.averaged = false;
    laip_cross_declare(&m->cross, &m->table, sizes, "text_encoder.bert");
    laip_mlm_head_declare(&m->mlm_head, &m->table, sizes, "text_encoder.cls.predictions",
                          m->text.embeddings.word);
    m->itm_head = laip_linear_declare(&m->table, "itm_head", 2, D);
    m->itm_head.fp32 = true;
    /* Training moves its two rows oppositely; what they begin with in common would stay, and blur logit 1, by
     * which pairs are ranked. */
    m->itm_head.weight->init = LAIP_INIT_ZERO;
    m->temperature = laip_declare(&m->table, LAIP_INIT_SCALAR, 0, NULL, "temp");
    if (sizes->decay_all)
        decay_all(&m->table);
    if (training)
        declare_averaged(m, &m->table_m, &m->vit_m, &m->text_m, &m->vision_proj_m, &m->text_proj_m, "_m");
    return true;
}

size_t laip_model_bytes(const laip_model *m, const laip_device *device)
{
    return laip_params_bytes(device, &m->table, m->training ? &m->table_m : NULL, m->training, &m->sizes);
}

bool laip_model_create(laip_model *m, laip_device *device, const laip_model_config *sizes, bool training,
                       laip_error *error)
{
    if (!laip_model_declare(m, sizes, training, error))
        return false;
    m->device = device;
    return laip_params_create(&m->params, device, &m->table, training ? &m->table_m : NULL, training, sizes,
                              error);
}

void laip_model_free(laip_model *m)
{
    laip_params_free(&m->params);
    laip_vit_free(&m->vit);
    laip_vit_free(&m->vit_m);
    laip_text_free(&m->text);
    laip_text_free(&m->text_m);
    laip_cross_free(&m->cross);
    laip_table_free(&m->table);
    laip_table_free(&m->table_m);
}

bool laip_model_find(const laip_model *m, const char *name, laip_param **param, laip_part **part)
{
    const laip_table *tables[] = {&m->table, &m->table_m};
    for (int t = 0; t < 2; t++)
        for (size_t i = 0; i < tables[t]->count; i++)
            for (int k = 0; k < tables[t]->params[i]->parts; k++)
                if (strcmp(tables[t]->params[i]->part[k].name, name) == 0) {
                    *param = tables[t]->params[i];
                    *part = &(*param)->part[k];
                    return true;
                }
    return false;
}
