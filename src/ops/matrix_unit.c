#include "ops/matrix_unit.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/str.h"
#include "device/internal.h"
#include "ops/gemm/unit.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const laip_precision_names[] = {"fp32", "tf32", "bf16", "fp16", NULL};
enum { PRECISIONS = 4 };

/* The units, in the order in which they are tried.  extension: of the drivers whose compilers have its
 * instructions; NULL: only when named. */
typedef struct description {
    const char *called, *name, *extension, *option;
    int lanes;
    const char *kinds[PRECISIONS]; /* for each precision; NULL: none */
} description;

static const description units[] = {
    {"mma.sync",
     "mma.sync",
     "cl_nv_device_attribute_query",
     "-DMU_NVIDIA",
     32,
     {"TF32X3", "TF32", "BF16", "F16"}},
    {"mfma", "mfma", "cl_amd_device_attribute_query", "-DMU_MFMA", 64, {"F32", NULL, "BF16", "F16"}},
    {"wmma12", "wmma", "cl_amd_device_attribute_query", "-DMU_WMMA=12", 32, {NULL, NULL, "BF16", "F16"}},
    {"wmma11", "wmma", "cl_amd_device_attribute_query", "-DMU_WMMA=11", 32, {NULL, NULL, "BF16", "F16"}},
    {"dpas16",
     "dpas",
     "cl_intel_subgroup_matrix_multiply_accumulate",
     "-DMU_DPAS=16",
     16,
     {NULL, NULL, "BF16", "F16"}},
    {"dpas8",
     "dpas",
     "cl_intel_subgroup_matrix_multiply_accumulate",
     "-DMU_DPAS=8",
     8,
     {NULL, NULL, "BF16", "F16"}},
    {"emulated32", "emulated", NULL, "-DMU_EMULATED=32", 32, {"TF32X3", "TF32", "BF16", "F16"}},
    {"emulated64", "emulated", NULL, "-DMU_EMULATED=64", 64, {"F32", "TF32", "BF16", "F16"}},
    {"rounded", "rounded", NULL, "-DMU_PLAIN=16", 32, {"F32", "TF32", "BF16", "F16"}},
    {"plain", "plain", NULL, "-DMU_PLAIN=32", 32, {"F32", "F32", "F32", "F32"}},
};
enum { UNITS = sizeof units / sizeof *units, MOST_OPTIONS = UNITS * PRECISIONS };

struct laip_units {
    laip_precision precision;
    laip_unit plain, of[PRECISIONS];
    bool has_plain, has[PRECISIONS];
    char *options[MOST_OPTIONS]; /* of the units that were made so far, each once */
};

static const char owner = 0;

static void close_state(laip_device *d, void *state)
{
    struct laip_units *s = state;
    (void)d;
    for (int i = 0; i < MOST_OPTIONS; i++)
        free(s->options[i]);
}

static struct laip_units *state_of(laip_device *d)
{
    return laip_device_attach(d, &owner, sizeof(struct laip_units), close_state, NULL);
}

/* The text in a place where it stays. */
static const char *kept(laip_device *d, const char *text)
{
    char **options = state_of(d)->options;
    while (*options && strcmp(*options, text) != 0)
        options++;
    *options = *options ? *options : laip_strdup(text);
    return *options;
}

laip_precision laip_precision_set(laip_device *d, laip_precision precision)
{
    laip_precision before = state_of(d)->precision;
    state_of(d)->precision = precision;
    return before;
}

laip_precision laip_precision_of(const laip_device *d)
{
    const struct laip_units *s = laip_device_attached(d, &owner);
    return s ? s->precision : LAIP_PRECISION_FP32;
}

static laip_unit make(laip_device *d, const description *u, const char *kind)
{
    laip_unit unit = {
        .name = u->name, .kind = kind, .lanes = u->lanes, .plain = strcmp(u->name, "plain") == 0};
    int sub_group = d->traits.sub_group;
    if (sub_group && strcmp(u->name, "dpas") == 0)
        sub_group = u->lanes;
    char options[128], registers[64] = "";
    if (sub_group) /* and all registers: with half of them sums do not fit */
        snprintf(registers, sizeof registers, " -DMU_SUB_GROUP=%d -cl-intel-256-GRF-per-thread", sub_group);
    snprintf(options, sizeof options, "%s -DMU_%s%s%s", u->option, kind, d->traits.cpu ? " -DMU_ROLLED" : "",
             registers);
    unit.options = kept(d, options);
    return unit;
}

bool laip_unit_named(laip_device *d, const char *name, laip_precision precision, laip_unit *unit)
{
    for (int i = 0; i < UNITS; i++)
        if (strcmp(units[i].called, name) == 0 && units[i].kinds[precision]) {
            *unit = make(d, &units[i], units[i].kinds[precision]);
            return true;
        }
    return false;
}

const laip_unit *laip_unit_plain(laip_device *d)
{
    struct laip_units *s = state_of(d);
    if (!s->has_plain)
        s->has_plain = laip_unit_named(d, "plain", LAIP_PRECISION_FP32, &s->plain);
    return &s->plain;
}

/* The trial product: ragged in every direction, its numbers in each kind exactly, its sums in fp32. */
enum {
    TRIAL_M = 70,
    TRIAL_N = 77,
    TRIAL_K = 203,
    TRIAL_A = TRIAL_M * TRIAL_K,
    TRIAL_B = TRIAL_N * TRIAL_K,
    TRIAL_C = TRIAL_M * TRIAL_N
};

