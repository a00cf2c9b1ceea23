/* The subcommands of laip-data: each parses its own arguments (argv[0] is "laip-data SUB") and returns the
 * exit status of the process. */
#ifndef LAIP_PROGRAMS_DATA_H
#define LAIP_PROGRAMS_DATA_H

#endif
