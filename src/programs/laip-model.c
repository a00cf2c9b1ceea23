/* laip-model: looks at weights, converts them, compares them. */
#include "laip/error.h"
#include "programs/model.h"

#include <argp.h>
#include <stdio.h>
#include <string.h>

typedef struct subcommand {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *what;
} subcommand;

static const subcommand subcommands[] = {
    {"inspect", laip_model_inspect, "lists the tensors of a .pth or safetensors file"},
    {"convert", laip_model_convert,
     "to safetensors, in this program's names, for a config's grid of patches"},
    {"diff", laip_model_diff, "compares two files, tensor by tensor"},
    {NULL, NULL, NULL},
};

static void usage(FILE *to)
{
    fputs("Usage: laip-model SUBCOMMAND [ARGUMENTS]\n\n", to);
    for (const subcommand *s = subcommands; s->name; s++)
        fprintf(to, "  %-9s %s\n", s->name, s->what);
    fputs("\n`laip-model SUBCOMMAND --help` explains one; `laip-model --version` prints the version.\n", to);
}

int main(int argc, char **argv)
{
    argp_program_version = "laip-model " LAIP_VERSION;
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
        puts("laip-model " LAIP_VERSION);
        return 0;
    }
    for (const subcommand *s = subcommands; s->name; s++)
        if (strcmp(argv[1], s->name) == 0) {
            char name[64];
            snprintf(name, sizeof name, "laip-model %s", s->name);
            argv[1] = name;
            return s->run(argc - 1, argv + 1);
        }
    fprintf(stderr, "laip-model: %s: no such subcommand; `laip-model --help` lists them\n", argv[1]);
    return 2;
}
