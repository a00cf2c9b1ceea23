/* Two threads with one engine, network and index, as a program that has but laip.h: all results are those of
 * one thread alone.  And what the calls refuse. */
#include <laip/laip.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef NDEBUG
#include <assert.h>

enum { TOP = 4, ROUNDS = 12 };
static const char *const sentences[] = {"a man in a blue shirt", "a woman with a red bag and black shoes"};

typedef struct results {
    laip_hit hits[2][TOP];
    laip_match match[2];
    float both[2][64];
} results;

typedef struct library {
    laip_engine *engine;
    laip_network *network;
    laip_index *index;
    laip_photo *photo;
    size_t embed;
} library;

static void must(laip_status status, const laip_error *error)
{
    if (status) {
        fprintf(stderr, "%s\n", error->text);
        exit(1);
    }
}

static void ask(library *l, results *r)
{
    laip_error e;
    size_t found[2];
    float *features = malloc(2 * l->embed * sizeof *features);
    memset(r, 0, sizeof *r);
    must(laip_encode_sentences(l->network, sentences, 2, features, &e), &e);
    must(laip_index_search(l->index, l->network, features, 2, TOP, r->hits[0], found, &e), &e);
    assert(found[0] == TOP && found[1] == TOP);
    for (int i = 0; i < 2; i++) {
        laip_explanation *x;
        laip_phrase_view v = {.size = sizeof v};
        const laip_photo *photos[] = {l->photo};
        must(laip_index_rerank(l->index, l->network, sentences[i], r->hits[i], TOP, &e), &e);
        must(laip_match_photos(l->network, sentences[i], photos, 1, &r->match[i], &e), &e);
        must(laip_explain(&x, l->network, sentences[i], l->photo, &e), &e);
        laip_explanation_phrase(x, laip_explanation_count(x) - 1, &v);
        assert(v.end > v.begin && v.end <= strlen(sentences[i]));
        float sum = 0;
        for (int k = 0; k < v.rows * v.cols; k++)
            sum += r->both[i][k] = v.both[k];
        assert(fabsf(sum - 1) < 1e-4f);
        laip_explanation_close(x);
    }
    free(features);
}

static results alone;

static void *again(void *context)
{
    for (int i = 0; i < ROUNDS; i++) {
        results now;
        ask(context, &now);
        assert(memcmp(&now, &alone, sizeof now) == 0);
    }
    return NULL;
}

static void refusals(library *l)
{
    laip_error e;
    laip_photo *photo;
    laip_engine *engine;
    size_t picture;
    float feature[4096];
    const char *empty = " ";
    const laip_engine_options none = {.device = "no such device", .size = sizeof none}, zero = {.size = 0};
    assert(laip_encode_sentences(l->network, &empty, 1, feature, &e) == LAIP_BAD_INPUT &&
           strstr(e.text, "empty"));
    assert(laip_encode_sentences(l->network, &empty, 1, feature, NULL) == LAIP_BAD_INPUT);
    assert(laip_engine_open(&engine, &none, &e) == LAIP_BAD_INPUT && !engine);
    assert(laip_engine_open(&engine, &zero, &e) == LAIP_BAD_INPUT && strstr(e.text, "size"));
    assert(laip_photo_decode(&photo, "GIF89a", 6, "x.gif", &e) == LAIP_BAD_INPUT && strstr(e.text, "x.gif"));
    assert(laip_photo_open(&photo, "/none", &e) == LAIP_BAD_INPUT && !photo);
    assert(laip_index_find(l->index, "00", &picture, &e) == LAIP_BAD_INPUT);
    const char *outside[] = {"../x"}, *twice[] = {"new", "new"};
    memset(feature, 0, sizeof feature);
    assert(laip_index_add(l->index, outside, feature, 1, &e) == LAIP_BAD_INPUT);
    assert(laip_index_add(l->index, twice, feature, 2, &e) == LAIP_BAD_INPUT);
}

/* A program that was compiled with a shorter struct gets what it knows, and nothing behind it is touched. */
static void shorter_structs(const library *l)
{
    struct {
        laip_network_info info;
    } whole;
    memset(&whole, 0x55, sizeof whole);
    whole.info.size = offsetof(laip_network_info, image_height);
    laip_network_describe(l->network, &whole.info);
    assert(whole.info.embed == l->embed && whole.info.image_height == 0x55555555);
}

