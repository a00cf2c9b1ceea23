/* features MODEL INDEX COUNT: an index of COUNT drawn unit features, and how long it takes to make, open and
 * search it, and in what memory.  tools/search-speed runs it. */
#include <laip/laip.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { TOP = 10, TOGETHER = 64, ROUNDS = 6, PART = 10000, NAME = 32 };

typedef struct bench {
    laip_engine *engine;
    laip_network *network;
    laip_index *index;
    size_t embed;
} bench;

static void must(laip_status status, const laip_error *error)
{
    if (status) {
        fprintf(stderr, "%s\n", error->text);
        exit((int)status);
    }
}

static void *allocate(size_t count, size_t size)
{
    void *p = calloc(count, size);
    if (!p)
        exit(1);
    return p;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double resident_most(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

static void draw(float *feature, size_t embed, uint64_t *state)
{
    double sum = 0;
    for (size_t k = 0; k < embed; k++) {
        *state = *state * 6364136223846793005u + 1442695040888963407u;
        feature[k] = (float)((double)(*state >> 40) / 0x1p24 - 0.5);
        sum += (double)feature[k] * (double)feature[k];
    }
    for (size_t k = 0; k < embed; k++)
        feature[k] = (float)((double)feature[k] / sqrt(sum));
}

static void make(bench *b, const char *path, size_t count)
{
    laip_error e;
    float *features = allocate(count * b->embed, sizeof *features);
    char(*text)[NAME] = allocate(count, sizeof *text);
    const char **names = allocate(count, sizeof *names);
    uint64_t state = 1;
    for (size_t i = 0; i < count; i++) {
        draw(features + i * b->embed, b->embed, &state);
        snprintf(text[i], NAME, "%04zu/%08zu.jpg", i / 1000, i);
        names[i] = text[i];
    }
    double start = seconds();
    must(laip_index_create(&b->index, b->network, ".", &e), &e);
    must(laip_index_add(b->index, names, features, count, &e), &e);
    must(laip_index_save(b->index, path, &e), &e);
    printf("added and written in %.2f s\n", seconds() - start);
    laip_index_close(b->index);
    free(features);
    free(text);
    free(names);
}

static void search(bench *b)
{
    static const char *const some[] = {"a woman in a long red coat with a white bag", "a man in blue jeans"};
    const char *sentences[TOGETHER];
    laip_hit *hits = allocate(TOGETHER * TOP, sizeof *hits);
    size_t found[TOGETHER];
    float *features = allocate(TOGETHER * b->embed, sizeof *features);
    laip_error e;
    for (size_t i = 0; i < TOGETHER; i++)
        sentences[i] = some[i % 2];
    for (int r = 0; r < ROUNDS; r++) {
        double start = seconds();
        must(laip_encode_sentences(b->network, sentences, 1, features, &e), &e);
        double encoded = seconds();
        must(laip_index_search(b->index, b->network, features, 1, TOP, hits, found, &e), &e);
        printf("query %d: sentence %.1f ms, search %.1f ms\n", r + 1, 1e3 * (encoded - start),
               1e3 * (seconds() - encoded));
    }
    must(laip_encode_sentences(b->network, sentences, TOGETHER, features, &e), &e);
    for (int r = 0; r < ROUNDS / 2; r++) {
        double start = seconds();
        must(laip_index_search(b->index, b->network, features, TOGETHER, TOP, hits, found, &e), &e);
        printf("%d queries at once: %.2f ms each\n", TOGETHER, 1e3 * (seconds() - start) / TOGETHER);
    }
    free(hits);
    free(features);
}

int main(int argc, char **argv)
{
    bench b = {.embed = 0};
    laip_error e;
    laip_network_info info = {.size = sizeof info};
    if (argc != 4 && argc != 3) {
        fprintf(stderr, "usage: features MODEL INDEX [COUNT]\n");
        return 2;
    }
    must(laip_engine_open(&b.engine, NULL, &e), &e);
    must(laip_network_open(&b.network, b.engine, argv[1], NULL, &e), &e);
    laip_network_describe(b.network, &info);
    b.embed = info.embed;
    if (argc == 4)
        make(&b, argv[2], (size_t)strtoull(argv[3], NULL, 10));
    else {
        double before = resident_most(), start = seconds();
        must(laip_index_open(&b.index, argv[2], &e), &e);
        printf("opened and checked in %.3f s\n", seconds() - start);
        search(&b);
        printf("resident at most %.0f MiB, %.0f before the index was opened\n", resident_most(), before);
        laip_index_close(b.index);
    }
    laip_network_close(b.network);
    laip_engine_close(b.engine);
    return 0;
}
