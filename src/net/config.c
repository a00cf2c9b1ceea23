#include "net/config.h"

const char *const laip_storage_names[] = {"float", "half", "bfloat16", NULL};
const char *const laip_bidiratt_attention_names[] = {"both", "forward", "backward", NULL};
const char *const laip_bidiratt_loss_names[] = {"cosine", "contrastive", NULL};
const char *const laip_phrase_positives_names[] = {"person", "phrase", "alone", NULL};
const char *const laip_phrase_reduction_names[] = {"sum", "mean", NULL};
#define LOSS_NAME(identifier, name, initial, meaning) name,
const char *const laip_loss_names[] = {LAIP_LOSS_TABLE(LOSS_NAME) NULL};

laip_model_config laip_model_config_default(void)
{
    return (laip_model_config){.image_height = 384,
                               .image_width = 384,
                               .patch = 16,
                               .width = 768,
                               .heads = 12,
                               .mlp = 4,
                               .vit_layers = 12,
                               .text_layers = 6,
                               .cross_layers = 6,
                               .vocab = 30522,
                               .positions = 512,
                               .embed = 256,
                               .queue = 65536,
                               .dropout = 0.1f};
}

#define LOSS_WEIGHT(identifier, name, initial, meaning) initial,
laip_loss_config laip_loss_config_default(void)
{
    return (laip_loss_config){.temperature = 0.07f,
                              .weight = {LAIP_LOSS_TABLE(LOSS_WEIGHT)},
                              .triplet_margin = 0.6f,
                              .momentum = 0.995f,
                              .negative_floor = 1e-4f,
                              .bidiratt_layer = 3};
}

laip_optimiser_config laip_optimiser_config_default(void)
{
    return (laip_optimiser_config){.lr = 1e-5f,
                                   .beta1 = 0.9f,
                                   .beta2 = 0.999f,
                                   .eps = 1e-8f,
                                   .weight_decay = 0.02f,
                                   .temperature_lr = 1};
}

int laip_patch_count(const laip_model_config *m)
{
    return (m->image_height / m->patch) * (m->image_width / m->patch);
}

static bool at_least(const char *name, int value, int least, laip_error *error)
{
    return value >= least ||
           laip_bad_input(error, "model.%s is %d, expected at least %d", name, value, least);
}

bool laip_model_config_check(const laip_model_config *m, laip_error *error)
{
    const struct {
        const char *name;
        int value, least;
    } sizes[] = {{"patch", m->patch, 1},
                 {"image_height", m->image_height, 1},
                 {"image_width", m->image_width, 1},
                 {"width", m->width, 1},
                 {"heads", m->heads, 1},
                 {"mlp", m->mlp, 1},
                 {"vit_layers", m->vit_layers, 1},
                 {"text_layers", m->text_layers, 1},
                 {"cross_layers", m->cross_layers, 1},
                 {"vocab", m->vocab, 5},
                 {"positions", m->positions, 2},
                 {"embed", m->embed, 1},
                 {"queue", m->queue, 0}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (!at_least(sizes[i].name, sizes[i].value, sizes[i].least, error))
            return false;
    if (m->image_height % m->patch || m->image_width % m->patch)
        return laip_bad_input(error, "model.image is %d x %d, expected multiples of model.patch, which is %d",
                              m->image_height, m->image_width, m->patch);
    if (m->width % m->heads)
        return laip_bad_input(error, "model.width is %d, expected a multiple of model.heads, which is %d",
                              m->width, m->heads);
    if (m->width / m->heads > 256)
        return laip_bad_input(error, "model.width / model.heads is %d, expected at most 256",
                              m->width / m->heads);
    if (!(m->dropout >= 0 && m->dropout < 1))
        return laip_bad_input(error, "model.dropout is %g, expected 0 or more and less than 1",
                              (double)m->dropout);
    return true;
}

bool laip_loss_config_check(const laip_loss_config *l, const laip_model_config *m, laip_error *error)
{
    for (int i = 0; i < LAIP_LOSSES; i++)
        if (!(l->weight[i] >= 0))
            return laip_bad_input(error, "weight of loss %s is %g, expected 0 or more", laip_loss_names[i],
                                  (double)l->weight[i]);
    if (l->bidiratt_layer < 1 || l->bidiratt_layer > m->cross_layers)
        return laip_bad_input(error,
                              "loss.bidiratt_layer is %d, expected 1 to model.cross_layers, which is %d",
                              l->bidiratt_layer, m->cross_layers);
    if (!(l->distill_alpha >= 0 && l->distill_alpha <= 1))
        return laip_bad_input(error, "loss.distill_alpha is %g, expected 0 to 1", (double)l->distill_alpha);
    if (!(l->momentum >= 0 && l->momentum <= 1))
        return laip_bad_input(error, "loss.momentum is %g, expected 0 to 1", (double)l->momentum);
    if (!((double)l->temperature >= LAIP_TEMPERATURE_LEAST &&
          (double)l->temperature <= LAIP_TEMPERATURE_MOST))
        return laip_bad_input(error, "loss.temperature is %g, expected %g to %g", (double)l->temperature,
                              LAIP_TEMPERATURE_LEAST, LAIP_TEMPERATURE_MOST);
    return true;
}
