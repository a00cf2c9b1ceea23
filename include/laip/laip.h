/* liblaip: search a folder of pictures with sentences.
 *
 * An engine is a device with all that runs on it (the context); a network is a checkpoint loaded on an engine
 * (the model); a photo is a decoded picture (the image); an index holds the features of many pictures.  All
 * four are opaque.  What a function makes is the caller's, and is released by the function that says so;
 * release an index and a network before the engine that they work on.
 *
 * Every call that can fail returns a status and, when that is not LAIP_OK, fills the error that the caller
 * passed (NULL: not wanted).  The library never exits and prints nothing.
 *
 * Options begin with their size: set it to sizeof the struct, so that a program goes on working with later
 * versions of the library that know more options.  A pointer to options may be NULL: all defaults.  Structs
 * that the library fills begin with their size in the same way.
 *
 * Threads: an engine, and all that works on it, may be used by any number of threads at once; what needs the
 * device takes turns.  An index may be searched by many threads at once, but while one adds to it, updates or
 * releases it no other may use it. */
#ifndef LAIP_LAIP_H
#define LAIP_LAIP_H

#include "laip/status.h"
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct laip_engine laip_engine;
typedef struct laip_network laip_network;
typedef struct laip_photo laip_photo;
typedef struct laip_index laip_index;
typedef struct laip_explanation laip_explanation;

LAIP_API const char *laip_version(void);
/* Releases what the library gave to be released by it; NULL is fine. */
LAIP_API void laip_release(void *memory);

/* What is done when memory runs out (count x size bytes); without a handler, or when it returns, the process
 * aborts.  Of the whole process. */
LAIP_API void laip_on_out_of_memory(void (*handler)(size_t count, size_t size));

/* Engine */

typedef struct laip_engine_options {
    size_t size;
    const char *device; /* number, kind (gpu, cpu), part of a name; NULL: the best there is */
    int threads;        /* that read and decode pictures; 0: one a core */
    /* Called with what is worth knowing but no error, a line at a time, of all engines of the process (the
     * last one opened says where to); any thread.  NULL: it is dropped. */
    void (*message)(void *user, const char *line);
    void *user;
} laip_engine_options;

LAIP_API laip_status laip_engine_open(laip_engine **engine, const laip_engine_options *options,
                                      laip_error *error);
LAIP_API void laip_engine_close(laip_engine *engine);
LAIP_API const char *laip_engine_device(const laip_engine *engine); /* its name; the engine's */

/* Network */

typedef struct laip_network_options {
    size_t size;
    size_t batch; /* pictures encoded at once; 0: 16 */
    /* Of the factors in products and attention, where the device has a matrix unit: fp32, tf32, bf16 or fp16;
     * and how weights and activations are stored: float, half or bfloat16.  NULL: as the checkpoint's
     * settings say.  Either moves features by what it rounds (tf32 and 16 bits by 1e-3, bfloat16 by 1e-2), so
     * that indices and queries had better agree. */
    const char *precision, *storage;
} laip_network_options;

typedef struct laip_network_info {
    size_t size;
    size_t embed;                  /* E, floats of a feature */
    int image_height, image_width; /* pixels that a photo is resized to */
    int grid_rows, grid_cols;      /* patches, of explanations */
    size_t longest;                /* tokens of a sentence, its [CLS] among them */
    float temperature;             /* tau */
    const char *checkpoint;        /* absolute path; the network's */
    const char *fingerprint;       /* of the checkpoint's bytes, 32 hexadecimal digits; the network's */
} laip_network_info;

/* Loads weights, settings and vocabulary of a checkpoint, as laip-train and `laip-model convert` write it. */
LAIP_API laip_status laip_network_open(laip_network **network, laip_engine *engine, const char *checkpoint,
                                       const laip_network_options *options, laip_error *error);
LAIP_API void laip_network_close(laip_network *network);
LAIP_API void laip_network_describe(const laip_network *network, laip_network_info *info);

/* Photos: JPEG and PNG, by content, upright as EXIF has it.  A network whose settings say compat.exif:
 * ignored sees them as their files hold them, as it was trained; everything given out (sizes, maps) is of the
 * upright photo. */

