#include "search/engine.h"

#include "base/log.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *laip_version(void)
{
    return LAIP_VERSION;
}

void laip_release(void *memory)
{
    free(memory);
}

bool laip_take_options(void *to, size_t own, const void *from, laip_error *error)
{
    size_t size;
    if (!from)
        return true;
    memcpy(&size, from, sizeof size);
    if (size < sizeof size)
        return laip_bad_input(error, "options of size %zu, expected sizeof of their struct", size);
    memcpy((char *)to + sizeof size, (const char *)from + sizeof size,
           (size < own ? size : own) - sizeof size);
    return true;
}

void laip_give_info(void *to, const void *from, size_t own)
{
    size_t size;
    memcpy(&size, to, sizeof size);
    if (size > own) { /* of a later version: what is not known here is 0 */
        memset((char *)to + own, 0, size - own);
        size = own;
    }
    if (size > sizeof size)
        memcpy((char *)to + sizeof size, (const char *)from + sizeof size, size - sizeof size);
}

laip_status laip_tell(bool good, const laip_error *from, laip_error *to)
{
    if (good)
        return LAIP_OK;
    if (to && to != from)
        *to = *from;
    return from->status;
}

static void drop(void *user, const char *line)
{
    (void)user;
    (void)line;
}

laip_status laip_engine_open(laip_engine **engine, const laip_engine_options *options, laip_error *error)
{
    laip_engine_options o = {.size = sizeof o};
    laip_error e;
    *engine = NULL;
    if (!laip_take_options(&o, sizeof o, options, &e))
        return laip_tell(false, &e, error);
    laip_log_to(o.message ? o.message : drop, o.user);
    laip_engine *made = laip_alloc(1, sizeof *made);
    made->threads = o.threads;
    if (!laip_device_open(&made->device, o.device, 0, &e)) {
        free(made);
        return laip_tell(false, &e, error);
    }
    const laip_traits *t = laip_device_traits(made->device);
    snprintf(made->name, sizeof made->name, "%s (%s)", t->name, t->platform);
    pthread_mutex_init(&made->lock, NULL);
    *engine = made;
    return LAIP_OK;
}

void laip_engine_close(laip_engine *engine)
{
    if (!engine)
        return;
    laip_device_close(engine->device);
    pthread_mutex_destroy(&engine->lock);
    free(engine);
}

const char *laip_engine_device(const laip_engine *engine)
{
    return engine->name;
}

void laip_engine_enter(laip_engine *engine)
{
    pthread_mutex_lock(&engine->lock);
}

void laip_engine_leave(laip_engine *engine)
{
    pthread_mutex_unlock(&engine->lock);
}
