/* The names of tensors: as files have them and as this program has them. */
#include "store/weights_internal.h"

#include "base/memory.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* What wraps a module within a network keeps its mark in the middle of names. */
static void strip_wrappers(char *name)
{
    static const char *const marks[] = {"_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module."};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        for (char *at = name; (at = strstr(at, marks[i])) != NULL;)
            if (at == name || at[-1] == '.')
                memmove(at, at + strlen(marks[i]), strlen(at + strlen(marks[i])) + 1);
            else
                at++;
}

/* The word that all names begin with, where it is one of a wrapper's; NULL: none. */
static const char *common(const laip_tensor_entry *t, size_t count)
{
    static const char *const words[] = {"module.", "_orig_mod.", "model."};
    for (size_t w = 0; w < sizeof words / sizeof *words; w++) {
        size_t i = 0;
        while (i < count && begins(t[i].name, words[w]))
            i++;
        if (count && i == count)
            return words[w];
    }
    return NULL;
}

char *laip_weights_strip(laip_tensor_entry *t, size_t count)
{
    laip_str prefix = {0};
    for (const char *word; (word = common(t, count)) != NULL;) {
        for (size_t i = 0; i < count; i++)
            memmove(t[i].name, t[i].name + strlen(word), strlen(t[i].name + strlen(word)) + 1);
        laip_str_adds(&prefix, word);
    }
    for (size_t i = 0; i < count; i++)
        strip_wrappers(t[i].name);
    return prefix.text ? prefix.text : laip_strdup("");
}

enum { NAME = 300 };

void laip_weights_name(const char *from, char *name)
{
    static const char *const encoders[] = {"text_encoder.", "text_encoder_m."};
    for (int i = 0; i < 2; i++) {
        const char *rest = from + strlen(encoders[i]);
        if (begins(from, encoders[i]) && (begins(rest, "embeddings.") || begins(rest, "encoder."))) {
            snprintf(name, NAME, "%sbert.%s", encoders[i], rest);
            return;
        }
    }
    snprintf(name, NAME, "%s", from);
}

void laip_weights_name_short(const char *from, char *name)
{
    const char *at = strstr(from, ".bert.");
    if (at && (begins(from, "text_encoder.bert.") || begins(from, "text_encoder_m.bert.")))
        snprintf(name, NAME, "%.*s.%s", (int)(at - from), from, at + 6);
    else
        snprintf(name, NAME, "%s", from);
}

const char *laip_weights_ignored(const char *name)
{
    static const struct {
        const char *part, *why;
    } known[] = {
        {"text_encoder_m.cls.", "the momentum encoder's own MLM head, which no loss reads"},
        {"text_encoder_m.bert.encoder.layer.", "the momentum encoder's cross layers, which no loss reads"},
        {".embeddings.position_ids", "the numbers from 0"},
        {"cls.predictions.decoder.", "tied to the word embeddings and cls.predictions.bias"},
        {".bert.pooler.", "BERT's pooler, which nothing reads"},
        {"cls.seq_relationship.", "BERT's next-sentence head"},
        {"prd_head.", "a head of RaSa's"},
        {"mrtd_head.", "a head of RaSa's"},
        {"visual_encoder.head.", "a classifier"},
        {"visual_encoder_m.head.", "a classifier"},
        {"image_queue", "a queue, which a new run fills anew"},
        {"text_queue", "a queue, which a new run fills anew"},
        {"idx_queue", "a queue, which a new run fills anew"},
        {"queue_ptr", "a queue, which a new run fills anew"},
        {"exp_avg.", "a run's moments"},
        {"exp_avg_sq.", "a run's moments"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].part[0] == '.' ? strstr(name, known[i].part) != NULL
                                    : begins(name, known[i].part) ||
                                          (begins(known[i].part, "cls.") && strstr(name, known[i].part)))
            return known[i].why;
    return NULL;
}

bool laip_weights_allowed(const char *prefixes, const char *name)
{
    for (const char *p = prefixes; p && *p;) {
        size_t n = strcspn(p, ",");
        if (n && strncmp(name, p, n) == 0)
            return true;
        p += n + (p[n] == ',');
    }
    return false;
}
