#include "base/file.h"

#include "base/memory.h"
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool laip_file_open(const char *path, int *fd, size_t *size, laip_error *error)
{
    struct stat st;
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe without a writer would be waited for */
    if (*fd < 0)
        return laip_bad_input(error, "%s: cannot be read: %s", path, strerror(errno));
    if (fstat(*fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(*fd);
        return laip_bad_input(error, "%s: is not a regular file", path);
    }
    *size = (size_t)st.st_size;
    return true;
}

bool laip_file_read_at(int fd, const char *path, size_t offset, void *data, size_t bytes, laip_error *error)
{
    for (size_t done = 0; done < bytes;) {
        ssize_t n = pread(fd, (char *)data + done, bytes - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return laip_bad_input(error, "%s: reading stopped at byte %zu of %zu: %s", path, offset + done,
                                  offset + bytes, n ? strerror(errno) : "file became shorter");
        done += (size_t)n;
    }
    return true;
}

bool laip_file_read(const char *path, char **data, size_t *size, laip_error *error)
{
    int fd;
    if (!laip_file_open(path, &fd, size, error))
        return false;
    *data = laip_alloc(*size + 1, 1);
    bool good = laip_file_read_at(fd, path, 0, *data, *size, error);
    close(fd);
    if (!good)
        free(*data);
    return good;
}

bool laip_file_begin(laip_file *file, const char *path, laip_error *error)
{
    static atomic_uint serial;
    size_t room = strlen(path) + 64;
    file->path = laip_strdup(path);
    file->temporary = laip_alloc(room, 1);
    snprintf(file->temporary, room, "%s.tmp-%ld-%u", path, (long)getpid(), atomic_fetch_add(&serial, 1));
    file->stream = fopen(file->temporary, "wb");
    if (file->stream)
        return true;
    laip_failure(error, "%s: cannot be written: %s", path, strerror(errno));
    free(file->path);
    free(file->temporary);
    *file = (laip_file){0};
    return false;
}

void laip_file_cancel(laip_file *file)
{
    if (!file->stream)
        return;
    fclose(file->stream);
    unlink(file->temporary);
    free(file->path);
    free(file->temporary);
    *file = (laip_file){0};
}

bool laip_file_commit(laip_file *file, laip_error *error)
{
    bool good = fflush(file->stream) == 0 && !ferror(file->stream) && fsync(fileno(file->stream)) == 0 &&
                rename(file->temporary, file->path) == 0;
    if (!good) {
        laip_failure(error, "%s: cannot be written: %s", file->path, strerror(errno));
        laip_file_cancel(file);
        return false;
    }
    fclose(file->stream);
    free(file->path);
    free(file->temporary);
    *file = (laip_file){0};
    return true;
}

bool laip_file_write(const char *path, const void *data, size_t size, laip_error *error)
{
    laip_file file;
    if (!laip_file_begin(&file, path, error))
        return false;
    if (size)
        fwrite(data, 1, size, file.stream); /* commit looks at ferror */
    return laip_file_commit(&file, error);
}

bool laip_make_folders(const char *path, laip_error *error)
{
    char *copy = laip_strdup(path);
    bool good = true;
    for (char *c = copy; good; c++) {
        if (c == copy || (*c && *c != '/'))
            continue;
        char kept = *c;
        *c = '\0';
        if (*copy && mkdir(copy, 0777) != 0 && errno != EEXIST)
            good = laip_failure(error, "%s: folder cannot be made: %s", copy, strerror(errno));
        *c = kept;
        if (!kept)
            break;
    }
    free(copy);
    return good;
}

char *laip_path_join(const char *folder, const char *name)
{
    if (name[0] == '/' || !folder || !*folder)
        return laip_strdup(name);
    size_t room = strlen(folder) + strlen(name) + 2;
    char *joined = laip_alloc(room, 1);
    snprintf(joined, room, "%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/", name);
    return joined;
}

/* A folder of this user's own in the one for temporary files, where others may have put anything under its
 * name before.  Where it is not to be trusted: one that cannot be made, so that nothing is kept. */
static char *private_folder(void)
{
    const char *base = getenv("TMPDIR");
    char name[64];
    struct stat st;
    snprintf(name, sizeof name, "laip-%ld", (long)geteuid());
    char *path = laip_path_join(base && *base ? base : "/tmp", name);
    bool made = mkdir(path, 0700) == 0 || errno == EEXIST;
    if (made && lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 022))
        return path;
    free(path);
    return laip_strdup("/dev/null/laip");
}

char *laip_cache_folder(void)
{
    const char *own = getenv("LAIP_CACHE_DIR"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (own && *own)
        return laip_strdup(own);
    if (xdg && *xdg)
        return laip_path_join(xdg, "laip");
    if (!home || !*home) {
        const struct passwd *user = getpwuid(geteuid());
        home = user && user->pw_dir && access(user->pw_dir, W_OK) == 0 ? user->pw_dir : NULL;
    }
    return home ? laip_path_join(home, ".cache/laip") : private_folder();
}
