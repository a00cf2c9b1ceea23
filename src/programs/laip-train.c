/* laip-train: trains LAIP from a configuration, alone or under mpirun. */
#include "base/log.h"
#include "base/memory.h"
#include "config/table.h"
#include "programs/common_memory.h"
#include "programs/train_signals.h"
#include "train/train.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RESUME = 256,
    OVERWRITE,
    PLAN,
    PROFILE,
    FROM_PHASE,
    TO_PHASE,
    HELP_CONFIG,
    PRINT_CONFIG,
    DEVICE,
    OUT,
    SKIP_BAD_STEPS,
    TIME_LIMIT,
    QUIET,
    TRACE,
};

typedef struct arguments {
    const char *config;
    const char **sets;
    size_t set_count, set_capacity;
    const char *device, *out;
    int from_phase, to_phase; /* -1: the first, the last */
    laip_train_options run;
    bool help_config, print_config, quiet;
} arguments;

static int phase_number(struct argp_state *state, const char *option, const char *text)
{
    char *end;
    long number = strtol(text, &end, 10);
    if (end == text || *end || number < 0 || number >= LAIP_PHASES)
        argp_error(state, "%s %s: expected a phase's number, from 0 to %d", option, text, LAIP_PHASES - 1);
    return (int)number;
}

static bool whole_number(const char *text, long *value)
{
    char *end;
    errno = 0;
    *value = strtol(text, &end, 10);
    return *text && !*end && !errno;
}

static bool duration(const char *text, double *seconds)
{
    static const char units[] = "smhd";
    static const double worth[] = {1, 60, 3600, 86400};
    char *end;
    *seconds = strtod(text, &end);
    const char *unit = *end ? strchr(units, *end) : units;
    if (end == text || !unit || (*end && end[1]) || !(*seconds > 0) || *seconds > 1e9)
        return false;
    *seconds *= worth[unit - units];
    return true;
}

static void print(const char *text)
{
    fputs(text, stdout);
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
        if (text && (!whole_number(text, &a->run.resume_step) || a->run.resume_step < 0))
            argp_error(state, "--resume=%s: expected a step", text);
        return 0;
    case TRACE:
        a->run.trace = text;
        return 0;
    case OVERWRITE:
        a->run.overwrite = true;
        return 0;
    case SKIP_BAD_STEPS:
        if (!whole_number(text, &a->run.skip_bad_steps) || a->run.skip_bad_steps < 0)
            argp_error(state, "--skip-bad-steps %s: expected a number of steps", text);
        return 0;
    case TIME_LIMIT:
        if (!duration(text, &a->run.time_limit))
            argp_error(state, "--time-limit %s: expected seconds, or a number with s, m, h or d", text);
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
    case QUIET:
        a->quiet = true;
        return 0;
    case HELP_CONFIG:
        a->help_config = true;
        return 0;
    case PRINT_CONFIG:
        a->print_config = true;
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
        if (a->run.resume && a->run.overwrite)
            argp_error(state, "--resume and --overwrite: expected one of them");
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

static int print_configuration(const arguments *a)
{
    laip_config config;
    laip_error error;
    laip_str text = {0};
    bool good = configure(a, &config, &error);
    if (good) {
        laip_config_write(&config, &text);
        fputs(text.text, stdout);
    } else
        fprintf(stderr, "laip-train: %s\n", error.text);
    free(text.text);
    free(a->sets);
    laip_config_free(&config);
    return good ? 0 : error.status;
}

int main(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"set", 's', "KEY=VALUE", 0, "Overrides a setting; may be given often", 0},
        {"device", DEVICE, "D", 0,
         "Number, kind (gpu, cpu), part of a name, or auto; D,D,… for the ranks of a node in turn: as the "
         "setting "
         "device",
         0},
        {"devices", DEVICE, NULL, OPTION_ALIAS, NULL, 0},
        {"out", OUT, "DIR", 0, "Run folder: as the setting out", 0},
        {"resume", RESUME, "STEP", OPTION_ARG_OPTIONAL,
         "Goes on from the run folder's last state, or from the one of STEP (setting keep), to the same bits",
         0},
        {"overwrite", OVERWRITE, NULL, 0, "Replaces the run that the run folder holds", 0},
        {"time-limit", TIME_LIMIT, "TIME", 0,
         "Saves and ends before so many seconds (or 90m, 12h, 2d) have passed", 0},
        {"skip-bad-steps", SKIP_BAD_STEPS, "N", 0,
         "Goes on after N steps at most whose losses or gradients are not finite (0)", 0},
        {"plan", PLAN, NULL, 0, "Prints what memory the run will take, and ends", 0},
        {"from-phase", FROM_PHASE, "N", 0,
         "Leaves out the phases before N (the first is 0): the run begins from init.checkpoint", 0},
        {"to-phase", TO_PHASE, "N", 0, "Leaves out the phases after N", 0},
        {"trace", TRACE, "FILE", 0,
         "Writes when each rank computed, moved and exchanged in the first ten steps, for chrome://tracing "
         "or "
         "Perfetto",
         0},
        {"profile", PROFILE, NULL, 0, "Prints the device's time by kernel at the end", 0},
        {"quiet", QUIET, NULL, 0, "Prints warnings and errors, nothing else", 0},
        {"help-config", HELP_CONFIG, NULL, 0, "Lists every setting with its default and meaning", 0},
        {"print-config", PRINT_CONFIG, NULL, 0, "Prints the resolved configuration, every setting, and ends",
         0},
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
        "SIGTERM, SIGINT, SIGHUP and SIGUSR1 end the step under way, save the state and end the run with "
        "status 0; "
        "the second of them ends it at once.\n\n"
        "The run folder holds config.yaml, metrics.jsonl, timing.jsonl, last/ and best.safetensors.",
        NULL,
        NULL,
        NULL};
    arguments a = {
        .from_phase = -1,
        .to_phase = -1,
        .run = {.resume_step = -1, .stop = laip_signal_caught, .begun = laip_seconds(), .print = print}};
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
    if (a.print_config)
        return print_configuration(&a);
    if (!laip_catch_signals(&error) || !laip_ranks_begin(&ranks, &argc, &argv, &error)) {
        fprintf(stderr, "laip-train: %s\n", error.text);
        return error.status;
    }
    if (a.quiet)
        laip_log_quiet(true);
    if (!configure(&a, &config, &error) || !laip_train(&config, &ranks, &a.run, &error))
        laip_ranks_abort(&ranks, "laip-train", &error);
    laip_config_free(&config);
    free(a.sets);
    laip_ranks_end(&ranks);
    return 0;
}