static unsigned crc(const unsigned char *data, size_t size)
{
    unsigned sum = 0xffffffff;
    for (size_t i = 0; i < size; i++) {
        sum ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ (sum & 1 ? 0xedb88320 : 0);
    }
    return ~sum;
}

/* A PNG, and the same with EXIF's quarter turn in it: a network that ignores EXIF has the same features of
 * both, and the turned one's maps are the other's, turned. */
static void turned_photo(const library *l, const unsigned char *data, size_t size, bool ignored)
{
    enum { HEADER = 8 + 25 };
    unsigned char exif[] = {0,  0, 0, 26, 'e', 'X', 'I', 'f', 'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1,
                            18, 0, 3, 0,  0,   0,   1,   0,   6,   0,   0, 0,  0, 0, 0, 0, 0, 0, 0};
    unsigned char *file = malloc(size + sizeof exif);
    unsigned sum = crc(exif + 4, sizeof exif - 8);
    laip_photo *photo;
    laip_error e;
    float feature[2][64];
    assert(size > HEADER && data[0] == 137 && data[1] == 'P' && l->embed <= 64);
    for (int i = 0; i < 4; i++)
        exif[sizeof exif - 4 + (size_t)i] = (unsigned char)(sum >> (24 - 8 * i));
    memcpy(file, data, HEADER);
    memcpy(file + HEADER, exif, sizeof exif);
    memcpy(file + HEADER + sizeof exif, data + HEADER, size - HEADER);
    must(laip_photo_decode(&photo, file, size + sizeof exif, "turned.png", &e), &e);
    assert(laip_photo_width(photo) == laip_photo_height(l->photo));
    const laip_photo *photos[] = {l->photo, photo};
    must(laip_encode_photos(l->network, photos, 2, feature[0], &e), &e);
    assert((memcmp(feature[0], feature[0] + l->embed, l->embed * sizeof(float)) == 0) == ignored);
    laip_explanation *x[2];
    laip_phrase_view v[2] = {{.size = sizeof v[0]}, {.size = sizeof v[1]}};
    for (int i = 0; i < 2; i++) {
        must(laip_explain(&x[i], l->network, sentences[0], photos[i], &e), &e);
        laip_explanation_phrase(x[i], 0, &v[i]);
    }
    assert(v[1].rows == (ignored ? v[0].cols : v[0].rows));
    for (int r = 0; ignored && r < v[1].rows; r++)
        for (int c = 0; c < v[1].cols; c++)
            assert(v[1].forward[r * v[1].cols + c] == v[0].forward[(v[0].rows - 1 - c) * v[0].cols + r]);
    for (int i = 0; i < 2; i++)
        laip_explanation_close(x[i]);
    laip_photo_close(photo);
    free(file);
}

int main(int argc, char **argv)
{
    library l;
    laip_error e;
    laip_network_info info = {.size = sizeof info};
    laip_picture_view v = {.size = sizeof v};
    pthread_t thread[2];
    void *data;
    const char *type;
    size_t size;
    assert(argc == 3 || argc == 4); /* MODEL FOLDER [ignored] */
    must(laip_engine_open(&l.engine, NULL, &e), &e);
    must(laip_network_open(&l.network, l.engine, argv[1], NULL, &e), &e);
    laip_network_describe(l.network, &info);
    l.embed = info.embed;
    assert(info.grid_rows * info.grid_cols <= 64);
    must(laip_index_create(&l.index, l.network, argv[2], &e), &e);
    must(laip_index_update(l.index, l.network, NULL, NULL, &e), &e);
    must(laip_index_picture(l.index, 0, &v, &e), &e);
    must(laip_index_read(l.index, 0, &data, &size, &type, &e), &e);
    must(laip_photo_decode(&l.photo, data, size, v.name, &e), &e);
    assert(laip_photo_width(l.photo) == v.width && laip_photo_height(l.photo) == v.height);
    turned_photo(&l, data, size, argc == 4);
    laip_release(data);
    ask(&l, &alone);
    for (int i = 0; i < 2; i++)
        pthread_create(&thread[i], NULL, again, &l);
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    refusals(&l);
    shorter_structs(&l);
    laip_photo_close(l.photo);
    laip_index_close(l.index);
    laip_network_close(l.network);
    laip_engine_close(l.engine);
    return 0;
}
