/* A run's configuration: YAML files, --set, and the resolved form that a run folder keeps.  One table names
 * every key, its type, range and meaning (table.c) and drives reading, writing and help; unknown keys
 * are errors that name the nearest known one. */
#ifndef LAIP_CONFIG_CONFIG_H
#define LAIP_CONFIG_CONFIG_H

#include "base/str.h"
#include "image/augment.h"
#include "net/config.h"
#include "text/tokenizer.h"

enum { LAIP_PHASES = 8 };
enum laip_sharding { LAIP_SHARD_NONE, LAIP_SHARD_OPTIMISER };
enum laip_shares { LAIP_SHARES_AUTO, LAIP_SHARES_EQUAL, LAIP_SHARES_MEASURED };
enum laip_micro { LAIP_MICRO_GIVEN, LAIP_MICRO_AUTO };

typedef struct laip_phase {
    char *name;
    int steps, epochs;         /* one of them is 0 */
    int warmup;                /* steps of linear warm-up */
    float lr, min_lr;          /* cosine decay from lr to min_lr after the warm-up */
    float weight[LAIP_LOSSES]; /* of the losses */
    float negative_floor;      /* of the draw of negatives: loss.negative_floor */
    int phrases_per_caption;   /* 0: all */
    int group;                 /* data/order.h */
} laip_phase;

typedef struct laip_config {
    long seed;
    int keep; /* states in last/ */
    char *device, *out, *gemm;
    int precision; /* enum laip_precision, of products and attention on the device */
    int tensorboard;
    laip_model_config model;
    laip_loss_config loss; /* its weights are those of the phase */
    float momentum_start;  /* μ of the first step; it rises to loss.momentum over momentum_steps */
    int momentum_steps;
    laip_optimiser_config optimiser;
    char *annotations, *val_annotations, *images, *train_split, *val_split, *test_split;
    char *split_file; /* of ids; of a list without splits */
    int split_val, split_test;
    long split_seed;
    char *vocab, *tagger, *grammar, *generic_heads;
    int vocab_size, max_tokens, sep, caption_rule, threads, skip_bad_images, cache_mb;
    laip_augment augment;
    int batch, micro_batches, micro, recompute, shares, shard;
    float deviation; /* of initial weights; 0: 1/√fan_in */
    char *checkpoint, *allow_missing, *init_key, *init_vit, *init_bert;
    int init_queue;
    int compat_captions, compat_exif, compat_tail; /* 0: this program's own way */
    int eval_k, eval_every, eval_rerank, eval_fused;
    float eval_weight;
    laip_phase phases[LAIP_PHASES];
    int phase_count;
} laip_config;

void laip_config_defaults(laip_config *c);
/* Reads a file over what c holds; its key `base` names a file, beside it, that is read first. */
bool laip_config_read(laip_config *c, const char *path, laip_error *error);
/* The same from YAML in memory; name stands for the file in errors. */
bool laip_config_parse(laip_config *c, const char *name, const char *text, laip_error *error);
/* "key=value", as --set has it; phases.0.lr names a setting of the first phase. */
bool laip_config_set(laip_config *c, const char *assignment, laip_error *error);
bool laip_config_check(const laip_config *c, laip_error *error);
void laip_config_write(const laip_config *c,
                       laip_str *yaml); /* every key, as YAML that reads back the same */
void laip_config_help(laip_str *text);  /* every key with its default and meaning */
void laip_config_free(laip_config *c);

/* Adds "KEY is X, Y" for every setting in which a and b differ, names[0] and names[1] after the two values.
 * Left out is what changes nothing that a run computes (out, device, keep, data.threads, data.cache_mb), and,
 * unless `files`, the names of the files that data, vocabulary and first weights came from. */
void laip_config_differences(const laip_config *a, const laip_config *b, bool files,
                             const char *const names[2], laip_str *text);

/* The weights of a phase in the losses' settings. */
laip_loss_config laip_config_losses(const laip_config *c, const laip_phase *p);

#endif
