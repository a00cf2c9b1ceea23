/* Event files: read back record by record, with checksums, tags, steps and values; lines are added once. */
#include "support/test.h"

#include "base/file.h"
#include "report/tensorboard.h"
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct scalar {
    char tag[64];
    uint64_t step;
    float value;
} scalar;

static uint64_t little(const unsigned char *at, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint64_t)at[i] << 8 * i;
    return value;
}

/* CRC-32C by a table, unlike the writer's. */
static uint32_t masked_crc(const unsigned char *data, size_t size)
{
    uint32_t table[256], crc = 0xffffffffu;
    for (uint32_t i = 0; i < 256; i++) {
        table[i] = i;
        for (int k = 0; k < 8; k++)
            table[i] = table[i] & 1 ? table[i] >> 1 ^ 0x82f63b78u : table[i] >> 1;
    }
    for (size_t i = 0; i < size; i++)
        crc = table[(crc ^ data[i]) & 255] ^ crc >> 8;
    crc ^= 0xffffffffu;
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

static uint64_t varint(const unsigned char **at)
{
    uint64_t value = 0;
    int shift = 0;
    do
        value |= (uint64_t)(**at & 127) << shift;
    while (shift += 7, *(*at)++ & 128);
    return value;
}

static size_t read_summary(const unsigned char *at, const unsigned char *end, uint64_t step, scalar *out)
{
    size_t n = 0;
    while (at < end) {
        assert_int_equal(*at++, 1 << 3 | 2);
        uint64_t size = varint(&at);
        const unsigned char *value_end = at + size;
        assert_int_equal(*at++, 1 << 3 | 2);
        size = varint(&at);
        memcpy(out[n].tag, at, size);
        out[n].tag[size] = '\0';
        at += size;
        assert_int_equal(*at++, 2 << 3 | 5);
        uint32_t bits = (uint32_t)little(at, 4);
        memcpy(&out[n].value, &bits, 4);
        at += 4;
        out[n++].step = step;
        assert_ptr_equal(at, value_end);
    }
    return n;
}

/* All scalars of the only event file in the folder. */
static size_t read_events(const char *folder, scalar *out)
{
    char *path = NULL, *data;
    size_t size, n = 0;
    laip_error error;
    DIR *d = opendir(folder);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (strncmp(e->d_name, "events.out.tfevents.", 20) == 0)
            path = laip_path_join(folder, e->d_name);
    closedir(d);
    assert_non_null(path);
    assert_ok(laip_file_read(path, &data, &size, &error), error);
    const unsigned char *at = (const unsigned char *)data, *all = at + size;
    for (bool first = true; at < all; first = false) {
        uint64_t length = little(at, 8), step = 0;
        const unsigned char *event = at + 12, *end = event + length;
        assert_int_equal(little(at + 8, 4), masked_crc(at, 8));
        assert_int_equal(little(end, 4), masked_crc(event, length));
        assert_int_equal(event[0], 1 << 3 | 1); /* the wall time */
        event += 9;
        if (first) {
            assert_int_equal(*event, 3 << 3 | 2);
            assert_memory_equal(event + 2, "brain.Event:2", 13);
        } else {
            assert_int_equal(*event++, 2 << 3);
            step = varint(&event);
            assert_int_equal(*event++, 5 << 3 | 2);
            varint(&event);
            n += read_summary(event, end, step, out + n);
        }
        at = end + 4;
    }
    free(data);
    free(path);
    return n;
}

static void append(const char *path, const char *text)
{
    FILE *f = fopen(path, "a");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void lines_become_scalars(void **state)
{
    (void)state;
    char *folder = laip_test_folder("tensorboard"), *metrics = laip_path_join(folder, "metrics.jsonl");
    laip_tensorboard t;
    laip_error error;
    scalar s[32];
    append(metrics, "{\"step\":1,\"phase\":\"a\",\"lr\":0.5,\"itc\":6.25}\n{\"step\":300,\"itc\":null,"
                    "\"total\":2}\nhalf");
    assert_ok(laip_tensorboard_open(&t, folder, metrics, false, &error), error);
    assert_ok(laip_tensorboard_update(&t, &error), error);
    append(metrics, " a line\n{\"step\":300,\"val\":{\"retrieval\":[10,20,30,40]}}\n");
    assert_ok(laip_tensorboard_update(&t, &error), error);
    assert_ok(laip_tensorboard_update(&t, &error), error);
    laip_tensorboard_close(&t);
    static const scalar expected[] = {{"lr", 1, 0.5f},
                                      {"itc", 1, 6.25f},
                                      {"total", 300, 2},
                                      {"val/retrieval/R@1", 300, 10},
                                      {"val/retrieval/R@5", 300, 20},
                                      {"val/retrieval/R@10", 300, 30},
                                      {"val/retrieval/mAP", 300, 40}};
    assert_int_equal(read_events(folder, s), 7);
    for (size_t i = 0; i < 7; i++) {
        assert_string_equal(s[i].tag, expected[i].tag);
        assert_int_equal(s[i].step, expected[i].step);
        assert_float_equal(s[i].value, expected[i].value, 0);
    }
    free(metrics);
    free(folder);
}

static void resuming_leaves_out_what_is_there(void **state)
{
    (void)state;
    char *folder = laip_test_folder("tensorboard"), *metrics = laip_path_join(folder, "metrics.jsonl");
    laip_tensorboard t;
    laip_error error;
    scalar s[32];
    append(metrics, "{\"step\":1,\"itc\":6}\n");
    assert_ok(laip_tensorboard_open(&t, folder, metrics, true, &error), error);
    append(metrics, "{\"step\":2,\"itc\":5}\n");
    assert_ok(laip_tensorboard_update(&t, &error), error);
    laip_tensorboard_close(&t);
    assert_int_equal(read_events(folder, s), 1);
    assert_int_equal(s[0].step, 2);
    free(metrics);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines_become_scalars),
                                       cmocka_unit_test(resuming_leaves_out_what_is_there)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
