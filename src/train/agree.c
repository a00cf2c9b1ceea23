/* Whether all ranks of a job were given the same program, configuration and data. */
#include "base/checksum.h"
#include "base/file.h"
#include "train/run.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Of the running program; 0 where it cannot be read. */
static uint64_t program_sum(void)
{
    char *data;
    size_t size;
    laip_error ignored;
    if (!laip_file_read("/proc/self/exe", &data, &size, &ignored))
        return 0;
    uint64_t sum = laip_checksum(data, size);
    free(data);
    return sum;
}

bool laip_run_all(const laip_run *r, bool good, laip_error *error)
{
    if (!laip_ranks_any(r->ranks, !good))
        return true;
    return good ? laip_failure(error, "%s", laip_ranks_elsewhere) : false;
}

bool laip_run_same_config(laip_run *r, laip_error *error)
{
    const laip_ranks *ranks = r->ranks;
    if (ranks->size == 1)
        return true;
    laip_str own = {0}, text = {0};
    laip_config first;
    uint64_t program = program_sum(), others = program;
    laip_config_write(r->config, &own);
    char *yaml = laip_ranks_broadcast_text(ranks, laip_str_text(&own));
    laip_ranks_broadcast(ranks, &others, sizeof others);
    laip_config_defaults(&first);
    bool good = laip_config_parse(&first, "rank 0's configuration", yaml, error);
    const char *const names[] = {" here", " on rank 0"};
    if (good)
        laip_config_differences(r->config, &first, true, names, &text);
    if (good && strcmp(r->config->out, first.out) != 0)
        laip_str_addf(&text, "%sout is %s here, %s on rank 0", text.length ? "; " : "", r->config->out,
                      first.out);
    if (good && (r->config->shares != first.shares || r->config->shard != first.shard))
        laip_str_addf(&text, "%sbatch.shares or shard is another here than on rank 0",
                      text.length ? "; " : "");
    if (good && text.length)
        good = laip_bad_input(error, "the ranks were given different settings: %.800s", text.text);
    if (good && program != others)
        good = laip_bad_input(
            error, "this is not the program of rank 0: checksum %016" PRIx64 ", expected %016" PRIx64,
            program, others);
    laip_config_free(&first);
    free(yaml);
    free(own.text);
    free(text.text);
    return laip_run_all(r, good, error);
}

static void add_dataset(laip_checksum_state *s, const laip_dataset *d)
{
    for (size_t i = 0; i < d->picture_count; i++) {
        laip_checksum_add(s, d->pictures[i].file, strlen(d->pictures[i].file) + 1);
        laip_checksum_add(s, &d->pictures[i].person, sizeof d->pictures[i].person);
        laip_checksum_add(s, &d->pictures[i].captions, sizeof d->pictures[i].captions);
    }
    for (size_t i = 0; i < d->caption_count; i++)
        laip_checksum_add(s, d->captions[i].text, strlen(d->captions[i].text) + 1);
}

static void add_tokens(laip_checksum_state *s, const laip_token_sequences *t)
{
    if (t->count)
        laip_checksum_add(s, t->ids, t->begin[t->count] * sizeof *t->ids);
}

bool laip_run_same_data(laip_run *r, laip_error *error)
{
    laip_checksum_state *s = laip_checksum_create();
    const laip_split *splits[] = {&r->train, &r->val};
    for (int i = 0; i < 2; i++) {
        add_dataset(s, &splits[i]->dataset);
        add_tokens(s, &splits[i]->texts.captions);
        add_tokens(s, &splits[i]->texts.phrases);
    }
    laip_checksum_add(s, r->corpus.vocab, strlen(r->corpus.vocab));
    r->data = laip_checksum_end(s);
    laip_checksum_free(s);
    uint64_t first = r->data;
    laip_ranks_broadcast(r->ranks, &first, sizeof first);
    bool good = first == r->data ||
                laip_bad_input(error,
                               "%s: its captions, pictures, phrases or vocabulary are not those of rank 0: "
                               "checksum %016" PRIx64 ", expected %016" PRIx64,
                               r->config->annotations, r->data, first);
    return laip_run_all(r, good, error);
}
