/* Every setting, with its type, range, meaning and default. */
#include "config/table.h"

#include "base/memory.h"
#include "ops/gemm/gemm.h"
#include "ops/matrix_unit.h"
#include <stdlib.h>

static const char *const rules[] = {"none", "albef", NULL};
static const char *const bad_images[] = {"stop", "skip", NULL};
static const char *const pillows[] = {"13", "12", NULL};
static const char *const captions[] = {"divided", "original", NULL};
static const char *const exif[] = {"applied", "ignored", NULL};
static const char *const decays[] = {"matrices", "original", NULL};
static const char *const negatives[] = {"floor", "original", NULL};
static const char *const tails[] = {"retrieval", "original", NULL};
static const char *const shares[] = {"auto", "equal", "measured", NULL};
static const char *const shards[] = {"none", "optimiser", NULL};
static const char *const micro[] = {"given", "auto", NULL};

#define AT(field) offsetof(laip_config, field)
static const laip_setting settings[] = {
    {"seed", LAIP_SETTING_LONG, AT(seed), NULL, 0, 1e15, "every random choice follows from it"},
    {"device", LAIP_SETTING_TEXT, AT(device), NULL, 0, 0, "number, kind (gpu, cpu), part of a name, or auto"},
    {"out", LAIP_SETTING_TEXT, AT(out), NULL, 0, 0,
     "run folder: config, metrics, checkpoints; the same for all ranks"},
    {"keep", LAIP_SETTING_INT, AT(keep), NULL, 1, 1000,
     "states of the run that last/ holds, the newest and those before it"},
    {"tensorboard", LAIP_SETTING_BOOL, AT(tensorboard), NULL, 0, 1,
     "event files for TensorBoard in the run folder's tensorboard/, from the same numbers as metrics.jsonl"},
    {"storage", LAIP_SETTING_CHOICE, AT(model.storage), laip_storage_names, 0, 0,
     "of weights and activations on the device; sums, masters and moments stay floats; half: the loss is "
     "scaled"},
    {"precision", LAIP_SETTING_CHOICE, AT(precision), laip_precision_names, 0, 0,
     "of factors in products and attention on matrix units; sums are fp32"},
    {"gemm", LAIP_SETTING_TEXT, AT(gemm), NULL, 0, 0, LAIP_GEMM_NAMES},
    {"model.image_height", LAIP_SETTING_INT, AT(model.image_height), NULL, 1, 8192, "pixels"},
    {"model.image_width", LAIP_SETTING_INT, AT(model.image_width), NULL, 1, 8192, "pixels"},
    {"model.patch", LAIP_SETTING_INT, AT(model.patch), NULL, 1, 1024, "side of a patch, pixels"},
    {"model.width", LAIP_SETTING_INT, AT(model.width), NULL, 1, 65536, "D, of every token"},
    {"model.heads", LAIP_SETTING_INT, AT(model.heads), NULL, 1, 1024, "attention heads"},
    {"model.mlp", LAIP_SETTING_INT, AT(model.mlp), NULL, 1, 64,
     "the MLP's hidden width in multiples of width"},
    {"model.vit_layers", LAIP_SETTING_INT, AT(model.vit_layers), NULL, 1, 256, "of the image encoder"},
    {"model.text_layers", LAIP_SETTING_INT, AT(model.text_layers), NULL, 1, 256, "of the text encoder"},
    {"model.cross_layers", LAIP_SETTING_INT, AT(model.cross_layers), NULL, 1, 256, "of the cross encoder"},
    {"model.vocab", LAIP_SETTING_INT, AT(model.vocab), NULL, 0, 1e8,
     "tokens; 0: as many as the vocabulary has"},
    {"model.positions", LAIP_SETTING_INT, AT(model.positions), NULL, 2, 65536, "longest text, in tokens"},
    {"model.embed", LAIP_SETTING_INT, AT(model.embed), NULL, 1, 65536, "E, of the joint space"},
    {"model.queue", LAIP_SETTING_INT, AT(model.queue), NULL, 0, 1e8, "Q, past pairs kept as keys"},
    {"model.dropout", LAIP_SETTING_FLOAT, AT(model.dropout), NULL, 0, 0.99,
     "of the text and cross layers, in training"},
    {"model.deviation", LAIP_SETTING_FLOAT, AT(deviation), NULL, 0, 10,
     "of initial weights; 0: 1/sqrt(fan_in)"},
    {"loss.temperature", LAIP_SETTING_FLOAT, AT(loss.temperature), NULL, LAIP_TEMPERATURE_LEAST,
     LAIP_TEMPERATURE_MOST, "tau at the start"},
    {"loss.distill_alpha", LAIP_SETTING_FLOAT, AT(loss.distill_alpha), NULL, 0, 1,
     "share of the momentum model's soft targets"},
    {"loss.triplet_margin", LAIP_SETTING_FLOAT, AT(loss.triplet_margin), NULL, 0, 10,
     "m of the fusion triplet"},
    {"loss.momentum", LAIP_SETTING_FLOAT, AT(loss.momentum), NULL, 0, 1, "mu of the momentum encoders"},
    {"loss.momentum_start", LAIP_SETTING_FLOAT, AT(momentum_start), NULL, 0, 1,
     "mu of the first step, when it is to rise"},
    {"loss.momentum_steps", LAIP_SETTING_INT, AT(momentum_steps), NULL, 0, 1e9,
     "steps over which mu rises; 0: none"},
    {"loss.bidiratt_layer", LAIP_SETTING_INT, AT(loss.bidiratt_layer), NULL, 1, 256,
     "cross layer that BidirAtt looks at, from 1"},
    {"loss.bidiratt_attention", LAIP_SETTING_CHOICE, AT(loss.bidiratt_attention),
     laip_bidiratt_attention_names, 0, 0, "which attention weighs patches"},
    {"loss.bidiratt_loss", LAIP_SETTING_CHOICE, AT(loss.bidiratt_loss), laip_bidiratt_loss_names, 0, 0,
     "form of the BidirAtt loss"},
    {"loss.phrase_positives", LAIP_SETTING_CHOICE, AT(loss.phrase_positives), laip_phrase_positives_names, 0,
     0,
     "of BidirAtt's contrastive form: person, the phrases of the person and equal ones; phrase, equal ones, "
     "the person's others being no keys; alone, equal ones, the person's others being negatives"},
    {"loss.bidiratt_detach", LAIP_SETTING_BOOL, AT(loss.bidiratt_detach), NULL, 0, 1,
     "whether BidirAtt takes the forward attention as a constant, too"},
    {"loss.bidiratt_frozen", LAIP_SETTING_BOOL, AT(loss.bidiratt_frozen), NULL, 0, 1,
     "whether BidirAtt leaves temperature and projections alone, which ITC trains"},
    {"loss.phrase_reduction", LAIP_SETTING_CHOICE, AT(loss.phrase_reduction), laip_phrase_reduction_names, 0,
     0, "of a caption's phrases"},
    {"optimiser.beta1", LAIP_SETTING_FLOAT, AT(optimiser.beta1), NULL, 0, 1, "of AdamW"},
    {"optimiser.beta2", LAIP_SETTING_FLOAT, AT(optimiser.beta2), NULL, 0, 1, "of AdamW"},
    {"optimiser.eps", LAIP_SETTING_FLOAT, AT(optimiser.eps), NULL, 0, 1, "of AdamW"},
    {"optimiser.weight_decay", LAIP_SETTING_FLOAT, AT(optimiser.weight_decay), NULL, 0, 10,
     "of matrices and embeddings"},
    {"optimiser.clip_norm", LAIP_SETTING_FLOAT, AT(optimiser.clip_norm), NULL, 0, 1e9,
     "largest norm of the gradient; 0: any"},
    {"optimiser.temperature_lr", LAIP_SETTING_FLOAT, AT(optimiser.temperature_lr), NULL, 0, 100,
     "the temperature's learning rate in multiples of lr; 0: it stays as it began"},
    {"data.annotations", LAIP_SETTING_TEXT, AT(annotations), NULL, 0, 0,
     "the dataset's annotation file, or the folder that it is in"},
    {"data.images", LAIP_SETTING_TEXT, AT(images), NULL, 0, 0,
     "folder of its pictures; empty: found beside the file"},
    {"data.val_annotations", LAIP_SETTING_TEXT, AT(val_annotations), NULL, 0, 0,
     "annotation file of the validation split; empty: data.annotations"},
    {"data.train_split", LAIP_SETTING_TEXT, AT(train_split), NULL, 0, 0, "name of the split to train on"},
    {"data.val_split", LAIP_SETTING_TEXT, AT(val_split), NULL, 0, 0,
     "name of the split that chooses the best model (all of a file without splits); empty: none"},
    {"data.test_split", LAIP_SETTING_TEXT, AT(test_split), NULL, 0, 0, "name of the split that is reported"},
    {"data.split.val", LAIP_SETTING_INT, AT(split_val), NULL, 0, 1e8,
     "of a list without splits: persons that are held back to choose the best model"},
    {"data.split.test", LAIP_SETTING_INT, AT(split_test), NULL, 0, 1e8,
     "of such a list: persons to report on"},
    {"data.split.seed", LAIP_SETTING_LONG, AT(split_seed), NULL, 0, 1e15, "by which they are drawn"},
    {"data.split.file", LAIP_SETTING_TEXT, AT(split_file), NULL, 0, 0,
     "instead of drawing: JSON, {\"val\": [ids], \"test\": [ids]}; whoever is not named is for training"},
    {"data.vocab", LAIP_SETTING_TEXT, AT(vocab), NULL, 0, 0,
     "vocab.txt; empty: learned from the training captions"},
    {"data.vocab_size", LAIP_SETTING_INT, AT(vocab_size), NULL, 6, 1e8,
     "tokens of a learned vocabulary, at most"},
    {"data.caption_rule", LAIP_SETTING_CHOICE, AT(caption_rule), rules, 0, 0, "clean-up of captions"},
    {"data.max_tokens", LAIP_SETTING_INT, AT(max_tokens), NULL, 2, 65536, "of a caption, [CLS] among them"},
    {"data.sep", LAIP_SETTING_BOOL, AT(sep), NULL, 0, 1, "whether captions end with [SEP]"},
    {"data.tagger", LAIP_SETTING_TEXT, AT(tagger), NULL, 0, 0,
     "folder of NLTK's tagger weights; empty: our tagger"},
    {"data.grammar", LAIP_SETTING_TEXT, AT(grammar), NULL, 0, 0,
     "chunk grammar of phrases; empty: the tagger's own"},
    {"data.generic_heads", LAIP_SETTING_TEXT, AT(generic_heads), NULL, 0, 0,
     "words that are no phrase by themselves"},
    {"data.bad_images", LAIP_SETTING_CHOICE, AT(skip_bad_images), bad_images, 0, 0,
     "what a damaged picture does to training, and a missing one to training and evaluation"},
    {"data.threads", LAIP_SETTING_INT, AT(threads), NULL, 0, 1024, "that decode pictures; 0: one a core"},
    {"data.cache_mb", LAIP_SETTING_INT, AT(cache_mb), NULL, 0, 1e7, "memory for resized pictures"},
    {"data.resized_crop", LAIP_SETTING_FLOAT, AT(augment.resized_crop), NULL, 0, 1,
     "augmentation: least share of the picture's area that a random part keeps; 0 or 1: all of it"},
    {"data.flip", LAIP_SETTING_FLOAT, AT(augment.flip), NULL, 0, 1,
     "augmentation: probability of a mirror image"},
    {"data.randaugment", LAIP_SETTING_INT, AT(augment.randaugment), NULL, 0, 16,
     "augmentation: operations of RandAugment (ALBEF: 2)"},
    {"data.magnitude", LAIP_SETTING_INT, AT(augment.magnitude), NULL, 0, 10, "of RandAugment (ALBEF: 7)"},
    {"data.jitter", LAIP_SETTING_FLOAT, AT(augment.jitter), NULL, 0, 1,
     "augmentation: brightness, contrast, saturation by factors from 1 - jitter to 1 + jitter"},
    {"data.hue", LAIP_SETTING_FLOAT, AT(augment.hue), NULL, 0, 0.5,
     "augmentation: turn of the circle of hues, as a share of it, up to so much either way"},
    {"data.pad", LAIP_SETTING_INT, AT(augment.pad), NULL, 0, 1024,
     "augmentation: pixels of black border before a random crop"},
    {"data.erasing", LAIP_SETTING_FLOAT, AT(augment.erasing), NULL, 0, 1,
     "augmentation: probability that a rectangle is erased"},
    {"shard", LAIP_SETTING_CHOICE, AT(shard), shards, 0, 0,
     "optimiser: its moments are shared out among the ranks, each of which then holds less; none: all have "
     "all"},
    {"batch.micro_batch_size", LAIP_SETTING_INT, AT(batch), NULL, 1, 1e6, "pairs of a micro-batch"},
    {"batch.micro_batches", LAIP_SETTING_INT, AT(micro_batches), NULL, 1, 1e6,
     "of a step, shared out among the ranks"},
    {"batch.micro", LAIP_SETTING_CHOICE, AT(micro), micro, 0, 0,
     "auto: micro_batch_size and micro_batches give only their product; the largest size that fits the "
     "device is taken"},
    {"batch.shares", LAIP_SETTING_CHOICE, AT(shares), shares, 0, 0,
     "of the ranks in micro-batches: equal, by measured speed, or auto: measured where their devices differ"},
    {"batch.recompute", LAIP_SETTING_BOOL, AT(recompute), NULL, 0, 1,
     "layers are computed again in the backward instead of kept: half the buffers, a fifth more time"},
    {"init.checkpoint", LAIP_SETTING_TEXT, AT(checkpoint), NULL, 0, 0,
     "weights to start from; empty: random ones"},
    {"init.allow_missing", LAIP_SETTING_TEXT, AT(allow_missing), NULL, 0, 0,
     "prefixes, divided by commas, that may be missing in it"},
    {"init.key", LAIP_SETTING_TEXT, AT(init_key), NULL, 0, 0,
     "of a .pth that holds several dictionaries of tensors, the one to take (model_ema); empty: the usual "
     "one"},
    {"init.queue", LAIP_SETTING_BOOL, AT(init_queue), NULL, 0, 1,
     "whether the queues of init.checkpoint are taken where they fit, as ALBEF and RaSa do"},
    {"init.vit", LAIP_SETTING_TEXT, AT(init_vit), NULL, 0, 0,
     "weights of the image encoder: a ViT of timm's or DeiT's; init.checkpoint comes after it"},
    {"init.bert", LAIP_SETTING_TEXT, AT(init_bert), NULL, 0, 0,
     "weights of the text and cross encoder: a folder of Hugging Face's with a BERT, whose vocab.txt is "
     "taken "
     "where data.vocab is empty"},
    {"compat.pillow", LAIP_SETTING_CHOICE, AT(augment.pillow), pillows, 0, 0,
     "the version whose resizing pictures get: 12 (and before) begins with the columns, 13 with the rows of "
     "tall "
     "pictures; public checkpoints were trained with 12 or before"},
    {"compat.captions", LAIP_SETTING_CHOICE, AT(compat_captions), captions, 0, 0,
     "of data.caption_rule: albef; divided: \"jacket.His\" is two words; original: one, as ALBEF and RaSa "
     "have it"},
    {"compat.exif", LAIP_SETTING_CHOICE, AT(compat_exif), exif, 0, 0,
     "the orientation that a picture's EXIF states; ALBEF and RaSa ignore it"},
    {"compat.decay", LAIP_SETTING_CHOICE, AT(model.decay_all), decays, 0, 0,
     "original: weight decay on cls_token, pos_embed and temp too"},
    {"compat.momentum_dropout", LAIP_SETTING_BOOL, AT(loss.momentum_dropout), NULL, 0, 1,
     "whether the momentum text encoder drops in training, as ALBEF's and RaSa's does"},
    {"compat.negatives", LAIP_SETTING_CHOICE, AT(loss.plain_negatives), negatives, 0, 0,
     "floor: hard negatives are drawn by softmax + 1e-4; original: by the softmax alone"},
    {"compat.tail", LAIP_SETTING_CHOICE, AT(compat_tail), tails, 0, 0,
     "pictures beyond the eval.k best: in the order of retrieval; original: last of all, as RaSa's "
     "evaluation leaves them"},
    {"eval.k", LAIP_SETTING_INT, AT(eval_k), NULL, 0, 1e9, "candidates that are re-ranked"},
    {"eval.every", LAIP_SETTING_INT, AT(eval_every), NULL, 0, 1e9,
     "steps between evaluations on val; 0: once an epoch"},
    {"eval.rerank", LAIP_SETTING_BOOL, AT(eval_rerank), NULL, 0, 1,
     "whether those re-rank (and choose the best model by it)"},
    {"eval.fused", LAIP_SETTING_BOOL, AT(eval_fused), NULL, 0, 1,
     "candidates are ranked by matching and features together, weight * log-odds + cosine/temperature; else "
     "by matching alone"},
    {"eval.weight", LAIP_SETTING_FLOAT, AT(eval_weight), NULL, 0, 1e3,
     "of matching's log-odds in that; 1 where they are calibrated, less where they are too sure"},
};

