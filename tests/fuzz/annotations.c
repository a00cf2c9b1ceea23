/* An annotation file, read whole and by split; what was read must hang together. */
#include "data/dataset.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const laip_dataset *d)
{
    size_t at = 0;
    for (size_t i = 0; i < d->picture_count; i++) {
        const laip_picture *p = &d->pictures[i];
        if (!p->file || !*p->file || p->person < 0 || p->first != at)
            abort();
        for (size_t k = 0; k < p->captions; k++, at++)
            if (d->captions[at].picture != i || !d->captions[at].text)
                abort();
    }
    if (at != d->caption_count || d->split_count > LAIP_SPLITS)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const splits[] = {NULL, "train"};
    for (size_t i = 0; i < 2; i++) {
        laip_dataset d;
        laip_error error = {0};
        if (laip_dataset_parse(&d, "input", (const char *)data, size, splits[i], &error)) {
            check(&d);
            laip_dataset_free(&d);
        } else if (error.status != LAIP_BAD_INPUT || !*error.text || strchr(error.text, '\n'))
            abort();
    }
    return 0;
}
