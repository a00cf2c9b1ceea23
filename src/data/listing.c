/* The files under a folder, by any spelling in upper and lower case. */
#include "data/find.h"

#include "base/file.h"
#include "base/memory.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void laip_listing_open(laip_listing *l, const char *root)
{
    *l = (laip_listing){.root = laip_strdup(root)};
}

void laip_listing_close(laip_listing *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->names[i]);
    free(l->names);
    free(l->root);
    laip_map_free(&l->exact);
    laip_map_free(&l->folded);
    laip_map_free(&l->folders);
    *l = (laip_listing){0};
}

static char *lower(const char *text)
{
    char *low = laip_strdup(text);
    for (char *p = low; *p; p++)
        *p = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
    return low;
}

/* "folder/name", or "name" at the root. */
static char *under(const char *folder, const char *name)
{
    return *folder ? laip_path_join(folder, name) : laip_strdup(name);
}

static void add(laip_listing *l, char *path)
{
    void *array = l->names;
    int32_t before;
    char *low = lower(path);
    laip_grow(&array, &l->capacity, l->count + 1, sizeof *l->names);
    l->names = array;
    l->names[l->count] = path;
    laip_map_set(&l->exact, path, strlen(path), (int32_t)l->count);
    if (!laip_map_get(&l->folded, low, strlen(low), &before))
        laip_map_set(&l->folded, low, strlen(low), (int32_t)l->count);
    l->count++;
    free(low);
}

static void list_folder(laip_listing *l, const char *folder)
{
    char *path = *folder ? laip_path_join(l->root, folder) : laip_strdup(l->root);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d)) != NULL;)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            add(l, under(folder, e->d_name));
    if (d)
        closedir(d);
    free(path);
}

static const char *look_up(const laip_listing *l, const char *path)
{
    int32_t i;
    if (laip_map_get(&l->exact, path, strlen(path), &i))
        return l->names[i];
    char *low = lower(path);
    bool found = laip_map_get(&l->folded, low, strlen(low), &i);
    free(low);
    return found ? l->names[i] : NULL;
}

/* A folder as it is spelt, listed from here on; NULL: there is none. */
static const char *find_folder(laip_listing *l, const char *folder);

static const char *find_in(laip_listing *l, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *above = laip_strndup(path, slash ? (size_t)(slash - path) : 0);
    const char *folder = find_folder(l, above), *found = NULL;
    if (folder) {
        char *whole = under(folder, slash ? slash + 1 : path);
        found = look_up(l, whole);
        free(whole);
    }
    free(above);
    return found;
}

static const char *find_folder(laip_listing *l, const char *folder)
{
    int32_t i;
    if (laip_map_get(&l->folders, folder, strlen(folder), &i))
        return i < 0 ? NULL : *folder ? l->names[i] : "";
    const char *found = *folder ? find_in(l, folder) : "";
    if (found)
        list_folder(l, found);
    i = -1;
    if (found && *folder)
        laip_map_get(&l->exact, found, strlen(found), &i);
    laip_map_set(&l->folders, folder, strlen(folder), found && !*folder ? 0 : i);
    return found;
}

/* A path that leaves the root, or goes in circles, is not looked up but tried. */
static bool is_plain(const char *file)
{
    if (*file == '/' || !*file || file[strlen(file) - 1] == '/')
        return false;
    for (const char *p = file; p; p = strchr(p, '/'), p += p ? 1 : 0)
        if (*p == '/' || *p == '.')
            return false;
    return true;
}

const char *laip_listing_find(laip_listing *l, const char *file)
{
    if (is_plain(file))
        return find_in(l, file);
    char *path = laip_path_join(l->root, file);
    bool there = *file && access(path, R_OK) == 0;
    free(path);
    return there ? file : NULL;
}
