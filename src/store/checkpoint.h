/* Checkpoints: the online weights in PyTorch's names; and the whole state of a run, from which it goes on to
 * the same bits: weights, momentum copies, moments, queues, counters.  Metadata carry the run's config, its
 * vocabulary and the step, so that a checkpoint is enough to evaluate or search with. */
#ifndef LAIP_STORE_CHECKPOINT_H
#define LAIP_STORE_CHECKPOINT_H

#include "model/step.h"
#include "store/safetensors.h"

typedef struct laip_checkpoint_notes {
    const char *config; /* resolved YAML */
    const char *vocab;  /* the text of vocab.txt */
    uint64_t step;
    int phase;
    double best;   /* of the validation so far; −1: none */
    uint64_t data; /* checksum of what the run's annotations hold; 0: not known */
} laip_checkpoint_notes;

/* step NULL: weights only. */
bool laip_checkpoint_save(const char *path, laip_model *model, laip_step *step,
                          const laip_checkpoint_notes *notes, laip_error *error);
/* Where ranks share out the moments: what each other rank calls while the first saves with a step. */
void laip_checkpoint_contribute(laip_model *model);
/* Weights into the model, strictly: a missing, unexpected or misshapen tensor is refused, the first of them
 * by name and the number of all.  allow_missing: prefixes, divided by commas, of tensors that may be missing
 * and keep their initial values; the momentum copies may always be missing, and are then copied from the
 * online ones.  A model that is not trained does without the head for masked words, which becomes 0.  key
 * chooses a dictionary of a .pth that has several (NULL or "": the usual one). */
bool laip_checkpoint_load(const char *path, const char *key, laip_model *model, const char *allow_missing,
                          laip_error *error);
/* The queues of a checkpoint, where it has them and they are of the same size; else they stay, which is said.
 * Without persons' ids (ALBEF's pre-training has none) its pairs are of nobody. */
bool laip_checkpoint_load_queue(const char *path, const char *key, laip_queue *queue, laip_error *error);
/* The whole state back.  The model and step must be as when it was saved. */
bool laip_checkpoint_resume(const char *path, laip_model *model, laip_step *step,
                            laip_checkpoint_notes *notes, laip_error *error);
/* The image encoder from a ViT of timm's or DeiT's; the momentum copies follow. */
bool laip_pretrained_vit(const char *path, laip_model *model, laip_error *error);
/* Text and cross encoder, and the head for masked words where it is there, from a folder of Hugging Face's
 * with a BERT (model.safetensors or pytorch_model.bin), or from such a file; cross-attention keeps its
 * initial values. */
bool laip_pretrained_bert(const char *path, laip_model *model, laip_error *error);

/* The metadata of a checkpoint: config and vocab, which the caller frees, and into notes the rest (0 of what
 * the file has not; bad input where a number is none).  The strings of notes are left alone. */
bool laip_checkpoint_notes_read(const char *path, char **config, char **vocab, laip_checkpoint_notes *notes,
                                laip_error *error);

#endif
