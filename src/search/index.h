/* The tables of an index.  A picture is a content; a file is a name of one in the index's folder.  Files are
 * in the order of their names, pictures in that of their first file.
 *
 * As a file it is a safetensors file with checksums, metadata `format` "laip-index", `folder`, `checkpoint`
 * and `fingerprint`, and these tensors of P pictures and F files:
 *   features [P, E] F32   hashes [P, 16] U8 (XXH3, 128 bits, of the file's bytes)   sizes [P, 2] I32 (width,
 *   height)   picture [F] I32   bytes [F] I64   time [F] I64 (nanoseconds)   path_begin [F + 1] I64
 *   paths [path_begin[F]] U8 (each name ends with a zero byte) */
#ifndef LAIP_SEARCH_INDEX_H
#define LAIP_SEARCH_INDEX_H

#include "search/engine.h"
#include "store/safetensors.h"

typedef struct laip_index_picture_entry {
    uint8_t hash[16];
    int32_t size[2];       /* width, height */
    const float *features; /* [E] */
    size_t first, count;   /* its names: names[first …] */
} laip_index_picture_entry;

typedef struct laip_index_file_entry {
    const char *name;
    int64_t bytes, time;
    size_t picture;
} laip_index_file_entry;

struct laip_index {
    char *folder, *checkpoint, *fingerprint;
    size_t embed;
    laip_index_picture_entry *pictures;
    size_t picture_count;
    laip_index_file_entry *files;
    size_t file_count;
    size_t *names; /* [file_count]: files, by picture */
    laip_map by_hash;
    laip_arena names_arena, features_arena;
    laip_safetensors file; /* that it was read from, with its elements: features and names lie there */
    /* what searching keeps on the device */
    laip_engine *engine; /* whose device that is; NULL: nothing is there */
    laip_mat *blocks;    /* of BLOCK rows each */
    size_t block_count;
    laip_mat stream, queries, scores;
};

/* Puts files and pictures into their order, drops pictures without a file, and makes names and by_hash. */
void laip_index_arrange(laip_index *index);
/* Frees the tables, not the index. */
void laip_index_clear(laip_index *index);
/* Whether a name may stand in an index: relative, without empty, `.` or `..` parts. */
bool laip_index_name_fits(const char *name);
/* Forgets what is on the device; for who has not the engine. */
void laip_index_unload(laip_index *index);

/* Opens a file below a folder without following any symbolic link; −1 and errno. */
int laip_open_below(const char *folder, const char *name);
/* Reads all of an open regular file and closes it; false: it cannot be read (errno). */
bool laip_read_open(int fd, char **data, size_t *size, int64_t *bytes, int64_t *time);
/* "image/jpeg", "image/png" or NULL, from a file's first bytes. */
const char *laip_picture_type(const void *data, size_t size);

#endif
