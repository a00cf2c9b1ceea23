/* laip-bench: what a device can do, and what the operations reach on it. */
#include "programs/bench.h"

#include <stdio.h>
#include <string.h>

typedef struct subcommand {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *what;
} subcommand;

static const subcommand subcommands[] = {
    {"devices", laip_bench_devices, "the OpenCL devices of this machine and what is used of them"},
    {"peak", laip_bench_peak, "a device's measured limits: multiply-adds, bandwidth, launch cost"},
    {"ops", laip_bench_ops, "the operations at the model's shapes, as shares of those limits"},
    {"step", laip_bench_step, "one training step of any configuration, and what its time is spent on"},
    {"eval", laip_bench_eval, "encoding and re-ranking with any configuration, likewise"},
    {"tune", laip_bench_tune, "search CLBlast's parameters, and choose who serves which product"},
    {"compare", laip_bench_compare, "two reports side by side"},
    {NULL, NULL, NULL},
};

static void usage(FILE *to)
{
    fputs("Usage: laip-bench SUBCOMMAND [ARGUMENTS]\n\n", to);
    for (const subcommand *s = subcommands; s->name; s++)
        fprintf(to, "  %-9s %s\n", s->name, s->what);
    fputs("\n`laip-bench SUBCOMMAND --help` explains one; `laip-bench --version` prints the version.\n", to);
}

int main(int argc, char **argv)
{
    argp_program_version = "laip-bench " LAIP_VERSION;
    argp_err_exit_status = LAIP_BAD_INPUT;
    if (argc < 2) {
        usage(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        usage(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts(argp_program_version);
        return 0;
    }
    for (const subcommand *s = subcommands; s->name; s++)
        if (strcmp(argv[1], s->name) == 0) {
            char name[64];
            snprintf(name, sizeof name, "laip-bench %s", s->name);
            argv[1] = name;
            return s->run(argc - 1, argv + 1);
        }
    fprintf(stderr, "laip-bench: %s: no such subcommand; `laip-bench --help` lists them\n", argv[1]);
    return 2;
}
