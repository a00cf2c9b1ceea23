/* What programs do when memory runs out: one line, and exit status 1. */
#ifndef LAIP_PROGRAMS_COMMON_MEMORY_H
#define LAIP_PROGRAMS_COMMON_MEMORY_H

void laip_exit_when_out_of_memory(void);

#endif
