/* The subcommands of laip-data: each parses its own arguments (argv[0] is "laip-data SUB") and returns the
 * exit status of the process. */
#ifndef LAIP_PROGRAMS_DATA_H
#define LAIP_PROGRAMS_DATA_H

int laip_data_check(int argc, char **argv);
int laip_data_phrases(int argc, char **argv);
int laip_data_pixels(int argc, char **argv);
int laip_data_tags(int argc, char **argv);
int laip_data_tokens(int argc, char **argv);
int laip_data_vocab(int argc, char **argv);
int laip_data_synth(int argc, char **argv);

#endif
