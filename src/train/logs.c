#include "train/logs.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The step of a line; false where it is no line of a log. */
static bool step_of(const char *line, size_t length, uint64_t *step)
{
    json_error_t ignored;
    json_t *object = json_loadb(line, length, 0, &ignored), *n = json_object_get(object, "step");
    bool good = json_is_integer(n) && json_integer_value(n) >= 0;
    if (good)
        *step = (uint64_t)json_integer_value(n);
    json_decref(object);
    return good;
}

static bool read_kept(const char *path, uint64_t done, laip_str *kept, uint64_t *last, laip_error *error)
{
    char *text;
    size_t size;
    if (access(path, F_OK) != 0)
        return true;
    if (!laip_file_read(path, &text, &size, error))
        return false;
    for (char *line = text, *end; (end = memchr(line, '\n', size - (size_t)(line - text))) != NULL;
         line = end + 1) {
        uint64_t step;
        if (!step_of(line, (size_t)(end - line), &step) || step > done)
            continue;
        laip_str_add(kept, line, (size_t)(end + 1 - line));
        *last = step;
    }
    free(text);
    return true;
}

bool laip_log_open(laip_log *log, const char *path, uint64_t done, uint64_t *last, laip_error *error)
{
    laip_str kept = {0};
    *last = 0;
    *log = (laip_log){.fd = -1};
    bool good = (!done || read_kept(path, done, &kept, last, error)) &&
                laip_file_write(path, laip_str_text(&kept), kept.length, error);
    if (good && (log->fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)) < 0)
        good = laip_failure(error, "%s: cannot be written: %s", path, strerror(errno));
    if (good) {
        log->path = laip_strdup(path);
        log->length = kept.length;
    }
    free(kept.text);
    return good;
}

bool laip_log_line(laip_log *log, const char *line, laip_error *error)
{
    if (!log->path)
        return true;
    laip_str text = {0};
    size_t done = 0;
    int code = 0;
    laip_str_addf(&text, "%s\n", line);
    while (done < text.length && !code) {
        ssize_t n = write(log->fd, text.text + done, text.length - done);
        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || errno != EINTR)
            code = n ? errno : EIO;
    }
    size_t length = text.length;
    free(text.text);
    if (!code) {
        log->length += length;
        return true;
    }
    if (done && ftruncate(log->fd, (off_t)log->length) != 0)
        return laip_failure(error, "%s: cannot be written: %s; its last line is cut", log->path,
                            strerror(code));
    return laip_failure(error, "%s: cannot be written: %s", log->path, strerror(code));
}

bool laip_log_sync(laip_log *log, laip_error *error)
{
    if (!log->path || fdatasync(log->fd) == 0 || errno == EINVAL || errno == EROFS) /* no disk behind it */
        return true;
    return laip_failure(error, "%s: cannot be written: %s", log->path, strerror(errno));
}

void laip_log_close(laip_log *log)
{
    if (log->path)
        close(log->fd);
    free(log->path);
    *log = (laip_log){.fd = -1};
}
