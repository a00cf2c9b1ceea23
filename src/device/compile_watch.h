/* Saying, while it goes on, that a driver's compiler takes long: some need minutes for a kernel. */
#ifndef LAIP_DEVICE_COMPILE_WATCH_H
#define LAIP_DEVICE_COMPILE_WATCH_H

#include "device/device.h"

#include <pthread.h>

typedef struct laip_compile_watch {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t done;
    bool over, started;
    const char *file, *device;
} laip_compile_watch;

/* Around a compilation of cl/FILE: after five seconds, and every thirty from then on, a warning says that it
 * goes on. */
void laip_compile_watch_begin(laip_compile_watch *w, const laip_device *d, const char *file);
void laip_compile_watch_end(laip_compile_watch *w);

#endif
