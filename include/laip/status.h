/* Status and error of every call. */
#ifndef LAIP_STATUS_H
#define LAIP_STATUS_H

/* What liblaip shows; all else is hidden. */
#if defined(__GNUC__)
#define LAIP_API __attribute__((visibility("default")))
#else
#define LAIP_API
#endif

/* The exit status that a program ends with: 2 for bad input (a file, a flag, a sentence), 1 for a failure of
 * ours or of the driver. */
typedef enum laip_status { LAIP_OK = 0, LAIP_FAILURE = 1, LAIP_BAD_INPUT = 2 } laip_status;

/* One line that names file, place, what was found and what was expected. */
typedef struct laip_error {
    laip_status status;
    char text[1000];
} laip_error;

#endif
