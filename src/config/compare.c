/* Where two configurations differ. */
#include "config/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Settings that change nothing that a run computes, and names of files that its data came from. */
static const char *const free_keys[] = {
    "out", "device", "keep", "tensorboard", "batch.shares", "shard", "data.threads", "data.cache_mb", NULL};
static const char *const file_keys[] = {
    "data.annotations", "data.images",        "data.val_annotations", "data.vocab", "data.tagger",
    "data.grammar",     "data.generic_heads", "init.checkpoint",      "init.vit",   "init.bert",
    "init.key",         "init.queue",         "init.allow_missing",   NULL};

static bool among(const char *const *keys, const char *key)
{
    for (; *keys; keys++)
        if (strcmp(*keys, key) == 0)
            return true;
    return false;
}

static void compare(laip_setting_table table, const char *prefix, const void *a, const void *b, bool files,
                    const char *const names[2], laip_str *text)
{
    for (size_t i = 0; i < table.count; i++) {
        const laip_setting *s = &table.settings[i];
        laip_str x = {0}, y = {0};
        laip_setting_write(s, a, &x);
        laip_setting_write(s, b, &y);
        if (strcmp(laip_str_text(&x), laip_str_text(&y)) != 0 &&
            (*prefix || (!among(free_keys, s->key) && (files || !among(file_keys, s->key)))))
            laip_str_addf(text, "%s%s%s is %s%s, %s%s", text->length ? "; " : "", prefix, s->key,
                          laip_str_text(&x), names[0], laip_str_text(&y), names[1]);
        free(x.text);
        free(y.text);
    }
}

void laip_config_differences(const laip_config *a, const laip_config *b, bool files,
                             const char *const names[2], laip_str *text)
{
    compare(laip_config_settings(), "", a, b, files, names, text);
    if (a->phase_count != b->phase_count)
        laip_str_addf(text, "%sphases are %d%s, %d%s", text->length ? "; " : "", a->phase_count, names[0],
                      b->phase_count, names[1]);
    for (int i = 0; i < a->phase_count && i < b->phase_count; i++) {
        char prefix[32];
        snprintf(prefix, sizeof prefix, "phases.%d.", i);
        compare(laip_phase_settings(), prefix, &a->phases[i], &b->phases[i], files, names, text);
    }
}