#undef AT
#define AT(field) offsetof(laip_phase, field)
#define LOSS_SETTING(identifier, name, initial, meaning)                                                     \
    {name, LAIP_SETTING_FLOAT, AT(weight[LAIP_LOSS_##identifier]), NULL, 0, 1e6, meaning},
static const laip_setting phase_settings[] = {
    {"name", LAIP_SETTING_TEXT, AT(name), NULL, 0, 0, "of the phase"},
    {"steps", LAIP_SETTING_INT, AT(steps), NULL, 0, 1e9, "of the phase, or"},
    {"epochs", LAIP_SETTING_INT, AT(epochs), NULL, 0, 1e9, "over the training pairs"},
    {"warmup", LAIP_SETTING_INT, AT(warmup), NULL, 0, 1e9, "steps of linear warm-up"},
    {"lr", LAIP_SETTING_FLOAT, AT(lr), NULL, 0, 10, "learning rate after the warm-up"},
    {"min_lr", LAIP_SETTING_FLOAT, AT(min_lr), NULL, 0, 10, "at the end of the cosine"},
    {"group", LAIP_SETTING_INT, AT(group), NULL, 0, 1e6,
     "of so many pairs, those with captions alike share a micro-batch, as hard negatives; 0: any order"},
    {"negative_floor", LAIP_SETTING_FLOAT, AT(negative_floor), NULL, 0, 1e6,
     "added to the probability with which each hard negative is drawn; large: all alike, as easy ones"},
    {"phrases_per_caption", LAIP_SETTING_INT, AT(phrases_per_caption), NULL, 0, 1e6, "a random few; 0: all"},
    LAIP_LOSS_TABLE(LOSS_SETTING)};

#undef AT

laip_setting_table laip_config_settings(void)
{
    return (laip_setting_table){settings, sizeof settings / sizeof *settings};
}

laip_setting_table laip_phase_settings(void)
{
    return (laip_setting_table){phase_settings, sizeof phase_settings / sizeof *phase_settings};
}

void laip_config_defaults(laip_config *c)
{
    *c = (laip_config){.seed = 1,
                       .keep = 2,
                       .model = laip_model_config_default(),
                       .loss = laip_loss_config_default(),
                       .optimiser = laip_optimiser_config_default(),
                       .split_seed = 1,
                       .vocab_size = 2000,
                       .max_tokens = 50,
                       .caption_rule = LAIP_RULE_ALBEF,
                       .cache_mb = 512,
                       .augment = {.flip = 0.5f, .magnitude = 7},
                       .batch = 13,
                       .micro_batches = 1,
                       .deviation = 0.02f,
                       .init_queue = 1,
                       .eval_k = 128,
                       .eval_weight = 0.5f,
                       .eval_rerank = 1};
    c->model.vocab = 0;
    const struct {
        char **field;
        const char *value;
    } texts[] = {{&c->device, "auto"},      {&c->out, "run"},         {&c->gemm, "auto"},
                 {&c->annotations, ""},     {&c->images, ""},         {&c->train_split, "train"},
                 {&c->val_split, "val"},    {&c->test_split, "test"}, {&c->vocab, ""},
                 {&c->val_annotations, ""}, {&c->tagger, ""},         {&c->grammar, ""},
                 {&c->generic_heads, ""},   {&c->checkpoint, ""},     {&c->allow_missing, ""},
                 {&c->split_file, ""},      {&c->init_key, ""},       {&c->init_vit, ""},
                 {&c->init_bert, ""}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i].field = laip_strdup(texts[i].value);
}

void laip_phase_defaults(laip_phase *p)
{
    *p = (laip_phase){.name = laip_strdup("phase"),
                      .lr = 1e-5f,
                      .min_lr = 1e-6f,
                      .negative_floor = 1e-4f,
                      .weight = {[LAIP_LOSS_ITC] = 1, [LAIP_LOSS_ITM] = 1}};
}

static void free_texts(laip_setting_table table, void *base)
{
    for (size_t i = 0; i < table.count; i++)
        if (table.settings[i].type == LAIP_SETTING_TEXT)
            free(*(char **)((char *)base + table.settings[i].offset));
}

void laip_phase_free(laip_phase *phase)
{
    free_texts(laip_phase_settings(), phase);
    *phase = (laip_phase){0};
}

void laip_config_free(laip_config *c)
{
    free_texts(laip_config_settings(), c);
    for (int i = 0; i < c->phase_count; i++)
        laip_phase_free(&c->phases[i]);
    *c = (laip_config){0};
}