typedef struct trial {
    laip_product p;
    float *a, *b, *c;
} trial;

/* The product by this unit; false: something failed, and why. */
static bool run_trial(laip_device *d, trial *t, const laip_unit *unit, laip_error *why)
{
    laip_error kept = d->error;
    laip_mat_zero(d, t->p.c);
    laip_unit_product(d, &t->p, unit, (laip_unit_plan){64, 1});
    laip_mat_read(d, t->p.c, t->c);
    *why = d->error;
    d->error = kept; /* what a trial meets is not the run's failure */
    return why->status == LAIP_OK;
}

static void fill(laip_device *d, trial *t, bool whole)
{
    for (int i = 0; i < TRIAL_A + TRIAL_B; i++) {
        uint32_t x = (uint32_t)i * 2654435761u;
        float value = whole ? (float)(x >> 28) - 7.0f : (float)(x >> 8) * 0x1p-23f - 1.0f;
        *(i < TRIAL_A ? t->a + i : t->b + (i - TRIAL_A)) = value;
    }
    laip_mat_write(d, t->p.a, t->a);
    laip_mat_write(d, t->p.b, t->b);
}

static bool same(const float *plain, const float *mine)
{
    for (int i = 0; i < TRIAL_C; i++)
        if (!(plain[i] == mine[i]))
            return false;
    return true;
}

/* Root of the mean square of what the product is off by, relative to its values. */
static double off_by(const trial *t)
{
    double difference = 0, size = 0;
    for (int i = 0; i < TRIAL_M; i++)
        for (int j = 0; j < TRIAL_N; j++) {
            double want = 0;
            for (int k = 0; k < TRIAL_K; k++)
                want += (double)t->a[i * TRIAL_K + k] * (double)t->b[j * TRIAL_K + k];
            double error = (double)t->c[i * TRIAL_N + j] - want;
            difference += error * error;
            size += want * want;
        }
    return sqrt(difference / size);
}

/* Whether the unit gives what the plain product gives; why not, otherwise. */
static bool passes(laip_device *d, const laip_unit *unit, laip_precision precision, char *why, size_t size)
{
    laip_error error;
    trial t = {.a = laip_alloc(TRIAL_A, sizeof(float)), .b = laip_alloc(TRIAL_B, sizeof(float))};
    float *plain = laip_alloc(TRIAL_C, sizeof(float)), *mine = laip_alloc(TRIAL_C, sizeof(float));
    t.p = (laip_product){.transpose_b = true,
                         .m = TRIAL_M,
                         .n = TRIAL_N,
                         .k = TRIAL_K,
                         .alpha = 1,
                         .measuring = true,
                         .a = laip_mat_create(d, TRIAL_M, TRIAL_K),
                         .b = laip_mat_create(d, TRIAL_N, TRIAL_K),
                         .c = laip_mat_create(d, TRIAL_M, TRIAL_N)};
    bool good = d->error.status == LAIP_OK;
    double error_fp32 = 0;
    d->profiler.paused = true;
    if (good) {
        fill(d, &t, true);
        t.c = plain;
        good = run_trial(d, &t, laip_unit_plain(d), &error);
        t.c = mine;
        good = good && run_trial(d, &t, unit, &error);
        if (!good)
            snprintf(why, size, "%.160s", error.text);
        else if (!same(plain, mine)) {
            good = false;
            snprintf(why, size, "its product is not the plain one's");
        }
    }
    if (good && precision == LAIP_PRECISION_FP32) {
        fill(d, &t, false);
        good = run_trial(d, &t, unit, &error) && (error_fp32 = off_by(&t)) <= 1e-6;
        if (!good)
            snprintf(why, size, "its product is off by %.1e, allowed 1e-6", error_fp32);
    }
    d->profiler.paused = false;
    laip_mem_release(t.p.a.mem);
    laip_mem_release(t.p.b.mem);
    laip_mem_release(t.p.c.mem);
    free(t.a);
    free(t.b);
    free(plain);
    free(mine);
    return good;
}

static laip_unit seek(laip_device *d, laip_precision precision)
{
    laip_unit unit;
    char why[192] = "it lists no extension of one";
    const char *named = getenv("LAIP_UNIT");
    if (named && *named && laip_unit_named(d, named, precision, &unit))
        return unit;
    for (int i = 0; i < UNITS; i++) {
        const char *kind = units[i].kinds[precision];
        if (!units[i].extension || !kind || !laip_has_extension(d->id, units[i].extension))
            continue;
        unit = make(d, &units[i], kind);
        if (passes(d, &unit, precision, why, sizeof why))
            return unit;
    }
    if (precision != LAIP_PRECISION_FP32)
        laip_note("%s has no matrix unit for %s (%s): plain fp32 serves", d->traits.name,
                  laip_precision_names[precision], why);
    return *laip_unit_plain(d);
}

const laip_unit *laip_unit_of(laip_device *d, laip_precision precision)
{
    struct laip_units *s = state_of(d);
    if (!s->has[precision]) {
        s->of[precision] = seek(d, precision);
        s->has[precision] = true;
    }
    return &s->of[precision];
}
