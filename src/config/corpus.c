#include "config/corpus.h"

#include "base/file.h"
#include "base/log.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What of a list is read that has no splits of its own, said aloud: who trains on all of it, or evaluates on
 * what was trained on, should know. */
static bool check_splits(const laip_dataset *d, const laip_config *config, const char *annotations,
                         const char *name, laip_error *error)
{
    bool divides = config->split_val || config->split_test || *config->split_file;
    if (divides && d->divided)
        laip_note("%s: has no splits; by data.split %zu of its pictures are %s", annotations,
                  d->picture_count, name);
    else if (divides && d->split_count)
        laip_note("%s: has splits of its own, and data.split does nothing", annotations);
    if (d->split_count)
        return true;
    if (strcmp(name, config->train_split) != 0 && strcmp(annotations, config->annotations) == 0)
        return laip_bad_input(
            error,
            "%s: has no splits, so that %s would be what is trained on, expected data.split (val "
            "and test, numbers of persons; or a file of ids), or data.val_split: \"\"",
            annotations, name);
    laip_note("%s: has no splits: all of its %zu pictures are taken as %s", annotations, d->picture_count,
              name);
    return true;
}

/* Pictures that are not there stop the run, or are left out where the config says so. */
static bool check_missing(laip_dataset *d, const laip_config *config, const char *annotations,
                          laip_error *error)
{
    if (!d->missing)
        return true;
    char *names = laip_dataset_missing(d);
    size_t all = d->picture_count;
    if (config->skip_bad_images) {
        laip_note("%s: %zu of %zu pictures are not under %s and are left out: %s", annotations, d->missing,
                  all, d->root, names);
        laip_dataset_drop_missing(d);
    } else
        laip_bad_input(error,
                       "%s: %zu of %zu pictures are not under %s: %s; data.bad_images: skip leaves them out",
                       annotations, d->missing, all, d->root, names);
    free(names);
    return config->skip_bad_images;
}

static bool read_split(laip_dataset *d, const laip_config *config, const char *annotations,
                       const char *images, const char *name, laip_error *error)
{
    laip_division division = {config->split_val, config->split_test, (uint64_t)config->split_seed,
                              config->split_file};
    if (!laip_dataset_read_divided(d, annotations, images, name, &division, error))
        return false;
    d->pillow = config->augment.pillow;
    d->as_stored = config->compat_exif != 0;
    if (check_splits(d, config, annotations, name, error) && check_missing(d, config, annotations, error))
        return true;
    laip_dataset_free(d);
    return false;
}

static laip_caption_rule rule_of(const laip_config *config)
{
    laip_caption_rule rule = (laip_caption_rule)config->caption_rule;
    return rule == LAIP_RULE_ALBEF && config->compat_captions ? LAIP_RULE_ORIGINAL : rule;
}

static bool learn(laip_corpus *c, const laip_config *config, laip_error *error)
{
    laip_dataset *d = &c->learned;
    char **words;
    size_t count;
    if (!read_split(d, config, config->annotations, config->images, config->train_split, error))
        return false;
    const char **captions = laip_alloc(d->caption_count, sizeof *captions);
    for (size_t i = 0; i < d->caption_count; i++)
        captions[i] = d->captions[i].text;
    bool good = laip_vocab_learn(captions, d->caption_count, rule_of(config), (size_t)config->vocab_size,
                                 &words, &count, error);
    free(captions);
    if (!good)
        return false;
    laip_str text = {0};
    for (size_t i = 0; i < count; i++)
        laip_str_addf(&text, "%s\n", words[i]);
    laip_vocab_free(words, count);
    c->vocab = text.text ? text.text : laip_strdup("");
    return true;
}

/* A BERT's folder has the vocabulary that its word embeddings are of. */
static void take_vocab_of_bert(laip_config *config)
{
    char *path =
        *config->init_bert && !*config->vocab ? laip_path_join(config->init_bert, "vocab.txt") : NULL;
    if (path && access(path, R_OK) == 0) {
        free(config->vocab);
        config->vocab = path;
    } else
        free(path);
}

bool laip_corpus_open(laip_corpus *c, laip_config *config, const char *vocab_text, laip_error *error)
{
    size_t size = 0;
    if (!vocab_text)
        take_vocab_of_bert(config);
    *c = (laip_corpus){.options = {.rule = rule_of(config),
                                   .max_tokens = (size_t)config->max_tokens,
                                   .sep = config->sep != 0}};
    if (vocab_text)
        c->vocab = laip_strdup(vocab_text);
    else if (*config->vocab ? !laip_file_read(config->vocab, &c->vocab, &size, error)
                            : !learn(c, config, error))
        return false;
    if (!vocab_text && *config->vocab && strlen(c->vocab) != size) /* a checkpoint keeps it as a string */
        return laip_bad_input(error, "%s: byte %zu is a zero byte, expected text", config->vocab,
                              strlen(c->vocab));
    c->tokenizer = laip_tokenizer_parse(*config->vocab ? config->vocab : "vocabulary", c->vocab,
                                        strlen(c->vocab), error);
    if (!c->tokenizer)
        return false;
    size = laip_tokenizer_size(c->tokenizer);
    if (config->model.vocab == 0)
        config->model.vocab = (int)size;
    if ((size_t)config->model.vocab < size)
        return laip_bad_input(error, "model.vocab is %d, expected at least the vocabulary's %zu tokens",
                              config->model.vocab, size);
    c->phraser = laip_phraser_create(*config->tagger ? config->tagger : NULL,
                                     *config->grammar ? config->grammar : NULL,
                                     *config->generic_heads ? config->generic_heads : NULL, error);
    return c->phraser != NULL;
}

void laip_corpus_close(laip_corpus *c)
{
    if (c->tokenizer)
        laip_tokenizer_free(c->tokenizer);
    if (c->phraser)
        laip_phraser_free(c->phraser);
    free(c->vocab);
    laip_dataset_free(&c->learned);
    *c = (laip_corpus){0};
}

/* The dataset that the vocabulary was learned from, where it is the one asked for. */
static bool take_learned(laip_dataset *d, laip_corpus *c, const laip_config *config, const char *annotations,
                         const char *images, const char *name)
{
    if (!c->learned.root || strcmp(annotations, config->annotations) != 0 ||
        strcmp(images ? images : "", config->images ? config->images : "") != 0 ||
        strcmp(name, config->train_split) != 0)
        return false;
    *d = c->learned;
    c->learned = (laip_dataset){.root = NULL};
    return true;
}

bool laip_split_open(laip_split *s, laip_corpus *c, const laip_config *config, const char *annotations,
                     const char *images, const char *name, bool phrases, laip_error *error)
{
    *s = (laip_split){{.root = NULL}, {.cut = 0}};
    if (!take_learned(&s->dataset, c, config, annotations, images, name) &&
        !read_split(&s->dataset, config, annotations, images, name, error))
        return false;
    laip_texts_make(&s->texts, &s->dataset, c->tokenizer, &c->options, phrases ? c->phraser : NULL,
                    config->threads);
    if (s->texts.cut)
        laip_note("%s, %s: %zu of %zu captions were cut to %d tokens", annotations, name, s->texts.cut,
                  s->dataset.caption_count, config->max_tokens);
    return true;
}

void laip_split_close(laip_split *s)
{
    if (s->texts.first_phrase)
        laip_texts_free(&s->texts);
    laip_dataset_free(&s->dataset);
}
