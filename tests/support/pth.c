#include "support/pth.h"

#include "base/file.h"
#include "support/test.h"
#include <stdlib.h>
#include <string.h>

#define ADD(s, text) laip_str_add(s, text, sizeof text - 1)

void laip_test_pth_add(laip_test_pth *p, const char *operations, size_t length)
{
    laip_str_add(&p->object, operations, length);
}

static void add_number(laip_str *s, size_t value, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        char byte = (char)(value >> (8 * i));
        laip_str_add(s, &byte, 1);
    }
}

static void add_string(laip_str *s, const char *text)
{
    ADD(s, "X");
    add_number(s, strlen(text), 4);
    laip_str_adds(s, text);
}

void laip_test_pth_string(laip_test_pth *p, const char *text)
{
    add_string(&p->object, text);
}

static void add_int(laip_str *s, size_t value)
{
    ADD(s, "J");
    add_number(s, value, 4);
}

void laip_test_pth_tensor(laip_test_pth *p, int rank, const size_t *shape, const float *values)
{
    char key[16];
    laip_str *o = &p->object;
    size_t count = 1, stride = 1;
    snprintf(key, sizeof key, "%d", p->count++);
    add_string(&p->keys, key);
    for (int i = 0; i < rank; i++)
        count *= shape[i];
    add_number(&p->storages, count, 8);
    laip_str_add(&p->storages, (const char *)values, count * sizeof *values);
    ADD(o, "ctorch._utils\n_rebuild_tensor_v2\n((");
    add_string(o, "storage");
    ADD(o, "ctorch\nFloatStorage\n");
    add_string(o, key);
    add_string(o, "cpu");
    add_int(o, count);
    ADD(o, "NtQK\0(");
    for (int i = 0; i < rank; i++)
        add_int(o, shape[i]);
    ADD(o, "t(");
    for (int i = 0; i < rank; i++) {
        stride = 1;
        for (int k = i + 1; k < rank; k++)
            stride *= shape[k];
        add_int(o, stride);
    }
    ADD(o, "t\x89"
           "ccollections\nOrderedDict\n)RtR");
}

void laip_test_pth_write(laip_test_pth *p, const char *path)
{
    laip_str all = {0};
    laip_error error;
    ADD(&all, "\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\2M\xe9\3.\x80\2}");
    add_string(&all, "little_endian");
    ADD(&all, "\x88s.\x80\2");
    laip_str_add(&all, p->object.text, p->object.length);
    ADD(&all, ".\x80\2](");
    laip_str_add(&all, laip_str_text(&p->keys), p->keys.length);
    ADD(&all, "e.");
    laip_str_add(&all, laip_str_text(&p->storages), p->storages.length);
    assert_ok(laip_file_write(path, all.text, all.length, &error), error);
    free(all.text);
    free(p->object.text);
    free(p->keys.text);
    free(p->storages.text);
    *p = (laip_test_pth){.count = 0};
}
