#include "programs/common_subcommands.h"

#include "laip/status.h"
#include "programs/common_memory.h"
#include <argp.h>
#include <stdio.h>
#include <string.h>

static void usage(FILE *to, const char *program, const char *what, const laip_subcommand *table)
{
    fprintf(to, "Usage: %s SUBCOMMAND [ARGUMENTS]\n%s.\n\n", program, what);
    for (const laip_subcommand *s = table; s->name; s++)
        fprintf(to, "  %-9s %s\n", s->name, s->what);
    fprintf(to, "\n`%s SUBCOMMAND --help` explains one; `%s --version` prints the version.\n", program,
            program);
}

int laip_subcommands(const char *program, const char *what, const laip_subcommand *table, int argc,
                     char **argv)
{
    static char version[64];
    laip_exit_when_out_of_memory();
    snprintf(version, sizeof version, "%s %s", program, LAIP_VERSION);
    argp_program_version = version;
    argp_err_exit_status = LAIP_BAD_INPUT;
    if (argc < 2) {
        usage(stderr, program, what, table);
        return LAIP_BAD_INPUT;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        usage(stdout, program, what, table);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts(version);
        return 0;
    }
    for (const laip_subcommand *s = table; s->name; s++)
        if (strcmp(argv[1], s->name) == 0) {
            char name[64];
            snprintf(name, sizeof name, "%s %s", program, s->name);
            argv[1] = name;
            return s->run(argc - 1, argv + 1);
        }
    fprintf(stderr, "%s: %s: no such subcommand; `%s --help` lists them\n", program, argv[1], program);
    return LAIP_BAD_INPUT;
}
