/* Runs a fuzz target on the files of the folders named: its seeds, and inputs that once failed, as a test. */
#include "base/file.h"
#include "base/memory.h"
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool run_file(const char *folder, const char *name)
{
    laip_error error;
    char *path = laip_path_join(folder, name), *data;
    size_t size;
    bool good = laip_file_read(path, &data, &size, &error);
    free(path);
    if (!good) {
        fprintf(stderr, "%s\n", error.text);
        return false;
    }
    /* Exactly as many bytes as there are, so that reading past them is seen. */
    uint8_t *exact = laip_alloc(size, 1);
    memcpy(exact, data, size);
    free(data);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return true;
}

int main(int argc, char **argv)
{
    int done = 0;
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        if (!folder) {
            perror(argv[i]);
            return 1;
        }
        for (struct dirent *e; (e = readdir(folder));)
            if (e->d_name[0] != '.') {
                if (!run_file(argv[i], e->d_name))
                    return 1;
                done++;
            }
        closedir(folder);
    }
    printf("%d inputs\n", done);
    return done ? 0 : 1;
}
