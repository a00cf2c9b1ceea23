#include "report/tensorboard.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/str.h"

#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void put_bytes(laip_str *to, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        char byte = (char)(value >> 8 * i);
        laip_str_add(to, &byte, 1);
    }
}

/* CRC-32C (Castagnoli), masked as records have it: rotated by 15 bits, plus a constant. */
static uint32_t masked_crc(const void *data, size_t size)
{
    const unsigned char *at = data;
    uint32_t crc = ~0u;
    for (size_t i = 0; i < size; i++) {
        crc ^= at[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    crc = ~crc;
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static void put_varint(laip_str *to, uint64_t value)
{
    for (; value >= 128; value >>= 7)
        put_bytes(to, (value & 127) | 128, 1);
    put_bytes(to, value, 1);
}

/* Field `number` with bytes. */
static void put_field(laip_str *to, int number, const char *data, size_t size)
{
    put_varint(to, (uint64_t)number << 3 | 2);
    put_varint(to, size);
    laip_str_add(to, data, size);
}

static double wall_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void put_wall_time(laip_str *event)
{
    double now = wall_time();
    uint64_t bits;
    memcpy(&bits, &now, sizeof bits);
    put_varint(event, 1 << 3 | 1);
    put_bytes(event, bits, 8);
}

static void put_record(laip_str *to, const laip_str *event)
{
    size_t begin = to->length;
    put_bytes(to, event->length, 8);
    put_bytes(to, masked_crc(to->text + begin, 8), 4);
    laip_str_add(to, event->text, event->length);
    put_bytes(to, masked_crc(event->text, event->length), 4);
}

static void put_scalar(laip_str *summary, const char *tag, double value)
{
    laip_str one = {0};
    float number = (float)value;
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    put_field(&one, 1, tag, strlen(tag));
    put_varint(&one, 2 << 3 | 5);
    put_bytes(&one, bits, 4);
    put_field(summary, 1, one.text, one.length);
    free(one.text);
}

/* The names of the numbers of a validation's lists. */
static const char *const metric_names[] = {"R@1", "R@5", "R@10", "mAP"};

static void put_numbers(laip_str *summary, const char *tag, const json_t *value)
{
    const char *key;
    json_t *item;
    size_t i;
    char name[256];
    if (json_is_number(value))
        put_scalar(summary, tag, json_number_value(value));
    json_array_foreach(value, i, item)
    {
        if (i < 4) {
            snprintf(name, sizeof name, "%s/%s", tag, metric_names[i]);
            put_numbers(summary, name, item);
        }
    }
    if (json_is_object(value))
        json_object_foreach((json_t *)value, key, item)
        {
            if (strcmp(key, "step") == 0 && !*tag)
                continue;
            snprintf(name, sizeof name, "%s%s%s", tag, *tag ? "/" : "", key);
            put_numbers(summary, name, item);
        }
}

static void put_line(laip_str *to, const json_t *line)
{
    laip_str event = {0}, summary = {0};
    put_numbers(&summary, "", line);
    if (summary.length) {
        put_wall_time(&event);
        put_varint(&event, 2 << 3 | 0);
        put_varint(&event, (uint64_t)json_integer_value(json_object_get(line, "step")));
        put_field(&event, 5, summary.text, summary.length);
        put_record(to, &event);
    }
    free(event.text);
    free(summary.text);
}

bool laip_tensorboard_open(laip_tensorboard *t, const char *folder, const char *metrics, bool resuming,
                           laip_error *error)
{
    char name[128];
    struct stat about;
    laip_str records = {0}, event = {0};
    *t = (laip_tensorboard){0};
    if (!laip_make_folders(folder, error))
        return false;
    snprintf(name, sizeof name, "events.out.tfevents.%ld.%ld.laip", (long)time(NULL), (long)getpid());
    char *path = laip_path_join(folder, name);
    t->file = fopen(path, "wb");
    if (!t->file) {
        laip_failure(error, "%s: cannot be written: %s", path, strerror(errno));
        free(path);
        return false;
    }
    free(path);
    t->metrics = laip_strdup(metrics);
    if (resuming && stat(metrics, &about) == 0)
        t->at = (long)about.st_size;
    put_wall_time(&event);
    put_field(&event, 3, "brain.Event:2", 13);
    put_record(&records, &event);
    fwrite(records.text, 1, records.length, t->file);
    free(records.text);
    free(event.text);
    return true;
}

bool laip_tensorboard_update(laip_tensorboard *t, laip_error *error)
{
    char *text;
    size_t size;
    laip_str records = {0};
    if (!t->file)
        return true;
    if (!laip_file_read(t->metrics, &text, &size, error))
        return false;
    if ((size_t)t->at > size)
        t->at = 0; /* begun anew */
    for (char *line = text + t->at, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        json_t *object = json_loadb(line, (size_t)(end - line), 0, NULL);
        put_line(&records, object);
        json_decref(object);
        t->at = (long)(end + 1 - text);
    }
    bool good = fwrite(records.text ? records.text : "", 1, records.length, t->file) == records.length &&
                fflush(t->file) == 0;
    free(records.text);
    free(text);
    return good || laip_failure(error, "events for TensorBoard cannot be written: %s", strerror(errno));
}

void laip_tensorboard_close(laip_tensorboard *t)
{
    if (t->file)
        fclose(t->file);
    free(t->metrics);
    *t = (laip_tensorboard){0};
}
