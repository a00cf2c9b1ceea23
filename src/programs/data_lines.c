/* Lines of text for the subcommands that read captions. */
#include "programs/data_lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

static bool open_next(laip_lines *l, bool *more, laip_error *error)
{
    *more = l->count ? l->file < l->count : !l->opened;
    if (!*more)
        return true;
    l->name = l->count ? l->files[l->file++] : "standard input";
    l->stream = l->count && strcmp(l->name, "-") != 0 ? fopen(l->name, "r") : stdin;
    l->opened = true;
    l->number = 0;
    if (!l->stream)
        return laip_bad_input(error, "%s: %s", l->name, strerror(errno));
    return true;
}

bool laip_lines_next(laip_lines *l, bool *more, laip_error *error)
{
    for (;;) {
        if (!l->stream && (!open_next(l, more, error) || !*more))
            return l->stream || !*more;
        errno = 0;
        ssize_t got = getline(&l->text, &l->capacity, l->stream);
        if (got >= 0) {
            l->length = (size_t)got;
            if (l->length && l->text[l->length - 1] == '\n')
                l->text[--l->length] = 0;
            l->number++;
            l->total++;
            *more = true;
            if (l->length > 1u << 30)
                return laip_bad_input(error, "%s:%zu: a line of more than a gibibyte", l->name, l->number);
            return true;
        }
        if (ferror(l->stream))
            return laip_bad_input(error, "%s: %s", l->name, strerror(errno));
        if (l->stream != stdin)
            fclose(l->stream);
        l->stream = NULL;
    }
}

void laip_lines_free(laip_lines *l)
{
    if (l->stream && l->stream != stdin)
        fclose(l->stream);
    free(l->text);
}

int laip_data_end(const char *name, bool good, laip_error *error)
{
    errno = 0;
    if (good && (fflush(stdout) != 0 || ferror(stdout)))
        good = laip_failure(error, "standard output: %s", errno ? strerror(errno) : "write failed");
    if (good)
        return 0;
    fprintf(stderr, "laip-data %s: %s\n", name, error->text);
    return (int)error->status;
}
