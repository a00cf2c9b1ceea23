/* The devices of a node, and which of them a rank gets. */
#include "base/memory.h"
#include "device/device.h"
#include "device/internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool laip_candidates_find(laip_candidate **found, size_t *count, laip_error *error)
{
    cl_uint platforms = 0;
    *found = NULL;
    *count = 0;
    cl_int code = clGetPlatformIDs(0, NULL, &platforms);
    if (code != CL_SUCCESS || !platforms)
        return laip_failure(error, "clGetPlatformIDs: %s: no OpenCL platform is installed",
                            laip_cl_error_name(code));
    cl_platform_id *ids = laip_alloc(platforms, sizeof *ids);
    clGetPlatformIDs(platforms, ids, NULL);
    size_t capacity = 0;
    for (cl_uint p = 0; p < platforms; p++) {
        cl_uint n = 0;
        if (clGetDeviceIDs(ids[p], CL_DEVICE_TYPE_ALL, 0, NULL, &n) != CL_SUCCESS || !n)
            continue; /* a platform without devices is common and harmless */
        cl_device_id *devices = laip_alloc(n, sizeof *devices);
        clGetDeviceIDs(ids[p], CL_DEVICE_TYPE_ALL, n, devices, NULL);
        for (cl_uint i = 0; i < n; i++) {
            void *array = *found;
            laip_grow(&array, &capacity, *count + 1, sizeof **found);
            *found = array;
            laip_candidate *c = &(*found)[*count];
            *c = (laip_candidate){.platform = ids[p], .id = devices[i]};
            if (laip_traits_query(ids[p], devices[i], &c->traits) &&
                clGetDeviceInfo(devices[i], CL_DEVICE_TYPE, sizeof c->type, &c->type, NULL) == CL_SUCCESS)
                ++*count; /* one that cannot be asked cannot be used */
        }
        free(devices);
    }
    free(ids);
    return *count || laip_failure(error, "no OpenCL platform has a device");
}

static bool contains(const char *text, const char *part)
{
    size_t n = strlen(part);
    for (; *text; text++) {
        size_t i = 0;
        while (i < n && text[i] && tolower((unsigned char)text[i]) == tolower((unsigned char)part[i]))
            i++;
        if (i == n)
            return true;
    }
    return false;
}

static bool matches(const laip_candidate *c, size_t number, const char *choice, cl_device_type best)
{
    char *end;
    unsigned long wanted = strtoul(choice, &end, 10);
    if (isdigit((unsigned char)choice[0]) && !*end)
        return number == wanted;
    if (strcmp(choice, "auto") == 0)
        return (c->type & best) != 0;
    if (strcmp(choice, "gpu") == 0)
        return (c->type & CL_DEVICE_TYPE_GPU) != 0;
    if (strcmp(choice, "cpu") == 0)
        return (c->type & CL_DEVICE_TYPE_CPU) != 0;
    if (strcmp(choice, "accelerator") == 0)
        return (c->type & CL_DEVICE_TYPE_ACCELERATOR) != 0;
    return contains(c->traits.name, choice) || contains(c->traits.platform, choice);
}

static cl_device_type best_kind(const laip_candidate *all, size_t count)
{
    const cl_device_type kinds[] = {CL_DEVICE_TYPE_GPU, CL_DEVICE_TYPE_ACCELERATOR, CL_DEVICE_TYPE_CPU};
    cl_device_type best = 0;
    for (size_t k = 0; k < 3 && !best; k++)
        for (size_t i = 0; i < count; i++)
            best |= all[i].type & kinds[k];
    return best;
}

/* What auto, NULL and "" stand for: LAIP_DEVICE where it is set, else auto; any other choice is itself. */
static const char *meant(const char *choice)
{
    if (choice && *choice && strcmp(choice, "auto") != 0)
        return choice;
    const char *named = getenv("LAIP_DEVICE");
    return named && *named ? named : "auto";
}

static int opencl_version(const laip_traits *t)
{
    int major = 0, minor = 0;
    sscanf(t->version, "OpenCL %d.%d", &major, &minor);
    return 100 * major + minor;
}

bool laip_traits_same_device(const laip_traits *a, const laip_traits *b)
{
    return (a->cpu && b->cpu) || (*a->pci && strcmp(a->pci, b->pci) == 0);
}

/* Whether b is a's device through another vendor's platform, and the better one: with vectors where the other
 * fills lanes with work-items, then of a newer OpenCL, then found before. */
static bool supersedes(const laip_candidate *b, const laip_candidate *a)
{
    if (a->platform == b->platform || !laip_traits_same_device(&a->traits, &b->traits))
        return false; /* parts of one, on purpose */
    int wider = (b->traits.native_vector > 1) - (a->traits.native_vector > 1);
    int newer = opencl_version(&b->traits) - opencl_version(&a->traits);
    if (a->traits.cpu && wider)
        return wider > 0;
    return newer > 0 || (newer == 0 && b < a);
}

/* The candidates that fit, each device once, in the order of their places on the bus: platforms need not list
 * them to every process in the same order.  Returns how many. */
static size_t fitting(const laip_candidate *all, size_t count, const char *choice,
                      const laip_candidate **found)
{
    cl_device_type best = best_kind(all, count);
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        bool fits = matches(&all[i], i, choice, best);
        for (size_t j = 0; fits && j < count; j++)
            fits = !(matches(&all[j], j, choice, best) && supersedes(&all[j], &all[i]));
        if (!fits)
            continue;
        size_t at = n++;
        for (; at && strcmp(all[i].traits.pci, found[at - 1]->traits.pci) < 0; at--)
            found[at] = found[at - 1];
        found[at] = &all[i];
    }
    return n;
}

const laip_candidate *laip_candidate_choose(const laip_candidate *all, size_t count, const char *choice,
                                            int local_rank, laip_error *error)
{
    choice = meant(choice);
    const laip_candidate **found = laip_alloc(count, sizeof *found), *chosen = NULL;
    size_t n = fitting(all, count, choice, found), wanted = (size_t)(local_rank > 0 ? local_rank : 0);
    bool kind = strcmp(choice, "auto") == 0 || strcmp(choice, "gpu") == 0;
    if (!n) {
        char list[700] = "";
        for (size_t i = 0, used = 0; i < count && used < sizeof list; i++)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%zu (%s, %s)", i ? ", " : "", i,
                                     all[i].traits.name, all[i].traits.platform);
        laip_bad_input(error, "device %s: no such device; there are: %s", choice, list);
    } else if (kind && wanted >= n && !found[wanted % n]->traits.cpu)
        laip_bad_input(error,
                       "device %s: rank %d of this node finds %zu device%s, expected one for each rank;"
                       " name the device to share it",
                       choice, local_rank, n, n > 1 ? "s" : "");
    else
        chosen = found[wanted % n];
    free(found);
    return chosen;
}

bool laip_device_list(void (*each)(void *, int, int, const laip_traits *), void *context, laip_error *error)
{
    laip_candidate *all;
    size_t count;
    if (!laip_candidates_find(&all, &count, error))
        return false;
    const laip_candidate **given = laip_alloc(count, sizeof *given);
    size_t ranks = fitting(all, count, meant(NULL), given);
    for (size_t i = 0; i < count; i++) {
        int rank = -1;
        for (size_t r = 0; r < ranks; r++)
            rank = given[r] == &all[i] ? (int)r : rank;
        each(context, (int)i, rank, &all[i].traits);
    }
    free(given);
    free(all);
    return true;
}
