#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void fill(laip_error *error, laip_status status, const char *format, va_list arguments)
{
    error->status = status;
    vsnprintf(error->text, sizeof error->text, format, arguments);
    for (char *c = error->text; *c; c++) /* one line, whatever a file name or a driver's message holds */
        if (*c == '\n' || *c == '\r')
            *c = ' ';
}

bool(laip_bad_input)(laip_error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fill(error, LAIP_BAD_INPUT, format, arguments);
    va_end(arguments);
    return false;
}

bool(laip_failure)(laip_error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fill(error, LAIP_FAILURE, format, arguments);
    va_end(arguments);
    return false;
}

bool(laip_error_prefix)(laip_error *error, const char *format, ...)
{
    laip_error old = *error;
    va_list arguments;
    va_start(arguments, format);
    fill(error, old.status, format, arguments);
    va_end(arguments);
    size_t used = strlen(error->text);
    snprintf(error->text + used, sizeof error->text - used, ": %s", old.text);
    return false;
}
