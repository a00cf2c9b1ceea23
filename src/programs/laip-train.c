/* laip-train: trains LAIP from a configuration, alone or under mpirun. */
#include "base/memory.h"
#include "config/table.h"
#include "programs/common_memory.h"
#include "train/train.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RESUME = 256, PLAN, PROFILE, FROM_PHASE, TO_PHASE, HELP_CONFIG, DEVICE, OUT };

typedef struct arguments {
    const char *config;
    const char **sets;
    size_t set_count, set_capacity;
    const char *device, *out;
    int from_phase, to_phase; /* -1: the first, the last */
    laip_train_options run;
    bool help_config;
} arguments;

static int phase_number(struct argp_state *state, const char *option, const char *text)
{
    char *end;
    long number = strtol(text, &end, 10);
    if (end == text || *end || number < 0 || number >= LAIP_PHASES)
        argp_error(state, "%s %s: expected a phase's number, from 0 to %d", option, text, LAIP_PHASES - 1);
    return (int)number;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    arguments *a = state->input;
    void *array = a->sets;
    switch (key) {
    case 's':
        laip_grow(&array, &a->set_capacity, a->set_count + 1, sizeof *a->sets);
        a->sets = array;
        a->sets[a->set_count++] = text;
        return 0;
    case RESUME:
        a->run.resume = true;
        return 0;
    case PLAN:
        a->run.plan = true;
        return 0;
    case FROM_PHASE:
        a->from_phase = phase_number(state, "--from-phase", text);
        return 0;
    case TO_PHASE:
        a->to_phase = phase_number(state, "--to-phase", text);
        return 0;
    case PROFILE:
        a->run.profile = true;
        return 0;
    case HELP_CONFIG:
        a->help_config = true;
        return 0;
    case DEVICE:
        a->device = text;
        return 0;
    case OUT:
        a->out = text;
        return 0;
    case ARGP_KEY_ARG:
        if (a->config)
            argp_usage(state);
        a->config = text;
        return 0;
    case ARGP_KEY_END:
        if (!a->config && !a->help_config)
            argp_error(state, "a configuration file is needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Leaves the configuration with phases from … to. */
static bool keep_phases(laip_config *c, int from, int to, laip_error *error)
{
    int last = c->phase_count - 1;
    if (from > last || to > last)
        return laip_bad_input(error, "--%s-phase %d: the configuration has phases 0 to %d",
                              from > last ? "from" : "to", from > last ? from : to, last);
    from = from < 0 ? 0 : from;
    to = to < 0 ? last : to;
    if (from > to)
        return laip_bad_input(error, "--from-phase %d, --to-phase %d: no phase is between them", from, to);
    for (int i = 0; i < c->phase_count; i++)
        if (i < from || i > to)
            laip_phase_free(&c->phases[i]);
    memmove(c->phases, c->phases + from, (size_t)(to - from + 1) * sizeof *c->phases);
    c->phase_count = to - from + 1;
    return true;
}

static bool configure(const arguments *a, laip_config *c, laip_error *error)
{
    laip_config_defaults(c);
    if (!laip_config_read(c, a->config, error))
        return false;
    for (size_t i = 0; i < a->set_count; i++)
        if (!laip_config_set(c, a->sets[i], error))
            return false;
    const struct {
        const char *key, *value;
    } flags[] = {{"device", a->device}, {"out", a->out}};
    for (size_t i = 0; i < 2; i++) {
        char text[4200];
        snprintf(text, sizeof text, "%s=%s", flags[i].key, flags[i].value ? flags[i].value : "");
        if (flags[i].value && !laip_config_set(c, text, error))
            return false;
    }
    return keep_phases(c, a->from_phase, a->to_phase, error);
}

int main(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"set", 's', "KEY=VALUE", 0, "Overrides a setting; may be given often", 0},
        {"device", DEVICE, "D", 0, "Number, kind (gpu, cpu), part of a name, or auto: as the setting device",
         0},
        {"out", OUT, "DIR", 0, "Run folder: as the setting out", 0},
        {"resume", RESUME, NULL, 0, "Goes on from the run folder's last state, to the same bits", 0},
        {"plan", PLAN, NULL, 0, "Prints what memory the run will take, and ends", 0},
        {"from-phase", FROM_PHASE, "N", 0,
         "Leaves out the phases before N (the first is 0): the run begins from init.checkpoint", 0},
        {"to-phase", TO_PHASE, "N", 0, "Leaves out the phases after N", 0},
        {"profile", PROFILE, NULL, 0, "Prints the device's time by kernel at the end", 0},
        {"help-config", HELP_CONFIG, NULL, 0, "Lists every setting with its default and meaning", 0},
        {0}};
    static const struct argp argp = {
        options,
        parse,
        "CONFIG",
        "Trains LAIP on the dataset that CONFIG, a YAML file, names; alone, or under mpirun with one rank a "
        "device.\v"
        "Examples:\n\n"
        "  laip-train configs/demo.yaml --set data.annotations=people/reid_raw.json\n"
        "  mpirun -n 4 laip-train configs/cuhk_pedes.yaml --device gpu --out runs/cuhk\n"
        "  laip-train configs/cuhk_pedes.yaml --plan\n\n"
        "The run folder holds config.yaml, metrics.jsonl, timing.jsonl, last/ and best.safetensors.",
        NULL,
        NULL,
        NULL};
    arguments a = {.from_phase = -1, .to_phase = -1};
    laip_config config;
    laip_ranks ranks;
    laip_error error;
    laip_exit_when_out_of_memory();
    argp_program_version = "laip-train " LAIP_VERSION;
    argp_err_exit_status = 2;
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    if (a.help_config) {
        laip_str text = {0};
        laip_config_help(&text);
        fputs(text.text, stdout);
        free(text.text);
        return 0;
    }
    if (!laip_ranks_begin(&ranks, &argc, &argv, &error)) {
        fprintf(stderr, "laip-train: %s\n", error.text);
        return error.status;
    }
    if (!configure(&a, &config, &error) || !laip_train(&config, &ranks, &a.run, &error))
        laip_ranks_abort(&ranks, "laip-train", &error);
    laip_config_free(&config);
    free(a.sets);
    laip_ranks_end(&ranks);
    return 0;
}
