/* CLBlast's parameters: searched on the device within a time budget, kept in the cache folder, and put in
 * force before the first product.
 *
 * Random points of the kernels' parameter space that fulfil CLBlast's divisibility rules and our limits of a
 * group are timed at products of the model and checked against the product by CLBlast's own choice; a third
 * of the tries changes one parameter of the best so far.  Then the size from which the packing kernel serves
 * is measured. Parameters in force are global to the process and device, so they are set once. */
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/rng.h"
#include "device/launch.h"
#include "ops/gemm/internal.h"

#include <clblast_c.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PARAMETERS = 16, MOST_VALUES = 5 };

typedef struct tunable {
    const char *kernel;
    size_t count;
    const char *names[MOST_PARAMETERS];
    unsigned char values[MOST_PARAMETERS][MOST_VALUES]; /* zeros after the last */
} tunable;

static const tunable tunables[LAIP_TUNABLES] = {
    {"Xgemm",
     16,
     {"GEMMK", "KREG", "KWG", "KWI", "MDIMA", "MDIMC", "MWG", "NDIMB", "NDIMC", "NWG", "SA", "SB", "STRM",
      "STRN", "VWM", "VWN"},
     {{0},
      {1},
      {16, 32},
      {2, 8},
      {8, 16, 32},
      {8, 16, 32},
      {16, 32, 64, 128},
      {8, 16, 32},
      {8, 16, 32},
      {16, 32, 64, 128},
      {0, 1},
      {0, 1},
      {0, 1},
      {0, 1},
      {1, 2, 4, 8},
      {1, 2, 4, 8}}},
    {"XgemmDirect",
     10,
     {"KWID", "MDIMAD", "MDIMCD", "NDIMBD", "NDIMCD", "PADA", "PADB", "VWMD", "VWND", "WGD"},
     {{2, 8, 16},
      {8, 16, 32},
      {8, 16, 32},
      {8, 16, 32},
      {8, 16, 32},
      {0, 1},
      {0, 1},
      {1, 2, 4, 8},
      {1, 2, 4, 8},
      {8, 16, 32, 64}}},
    {"GemmRoutine", 1, {"XGEMM_MIN_INDIRECT_SIZE"}, {{0}}},
};

static size_t choices_of(const tunable *t, size_t parameter)
{
    size_t n = 1; /* the first may be a true 0 */
    while (n < MOST_VALUES && t->values[parameter][n])
        n++;
    return n;
}

static bool override(laip_device *d, const tunable *t, const size_t *values)
{
    return CLBlastOverrideParameters(d->id, t->kernel, CLBlastPrecisionSingle, t->count,
                                     (const char **)(uintptr_t)t->names, values) == CLBlastSuccess;
}

/* "1,2,3" of as many numbers as the kernel has parameters. */
static bool from_text(const tunable *t, const char *text, size_t *values)
{
    for (size_t i = 0; i < t->count; i++) {
        char *end;
        values[i] = strtoul(text, &end, 10);
        if (end == text || *end != (i + 1 < t->count ? ',' : '\0'))
            return false;
        text = end + 1;
    }
    return true;
}

static void to_text(const tunable *t, const size_t *values, char text[LAIP_TUNED_TEXT])
{
    size_t used = 0;
    for (size_t i = 0; i < t->count; i++)
        used += (size_t)snprintf(text + used, LAIP_TUNED_TEXT - used, "%s%zu", i ? "," : "", values[i]);
}

bool laip_tuned_set(laip_gemm_state *s, const char *kernel, const char *text)
{
    size_t values[MOST_PARAMETERS];
    for (int i = 0; i < LAIP_TUNABLES; i++)
        if (strcmp(kernel, tunables[i].kernel) == 0 && strlen(text) < LAIP_TUNED_TEXT &&
            from_text(&tunables[i], text, values)) {
            snprintf(s->tuned[i], sizeof s->tuned[i], "%s", text);
            return true;
        }
    return false;
}

void laip_tuned_list(const laip_gemm_state *s, laip_str *text)
{
    for (int i = 0; i < LAIP_TUNABLES; i++)
        if (s->tuned[i][0])
            laip_str_addf(text, "%s %s\n", tunables[i].kernel, s->tuned[i]);
}

void laip_tuned_apply(laip_device *d)
{
    laip_gemm_state *s = laip_gemm_state_of(d);
    size_t values[MOST_PARAMETERS] = {0};
    if (!s->tuning_settled) {
        char *path = laip_gemm_cache_path(d, "clblast");
        laip_error ignored; /* no such file: CLBlast's own parameters */
        s->tuning_settled = true;
        (void)laip_gemm_choices_read(d, path, &ignored);
        free(path);
    }
    if (s->tuning_applied)
        return;
    s->tuning_applied = true;
    for (int i = 0; i < LAIP_TUNABLES; i++)
        if (s->tuned[i][0] &&
            (!from_text(&tunables[i], s->tuned[i], values) || !override(d, &tunables[i], values)))
            laip_device_fail(d, "CLBlast takes no parameters %s for %s", s->tuned[i], tunables[i].kernel);
}

