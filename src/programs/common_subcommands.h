/* Programs that are a table of subcommands: laip-bench, laip-data, laip-model. */
#ifndef LAIP_PROGRAMS_COMMON_SUBCOMMANDS_H
#define LAIP_PROGRAMS_COMMON_SUBCOMMANDS_H

/* run parses its own arguments, argv[0] being "PROGRAM NAME", and returns the exit status of the process. */
typedef struct laip_subcommand {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *what; /* a line of --help */
} laip_subcommand;

/* The whole of main; what, a line of --help, says what the program is for.  Runs the one that argv[1] names,
 * of a table that ends with an empty entry; or answers
 * --help and --version.  Returns the exit status. */
int laip_subcommands(const char *program, const char *what, const laip_subcommand *table, int argc,
                     char **argv);

#endif