LAIP_API laip_status laip_photo_open(laip_photo **photo, const char *path, laip_error *error);
/* The same from a file's bytes; name stands for the file in errors. */
LAIP_API laip_status laip_photo_decode(laip_photo **photo, const void *data, size_t size, const char *name,
                                       laip_error *error);
/* rgb [height, width, 3], copied. */
LAIP_API laip_status laip_photo_from_pixels(laip_photo **photo, const uint8_t *rgb, int width, int height,
                                            laip_error *error);
LAIP_API void laip_photo_close(laip_photo *photo);
/* A JPEG of the photo, upright, no side longer than `longest` pixels (1 or more) and none enlarged;
 * laip_release releases *data. */
LAIP_API laip_status laip_photo_thumbnail(const laip_photo *photo, int longest, void **data, size_t *size,
                                          laip_error *error);
LAIP_API int laip_photo_width(const laip_photo *photo);
LAIP_API int laip_photo_height(const laip_photo *photo);

/* Encoding and matching.  Features have unit length: their product is the cosine. */

/* features [count, E]. */
LAIP_API laip_status laip_encode_photos(laip_network *network, const laip_photo *const *photos, size_t count,
                                        float *features, laip_error *error);
/* UTF-8, any case and punctuation.  Bad input: a sentence without a word, without one that the model knows,
 * or longer than it takes. */
LAIP_API laip_status laip_encode_sentences(laip_network *network, const char *const *sentences, size_t count,
                                           float *features, laip_error *error);

typedef struct laip_match {
    float cosine;   /* of the features */
    float log_odds; /* of the matching head: logit 1 - logit 0 */
    float fused;    /* the checkpoint's eval.weight times log_odds + cosine / temperature: rank by this */
} laip_match;

/* matches [count]: of one sentence with each photo. */
LAIP_API laip_status laip_match_photos(laip_network *network, const char *sentence,
                                       const laip_photo *const *photos, size_t count, laip_match *matches,
                                       laip_error *error);

/* Explanation: where each noun phrase of the sentence looks in the photo (bidirectional attention).  A
 * sentence without a noun phrase is taken as one.  The maps are the mean over the phrase's words, each masked
 * in turn, as training masks one of them. */

typedef struct laip_phrase_view {
    size_t size;
    size_t begin, end; /* its bytes in the sentence */
    int rows, cols;    /* the network's grid, or its transpose: see Photos */
    /* [rows, cols], the explanation's: forward (how much the phrase attends to a patch), backward (how much
     * the masked word's prediction gains from it; may be negative), and both: forward times what is positive
     * of backward, summing to 1. */
    const float *forward, *backward, *both;
} laip_phrase_view;

LAIP_API laip_status laip_explain(laip_explanation **explanation, laip_network *network, const char *sentence,
                                  const laip_photo *photo, laip_error *error);
LAIP_API size_t laip_explanation_count(const laip_explanation *explanation);
LAIP_API void laip_explanation_phrase(const laip_explanation *explanation, size_t i, laip_phrase_view *view);
LAIP_API void laip_explanation_close(laip_explanation *explanation);

/* Index: pictures by content, each with the names that it has in one folder. */

typedef struct laip_index_info {
    size_t size;
    size_t pictures;         /* different ones */
    size_t files;            /* names */
    size_t embed;            /* E */
    const char *folder;      /* absolute; the index's, as the next two */
    const char *checkpoint;  /* what it was made with: where that was, */
    const char *fingerprint; /* and its bytes */
} laip_index_info;

/* An empty index of the pictures of a folder, whose features are the network's. */
LAIP_API laip_status laip_index_create(laip_index **index, const laip_network *network, const char *folder,
                                       laip_error *error);
/* Reads an index file and checks all of it; bad input says what is wrong with it. */
LAIP_API laip_status laip_index_open(laip_index **index, const char *path, laip_error *error);
/* Writes beside the path and renames: a kill leaves the old file or the new one. */
LAIP_API laip_status laip_index_save(laip_index *index, const char *path, laip_error *error);
LAIP_API void laip_index_close(laip_index *index);
LAIP_API void laip_index_describe(const laip_index *index, laip_index_info *info);
/* Whether the index was made with this checkpoint; bad input says that it is stale. */
LAIP_API laip_status laip_index_check(const laip_index *index, const laip_network *network,
                                      laip_error *error);

