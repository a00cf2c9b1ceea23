/* laip-bench devices: every OpenCL device, and what the kernels will use of it. */
#include "bench/bench.h"
#include "ops/attention.h"

#include "ops/matrix_unit.h"
#include <stdio.h>
#include <string.h>

/* What each precision is computed by; a unit is tried for it. */
static void print_units(int number)
{
    laip_device *d;
    laip_error error;
    char choice[16];
    snprintf(choice, sizeof choice, "%d", number);
    if (!laip_device_open(&d, choice, 0, &error)) {
        printf("   %s\n", error.text);
        return;
    }
    for (int i = 0; laip_precision_names[i]; i++) {
        const laip_unit *u = laip_unit_of(d, (laip_precision)i);
        printf("%s%s by %s%s%s", i ? ", " : "   precision ", laip_precision_names[i], u->name,
               u->plain ? "" : " ", u->plain ? "" : u->kind);
    }
    printf("\n");
    laip_device_close(d);
}

enum { SEEN = 64 };
typedef struct listed {
    json_t *all;
    laip_traits seen[SEEN]; /* those before */
} listed;

static void as_text(void *context, int number, int rank, const laip_traits *t)
{
    listed *before = context;
    printf("%d  %s%s%s\n   platform %s, driver %s, %s\n", number, t->name, *t->pci ? ", PCI " : "", t->pci,
           t->platform, t->driver, t->version);
    printf("   %d compute units, %.1f GiB of memory (%.1f in one piece), %zu KiB of local memory, groups of "
           "%zu\n",
           t->units, (double)t->memory / 0x1p30, (double)t->largest / 0x1p30, t->local_memory >> 10,
           t->group_limit);
    if (t->wave)
        printf("   %d items run together%s\n", t->wave,
               t->sub_group ? "; attention's kernels ask for as many, and for all registers of a thread"
                            : "");
    printf(
        "   used as a %s: %d item%s a row, vectors of %d floats (native: %d); products by %s; buffers %s\n",
        t->cpu ? "processor" : "graphics device", t->lanes, t->lanes > 1 ? "s" : "", t->vector,
        t->native_vector,
        t->lanes > 1 ? "a matrix unit, the plain kernel or CLBlast, as measured"
                     : "the packed kernel or CLBlast, as measured",
        t->host_memory ? "in host memory" : "on the device");
    if (t->lanes > 1) {
        printf("   attention %s\n", laip_attention_has_tiles(t, 64)
                                        ? "in tiles that a group shares in local memory"
                                        : "an item a row: there is too little local memory for tiles");
        print_units(number);
    }
    for (int i = 0; i < number && i < SEEN; i++)
        if (laip_traits_same_device(&before->seen[i], t))
            printf("   the same %s as %d%s\n", t->cpu ? "processor" : "card", i,
                   strcmp(before->seen[i].platform, t->platform) ? ", through another platform" : "");
    if (number < SEEN)
        before->seen[number] = *t;
    if (rank >= 0)
        printf("   auto takes it for rank %d of a node\n", rank);
    else
        printf("   auto does not take it\n");
}

static void as_json(void *context, int number, int rank, const laip_traits *t)
{
    json_array_append_new(
        ((listed *)context)->all,
        json_pack("{s:i, s:i, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:i, s:I, s:I, s:I, s:I, s:i, s:i, "
                  "s:i, s:i, s:i, s:I}",
                  "number", number, "auto_rank", rank, "name", t->name, "pci", t->pci, "platform",
                  t->platform, "driver", t->driver, "version", t->version, "cpu", t->cpu, "host_memory",
                  t->host_memory, "units", t->units, "memory", (json_int_t)t->memory, "largest",
                  (json_int_t)t->largest, "local_memory", (json_int_t)t->local_memory, "group_limit",
                  (json_int_t)t->group_limit, "lanes", t->lanes, "vector", t->vector, "wave", t->wave,
                  "sub_group", t->sub_group, "native_vector", t->native_vector, "cache",
                  (json_int_t)t->cache));
}

static const struct argp_option options[] = {{"json", 'j', NULL, 0, "print JSON", 0}, {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    (void)arg;
    if (key != 'j')
        return ARGP_ERR_UNKNOWN;
    *(bool *)state->input = true;
    return 0;
}

int laip_bench_devices(int argc, char **argv)
{
    static const struct argp argp = {
        options, parse,
        NULL,    "Lists the OpenCL devices; the number, or part of a name, is what --device takes.",
        NULL,    NULL,
        NULL};
    bool json = false;
    laip_error error;
    argp_parse(&argp, argc, argv, 0, NULL, &json);
    json_t *all = json_array();
    listed before = {.all = all};
    if (!laip_device_list(json ? as_json : as_text, &before, &error))
        return laip_bench_fails(argv[0], &error);
    if (json) {
        json_dumpf(all, stdout, JSON_INDENT(1));
        putchar('\n');
    }
    json_decref(all);
    return 0;
}
