/* The subcommands of laip-model: each parses its own arguments (argv[0] is "laip-model SUB") and returns the
 * exit status of the process. */
#ifndef LAIP_PROGRAMS_MODEL_H
#define LAIP_PROGRAMS_MODEL_H

int laip_model_inspect(int argc, char **argv);
int laip_model_convert(int argc, char **argv);
int laip_model_diff(int argc, char **argv);

#endif