/* The folder is in another place now, with the same names in it. */
LAIP_API laip_status laip_index_move(laip_index *index, const char *folder, laip_error *error);

/* Adds pictures by their features [count, E], under relative names that the folder need not have (what is not
 * there goes at the next update). */
LAIP_API laip_status laip_index_add(laip_index *index, const char *const *names, const float *features,
                                    size_t count, laip_error *error);

typedef struct laip_index_progress {
    size_t size;
    size_t done, total; /* files of the folder: decided about, and all */
    size_t encoded;     /* pictures that went through the network since the beginning of this call */
    double seconds;     /* since then */
} laip_index_progress;

typedef struct laip_update_options {
    size_t size;
    /* A file in which pictures are noted as they are encoded, and from which an interrupted update goes on;
     * the next laip_index_save to the path it belongs to is followed by laip_index_forget_journal.  NULL:
     * none. */
    const char *journal;
    int (*progress)(void *user, const laip_index_progress *progress); /* not 0: stop */
    void (*unreadable)(void *user, const char *line); /* a picture that cannot be read, and why */
    void *user;
} laip_update_options;

typedef struct laip_update_report {
    size_t size;
    size_t encoded;            /* pictures that went through the network */
    size_t resumed;            /* taken from the journal */
    size_t unchanged;          /* files known by name, size and time */
    size_t recognised;         /* files known by their content: moved, copied, touched */
    size_t gone;               /* names that the index had and the folder has no more */
    size_t unreadable, others; /* pictures that cannot be read; files that are no pictures */
    double seconds;
} laip_update_report;

/* Brings the index up to date with its folder and the folders in it.  Hidden files and folders (names that
 * begin with a dot) and symbolic links are left alone.  Stopped or failed, the index is as it was and the
 * journal holds what was done.  report may be NULL. */
LAIP_API laip_status laip_index_update(laip_index *index, laip_network *network,
                                       const laip_update_options *options, laip_update_report *report,
                                       laip_error *error);
LAIP_API void laip_index_forget_journal(const char *journal);

typedef struct laip_hit {
    size_t picture; /* 0 ... pictures - 1 */
    float cosine;
    float log_odds; /* after laip_index_rerank; else 0 */
    float score;    /* what it is ranked by: the cosine, or after laip_index_rerank the fused score */
    int matched;    /* whether laip_index_rerank could read it */
} laip_hit;

/* The `top` best pictures of each query [count, E], best first: hits [count, top], of which found[q] are
 * filled.  The features stay on the device; at most a quarter of its memory is taken for them, and what is
 * over it is sent anew with every call. */
LAIP_API laip_status laip_index_search(laip_index *index, laip_network *network, const float *queries,
                                       size_t count, size_t top, laip_hit *hits, size_t *found,
                                       laip_error *error);
/* Ranks the hits of one sentence anew by matching and features together, reading their pictures.  Those that
 * cannot be read follow in their old order. */
LAIP_API laip_status laip_index_rerank(laip_index *index, laip_network *network, const char *sentence,
                                       laip_hit *hits, size_t count, laip_error *error);

typedef struct laip_picture_view {
    size_t size;
    char id[33];      /* names its content: 32 hexadecimal digits */
    const char *name; /* in the folder, the first of its names; the index's */
    size_t names;     /* how many it has; laip_index_name gives each */
    int width, height;
    uint64_t bytes;
    int64_t time; /* of last change, nanoseconds since 1970 */
} laip_picture_view;

LAIP_API laip_status laip_index_picture(const laip_index *index, size_t picture, laip_picture_view *view,
                                        laip_error *error);
LAIP_API const char *laip_index_name(const laip_index *index, size_t picture, size_t i); /* NULL: none */
LAIP_API laip_status laip_index_find(const laip_index *index, const char *id, size_t *picture,
                                     laip_error *error);
/* The bytes of a picture's file, by any of its names; laip_release releases them.  Only below the index's
 * folder, through no symbolic link, and only while the content is what was indexed; *type is "image/jpeg" or
 * "image/png". */
LAIP_API laip_status laip_index_read(const laip_index *index, size_t picture, void **data, size_t *size,
                                     const char **type, laip_error *error);

#ifdef __cplusplus
}
#endif

#endif
