/* The files of cl/, embedded at build time by tools/embed.cmake; the last entry has a NULL name. */
#ifndef LAIP_DEVICE_SOURCES_H
#define LAIP_DEVICE_SOURCES_H

#include <stddef.h>

typedef struct laip_kernel_source {
    const char *name, *text;
    size_t size;
} laip_kernel_source;

extern const laip_kernel_source laip_kernel_sources[];

#endif
