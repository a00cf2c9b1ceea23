#include "search/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEEPEST = 200 }; /* folders within each other, each of which is open meanwhile */

typedef struct walker {
    laip_walk *w;
    void (*trouble)(void *user, const char *line);
    void *user;
} walker;

static void tell(const walker *k, const char *name, const char *what)
{
    char line[600];
    snprintf(line, sizeof line, "%.400s: %.150s", *name ? name : ".", what);
    if (k->trouble)
        k->trouble(k->user, line);
}

static void add_file(laip_walk *w, const char *name, const struct stat *st)
{
    void *array = w->files;
    laip_grow(&array, &w->capacity, w->count + 1, sizeof *w->files);
    w->files = array;
    w->files[w->count++] = (laip_found){
        .name = laip_arena_strndup(&w->names, name, strlen(name)),
        .bytes = st->st_size,
        .time = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec,
    };
}

static void walk(const walker *k, int fd, laip_str *name, int depth);

static void visit(const walker *k, int folder, const char *entry, laip_str *name, int depth)
{
    struct stat st;
    if (fstatat(folder, entry, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return; /* it went in the meantime */
    if (S_ISREG(st.st_mode))
        add_file(k->w, name->text, &st);
    if (!S_ISDIR(st.st_mode))
        return;
    int fd = depth < DEEPEST ? openat(folder, entry, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
    if (fd < 0) {
        tell(k, name->text, depth < DEEPEST ? strerror(errno) : "folders are too deep here");
        return;
    }
    laip_str_adds(name, "/");
    walk(k, fd, name, depth + 1);
}

/* The folder that fd is, whose name with a slash is in name; closes fd. */
static void walk(const walker *k, int fd, laip_str *name, int depth)
{
    size_t length = name->length;
    DIR *d = fdopendir(fd);
    if (!d) {
        tell(k, laip_str_text(name), strerror(errno));
        close(fd);
        return;
    }
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        laip_str_adds(name, e->d_name);
        visit(k, dirfd(d), e->d_name, name, depth);
        name->length = length;
        name->text[length] = '\0';
    }
    closedir(d);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const laip_found *)a)->name, ((const laip_found *)b)->name);
}

bool laip_walk_folder(laip_walk *w, const char *folder, void (*trouble)(void *, const char *), void *user,
                      laip_error *error)
{
    walker k = {w, trouble, user};
    laip_str name = {0};
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *w = (laip_walk){.count = 0};
    if (fd < 0)
        return laip_bad_input(error, "%s: folder cannot be read: %s", folder, strerror(errno));
    walk(&k, fd, &name, 0);
    free(name.text);
    if (w->count)
        qsort(w->files, w->count, sizeof *w->files, by_name);
    return true;
}

void laip_walk_free(laip_walk *w)
{
    free(w->files);
    laip_arena_free(&w->names);
    *w = (laip_walk){0};
}
