/* Work shared among host threads. */
#ifndef LAIP_BASE_PARALLEL_H
#define LAIP_BASE_PARALLEL_H

#include <stddef.h>

/* Calls body(context, i) once for every i in [0, count), on `threads` threads (0: one for each core this
 * process may use), in no fixed order; returns when all are done. */
void laip_parallel_for(size_t count, int threads, void (*body)(void *context, size_t i), void *context);
int laip_core_count(void); /* cores this process may use (its affinity), at least 1 */

#endif
