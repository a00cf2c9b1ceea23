#include "device/compile_watch.h"

#include "base/log.h"

#include <errno.h>
#include <time.h>

static void *watch(void *argument)
{
    enum { FIRST = 5, NEXT = 30 };
    laip_compile_watch *w = argument;
    int seconds = FIRST;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += FIRST;
    pthread_mutex_lock(&w->lock);
    while (!w->over) {
        if (pthread_cond_timedwait(&w->done, &w->lock, &until) != ETIMEDOUT || w->over)
            continue;
        laip_warn("%s has been compiling cl/%s for %d s; what comes of it is kept for the next time",
                  w->device, w->file, seconds);
        seconds += NEXT;
        until.tv_sec += NEXT;
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

void laip_compile_watch_begin(laip_compile_watch *w, const laip_device *d, const char *file)
{
    *w = (laip_compile_watch){.file = file, .device = laip_device_traits(d)->name};
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->done, NULL);
    w->started = pthread_create(&w->thread, NULL, watch, w) == 0;
}

void laip_compile_watch_end(laip_compile_watch *w)
{
    pthread_mutex_lock(&w->lock);
    w->over = true;
    pthread_cond_signal(&w->done);
    pthread_mutex_unlock(&w->lock);
    if (w->started)
        pthread_join(w->thread, NULL);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->done);
}
