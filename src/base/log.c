#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static bool silent, line_open;
static double last_progress;

double laip_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void laip_log_quiet(bool quiet)
{
    silent = quiet;
}

void laip_progress_end(void)
{
    if (line_open)
        fputc('\n', stderr);
    line_open = false;
    last_progress = 0;
}

static void print_line(const char *prefix, const char *format, va_list arguments)
{
    char text[2048]; /* one write a line, so that the lines of several ranks do not mix */
    vsnprintf(text, sizeof text, format, arguments);
    laip_progress_end();
    fprintf(stderr, "%s%s\n", prefix, text);
}

void laip_note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (!silent)
        print_line("", format, arguments);
    va_end(arguments);
}

void laip_warn(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_line("warning: ", format, arguments);
    va_end(arguments);
}

void laip_progress(const char *format, ...)
{
    bool terminal = isatty(STDERR_FILENO);
    double now = laip_seconds();
    if (silent || (last_progress > 0 && now - last_progress < (terminal ? 0.1 : 10.0)))
        return;
    last_progress = now;
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (terminal)
        fprintf(stderr, "\r\033[K%s", text);
    else
        fprintf(stderr, "%s\n", text);
    line_open = terminal;
    fflush(stderr);
}
