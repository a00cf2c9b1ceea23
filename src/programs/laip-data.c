/* laip-data: everything one does with captions, pictures and annotation files before training. */
#include "laip/error.h"
#include "programs/data.h"

#include <argp.h>
#include <stdio.h>
#include <string.h>

typedef struct subcommand {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *what;
} subcommand;

static const subcommand subcommands[] = {
    {"check", laip_data_check, "annotations and pictures of a dataset, all of them"},
    {"phrases", laip_data_phrases, "captions to their noun phrases"},
    {"pixels", laip_data_pixels, "a picture as training sees it, as a PPM file"},
    {"tags", laip_data_tags, "tokens to part-of-speech tags"},
    {"tokens", laip_data_tokens, "captions to the ids of their word pieces"},
    {"vocab", laip_data_vocab, "a vocabulary learned from captions"},
    {"synth", laip_data_synth, "draws pedestrians with captions, in CUHK-PEDES' layout"},
    {NULL, NULL, NULL},
};

static void usage(FILE *to)
{
    fputs("Usage: laip-data SUBCOMMAND [ARGUMENTS]\n\n", to);
    for (const subcommand *s = subcommands; s->name; s++)
        fprintf(to, "  %-9s %s\n", s->name, s->what);
    fputs("\n`laip-data SUBCOMMAND --help` explains one; `laip-data --version` prints the version.\n", to);
}

int main(int argc, char **argv)
{
    argp_program_version = "laip-data " LAIP_VERSION;
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
        puts("laip-data " LAIP_VERSION);
        return 0;
    }
    for (const subcommand *s = subcommands; s->name; s++)
        if (strcmp(argv[1], s->name) == 0) {
            char name[64];
            snprintf(name, sizeof name, "laip-data %s", s->name);
            argv[1] = name;
            return s->run(argc - 1, argv + 1);
        }
    fprintf(stderr, "laip-data: %s: no such subcommand; `laip-data --help` lists them\n", argv[1]);
    return 2;
}
