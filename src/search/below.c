/* Files of an index's folder: opened below it and through no symbolic link. */
#include "search/index.h"

#include "base/checksum.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int laip_open_below(const char *folder, const char *name)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!laip_index_name_fits(name)) {
        if (fd >= 0)
            close(fd);
        errno = EINVAL;
        return -1;
    }
    while (fd >= 0) {
        const char *end = name + strcspn(name, "/");
        char part[256];
        size_t length = (size_t)(end - name);
        int next = -1;
        if (length < sizeof part) {
            memcpy(part, name, length);
            part[length] = '\0';
            next = openat(fd, part, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | (*end ? O_DIRECTORY : O_NONBLOCK));
        } else
            errno = ENAMETOOLONG;
        int kept = errno;
        close(fd);
        errno = kept;
        if (!*end)
            return next;
        fd = next;
        name = end + 1;
    }
    return -1;
}

bool laip_read_open(int fd, char **data, size_t *size, int64_t *bytes, int64_t *time)
{
    struct stat st;
    *data = NULL;
    if (fd < 0)
        return false;
    bool good = fstat(fd, &st) == 0;
    if (good && !S_ISREG(st.st_mode)) {
        errno = EINVAL;
        good = false;
    }
    if (good) {
        *size = (size_t)st.st_size;
        *bytes = st.st_size;
        *time = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
        *data = laip_alloc(*size + 1, 1);
    }
    for (size_t done = 0; good && done < *size;) {
        ssize_t n = read(fd, *data + done, *size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = EIO; /* it became shorter */
        good = n > 0;
        done += n > 0 ? (size_t)n : 0;
    }
    int kept = errno;
    close(fd);
    if (!good) {
        free(*data);
        *data = NULL;
    }
    errno = kept;
    return good;
}

const char *laip_picture_type(const void *data, size_t size)
{
    if (size >= 3 && memcmp(data, "\xff\xd8\xff", 3) == 0)
        return "image/jpeg";
    if (size >= 8 && memcmp(data, "\x89PNG\r\n\x1a\n", 8) == 0)
        return "image/png";
    return NULL;
}

/* The bytes of the picture's file `name`, when it is still what was indexed. */
static bool read_name(const laip_index *x, const laip_index_picture_entry *p, const char *name, char **data,
                      size_t *size, laip_error *error)
{
    int64_t bytes, time;
    uint8_t hash[16] = {0};
    if (!laip_read_open(laip_open_below(x->folder, name), data, size, &bytes, &time) || !*data)
        return laip_bad_input(error, "%.300s: cannot be read: %s", name, strerror(errno));
    laip_checksum_wide(*data, *size, hash);
    if (memcmp(hash, p->hash, sizeof hash) == 0)
        return true;
    free(*data);
    *data = NULL;
    return laip_bad_input(error, "%.300s: has changed since it was indexed", name);
}

laip_status laip_index_read(const laip_index *x, size_t picture, void **data, size_t *size, const char **type,
                            laip_error *error)
{
    laip_error e;
    char *bytes = NULL;
    bool good = picture < x->picture_count ||
                laip_bad_input(&e, "picture %zu: the index has %zu", picture, x->picture_count);
    if (good) {
        const laip_index_picture_entry *p = &x->pictures[picture];
        good = false;
        for (size_t i = 0; !good && i < p->count; i++)
            good = read_name(x, p, x->files[x->names[p->first + i]].name, &bytes, size, &e);
    }
    if (good && bytes) {
        *data = bytes;
        *type = laip_picture_type(bytes, *size);
        if (!*type)
            *type = "application/octet-stream";
    }
    return laip_tell(good, &e, error);
}
