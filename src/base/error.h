/* How every function of the library reports trouble.
 *
 * A function that can fail returns bool: true on success; on false it has filled the laip_error that the
 * caller passed (never NULL) with one line that names file, place, what was found and what was expected.  The
 * status is the exit status that a program ends with: 2 for bad input (a file, a flag, a config), 1 for a
 * failure of ours or of the driver.  The library never exits and never prints an error itself. */
#ifndef LAIP_BASE_ERROR_H
#define LAIP_BASE_ERROR_H

#include "laip/status.h"
#include <stdbool.h>

#if defined(__GNUC__)
#define LAIP_PRINTF(format_at, first_at) __attribute__((__format__(__printf__, format_at, first_at)))
#else
#define LAIP_PRINTF(format_at, first_at)
#endif

/* Fills error with status LAIP_BAD_INPUT and the formatted line; returns false, so that a check reads
 * `return laip_bad_input(error, "%s:%d: ...", ...);`. */
bool laip_bad_input(laip_error *error, const char *format, ...) LAIP_PRINTF(2, 3);

/* The same with status LAIP_FAILURE: memory, disk, driver, or a defect of ours. */
bool laip_failure(laip_error *error, const char *format, ...) LAIP_PRINTF(2, 3);

/* Puts "prefix: " before the line that error already holds; returns false. */
bool laip_error_prefix(laip_error *error, const char *format, ...) LAIP_PRINTF(2, 3);

#ifdef __clang_analyzer__ /* which looks into one file at a time, is told what they return */
#define laip_bad_input(...) ((void)laip_bad_input(__VA_ARGS__), false)
#define laip_failure(...) ((void)laip_failure(__VA_ARGS__), false)
#define laip_error_prefix(...) ((void)laip_error_prefix(__VA_ARGS__), false)
#endif

#endif
