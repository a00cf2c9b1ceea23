/* For readers that take a path: the input as a file that is gone when it is closed. */
#ifndef LAIP_TESTS_FUZZ_FILE_H
#define LAIP_TESTS_FUZZ_FILE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* path [64] receives its name; fclose() releases it. */
static inline FILE *laip_fuzz_file(const uint8_t *data, size_t size, char *path)
{
    FILE *file = tmpfile();
    if (!file || fwrite(data, 1, size, file) != size || fflush(file))
        abort();
    snprintf(path, 64, "/proc/self/fd/%d", fileno(file));
    return file;
}

#endif
