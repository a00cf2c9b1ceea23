#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* threads that prepare data warn too */
static bool silent, line_open;
static double last_progress;
static laip_log_sink *to;
static void *to_user;

void laip_log_to(laip_log_sink *sink, void *user)
{
    pthread_mutex_lock(&lock);
    to = sink;
    to_user = user;
    pthread_mutex_unlock(&lock);
}

double laip_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void laip_log_quiet(bool quiet)
{
    pthread_mutex_lock(&lock);
    silent = quiet;
    pthread_mutex_unlock(&lock);
}

static void end_line(void)
{
    if (line_open)
        fputc('\n', stderr);
    line_open = false;
    last_progress = 0;
}

void laip_progress_end(void)
{
    pthread_mutex_lock(&lock);
    end_line();
    pthread_mutex_unlock(&lock);
}

static void print_line(const char *prefix, bool always, const char *format, va_list arguments)
{
    char text[2048]; /* one write a line, so that the lines of several ranks do not mix */
    vsnprintf(text, sizeof text, format, arguments);
    pthread_mutex_lock(&lock);
    if (to) {
        char line[sizeof text + 16];
        snprintf(line, sizeof line, "%s%s", prefix, text);
        to(to_user, line);
    } else if (always || !silent) {
        end_line();
        fprintf(stderr, "%s%s\n", prefix, text);
    }
    pthread_mutex_unlock(&lock);
}

void laip_note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_line("", false, format, arguments);
    va_end(arguments);
}

void laip_warn(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_line("warning: ", true, format, arguments);
    va_end(arguments);
}

void laip_progress(const char *format, ...)
{
    bool terminal = isatty(STDERR_FILENO);
    double now = laip_seconds();
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    pthread_mutex_lock(&lock);
    if (!to && !silent && (last_progress <= 0 || now - last_progress >= (terminal ? 0.1 : 10.0))) {
        last_progress = now;
        vsnprintf(text, sizeof text, format, arguments);
        if (terminal)
            fprintf(stderr, "\r\033[K%s", text);
        else
            fprintf(stderr, "%s\n", text);
        line_open = terminal;
        fflush(stderr);
    }
    pthread_mutex_unlock(&lock);
    va_end(arguments);
}