bool laip_gemm_use_tuned(laip_device *d, bool tuned)
{
    laip_gemm_state *s = laip_gemm_state_of(d);
    memset(s->tuned, 0, sizeof s->tuned);
    s->tuning_settled = !tuned;
    s->tuning_applied = false;
    laip_tuned_apply(d);
    return s->tuned[0][0] || s->tuned[1][0];
}

static bool divides(size_t x, size_t a, size_t b) /* a b divides x */
{
    return x % a == 0 && x / a % b == 0;
}

/* CLBlast's rules for its kernel 0, and for the direct one, with our limits: 256 items, 32 KiB. */
static bool valid(const tunable *t, const size_t *v)
{
    if (t == &tunables[0]) {
        size_t kwg = v[2], kwi = v[3], mdima = v[4], mdimc = v[5], mwg = v[6], ndimb = v[7], ndimc = v[8],
               nwg = v[9];
        size_t sa = v[10], sb = v[11], vwm = v[14], vwn = v[15], items = mdimc * ndimc;
        if (!kwi || !mdima || !mdimc || !ndimb || !ndimc || !vwm || !vwn)
            return false;
        return kwg % kwi == 0 && divides(mwg, mdimc, vwm) && divides(nwg, ndimc, vwn) &&
               divides(mwg, mdima, vwm) && divides(nwg, ndimb, vwn) && items % mdima == 0 &&
               items % ndimb == 0 && items / mdima && items / ndimb && kwg % (items / mdima) == 0 &&
               kwg % (items / ndimb) == 0 && items <= LAIP_GROUP_ITEMS &&
               4 * kwg * (sa * mwg + sb * nwg) <= LAIP_GROUP_BYTES;
    }
    size_t kwid = v[0], mdimad = v[1], mdimcd = v[2], ndimbd = v[3], ndimcd = v[4], pada = v[5], padb = v[6];
    size_t vwmd = v[7], vwnd = v[8], wgd = v[9], items = mdimcd * ndimcd;
    if (!kwid || !mdimad || !mdimcd || !ndimbd || !ndimcd || !vwmd || !vwnd)
        return false;
    return wgd % kwid == 0 && divides(wgd, mdimcd, vwmd) && divides(wgd, ndimcd, vwnd) &&
           divides(wgd, mdimad, vwmd) && divides(wgd, ndimbd, vwnd) && items % mdimad == 0 &&
           items % ndimbd == 0 && items / mdimad && items / ndimbd && wgd % (items / mdimad) == 0 &&
           wgd % (items / ndimbd) == 0 && items <= LAIP_GROUP_ITEMS &&
           4 * wgd * (2 * wgd + pada + padb) <= LAIP_GROUP_BYTES;
}

typedef struct trial {
    laip_mat a, b, c; /* [m, k], [n, k], [m, n] */
    float *expected, *got;
} trial;

/* One product as CLBlast stands now, waited for: seconds, or infinity where it fails. */
static double once(laip_device *d, const trial *t)
{
    double start = laip_seconds();
    size_t m = t->a.rows, n = t->b.rows, k = t->a.cols;
    CLBlastStatusCode code =
        CLBlastSgemm(CLBlastLayoutColMajor, CLBlastTransposeYes, CLBlastTransposeNo, n, m, k, 1, t->b.mem, 0,
                     k, t->a.mem, 0, k, 0, t->c.mem, 0, n, &d->queue, NULL);
    return code == CLBlastSuccess && clFinish(d->queue) == CL_SUCCESS ? laip_seconds() - start : INFINITY;
}

static double timed(laip_device *d, const trial *t)
{
    double best = once(d, t); /* compiles */
    if (isfinite(best))
        best = INFINITY;
    else
        return best;
    for (int i = 0; i < 3; i++)
        best = fmin(best, once(d, t));
    return best;
}

static bool correct(laip_device *d, const trial *t)
{
    size_t count = t->c.rows * t->c.cols;
    double difference = 0, size = 0;
    laip_mat_read(d, t->c, t->got);
    for (size_t i = 0; i < count; i++) {
        double gap = (double)t->got[i] - (double)t->expected[i];
        difference += gap * gap;
        size += (double)t->expected[i] * (double)t->expected[i];
    }
    return difference <= 1e-8 * size; /* false for what is no number */
}

static trial trial_make(laip_device *d, size_t m, size_t n, size_t k)
{
    trial t = {laip_mat_create(d, m, k), laip_mat_create(d, n, k), laip_mat_create(d, m, n), NULL, NULL};
    size_t most = m > n ? m : n;
    float *values = laip_alloc(most * k, sizeof *values);
    laip_rng r = laip_rng_stream(1, 0, 0, LAIP_SITE_TEST);
    for (size_t i = 0; i < most * k; i++)
        values[i] = (float)laip_rng_normal(&r);
    laip_mat_write(d, t.a, values);
    laip_mat_write(d, t.b, values);
    free(values);
    t.expected = laip_alloc(m * n, sizeof(float));
    t.got = laip_alloc(m * n, sizeof(float));
    return t;
}

static void trial_free(trial *t)
{
    laip_mem_release(t->a.mem);
    laip_mem_release(t->b.mem);
    laip_mem_release(t->c.mem);
    free(t->expected);
    free(t->got);
}

/* The next point to try: all parameters anew, or one of the best's changed. */
static void propose(const tunable *t, laip_rng *r, const size_t *best, bool near_best, size_t *values)
{
    do {
        size_t only = near_best ? laip_rng_below(r, (uint32_t)t->count) : t->count;
        for (size_t i = 0; i < t->count; i++)
            values[i] = near_best && i != only ? best[i]
                                               : t->values[i][laip_rng_below(r, (uint32_t)choices_of(t, i))];
    } while (!valid(t, values));
}

/* Searches one kernel's parameters with the size limit set so that it serves; the best are in force
 * afterwards. */
static void search(laip_device *d, laip_gemm_state *s, int which, double seconds, laip_tune_progress progress,
                   void *context)
{
    const tunable *t = &tunables[which];
    trial work = trial_make(d, which ? 256 : 1152, which ? 256 : 768, which ? 256 : 768);
    size_t values[MOST_PARAMETERS] = {0}, best[MOST_PARAMETERS] = {0}, limit = which ? 100000 : 1;
    override(d, &tunables[2], &limit);
    double start = laip_seconds(), first = timed(d, &work), fastest = first;
    laip_mat_read(d, work.c, work.expected);
    laip_rng r = laip_rng_stream(2, 0, 0, LAIP_SITE_TEST);
    double flops = 2 * (double)work.a.rows * (double)work.b.rows * (double)work.a.cols;
    int tries = 0;
    while (laip_seconds() - start < seconds && d->error.status == LAIP_OK) {
        propose(t, &r, best, s->tuned[which][0] && tries % 3 == 2, values);
        tries++;
        laip_mat_zero(d, work.c);
        if (!override(d, t, values))
            continue;
        double taken = timed(d, &work);
        if (taken < fastest && correct(d, &work)) {
            fastest = taken;
            memcpy(best, values, sizeof best);
            to_text(t, values, s->tuned[which]);
        }
        if (progress)
            progress(context, t->kernel, tries, 1e-9 * flops / first, 1e-9 * flops / fastest);
    }
    if (s->tuned[which][0])
        override(d, t, best);
    else
        CLBlastClearCache();
    trial_free(&work);
}

/* The side of the cube from which the packing kernel is the quicker, for CLBlast's rule m n k >= side³. */
static void search_limit(laip_device *d, laip_gemm_state *s)
{
    static const size_t sides[] = {64, 128, 256, 384, 512, 768, 1024};
    enum { SIDES = sizeof sides / sizeof *sides };
    double times[2][SIDES];
    for (size_t indirect = 0; indirect < 2; indirect++) {
        size_t limit = indirect ? 1 : 100000;
        override(d, &tunables[2], &limit);
        for (size_t i = 0; i < SIDES; i++) {
            trial t = trial_make(d, sides[i], sides[i], sides[i]);
            times[indirect][i] = timed(d, &t);
            trial_free(&t);
        }
    }
    size_t from = SIDES;
    while (from > 0 && times[1][from - 1] < times[0][from - 1])
        from--;
    size_t limit = from < SIDES ? sides[from] : 100000;
    override(d, &tunables[2], &limit);
    to_text(&tunables[2], &limit, s->tuned[2]);
}

bool laip_gemm_tune(laip_device *d, double seconds, laip_tune_progress progress, void *context,
                    laip_error *error)
{
    laip_gemm_state *s = laip_gemm_state_of(d);
    memset(s->tuned, 0, sizeof s->tuned);
    s->tuning_settled = s->tuning_applied = s->clblast_used = true;
    search(d, s, 0, seconds * 0.6, progress, context);
    search(d, s, 1, seconds * 0.3, progress, context);
    if (s->tuned[0][0] && s->tuned[1][0])
        search_limit(d, s);
    if (!laip_device_finish(d, error))
        return false;
    laip_str text = {0};
    laip_tuned_list(s, &text);
    char *path = laip_gemm_cache_path(d, "clblast"), *choices = laip_gemm_cache_path(d, "choices");
    laip_gemm_cache_save(path, &text);
    remove(choices); /* made with the parameters of before */
    laip_gemm_choices_free(&s->choices);
    laip_gemm_forget_serving(s);
    free(text.text);
    free(choices);
    free(path);
    return true;
}
