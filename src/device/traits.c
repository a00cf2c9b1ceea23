/* What a device says of itself. */
#include "base/memory.h"
#include "device/device.h"
#include "device/internal.h"

#include <CL/cl_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* NVIDIA's numbers for the same, which not all headers have. */
enum { PCI_BUS_NV = 0x4008, PCI_SLOT_NV = 0x4009, PCI_DOMAIN_NV = 0x400A };
/* What the makers' extensions call the number of items that run together. */
enum { WARP_SIZE_NV = 0x4003, WAVEFRONT_WIDTH_AMD = 0x4043, SUB_GROUP_SIZES_INTEL = 0x4108 };

static void query_text(cl_device_id id, cl_device_info what, char *text, size_t size)
{
    text[0] = '\0';
    clGetDeviceInfo(id, what, size, text, NULL);
    text[size - 1] = '\0';
}

static bool query(cl_device_id id, cl_device_info what, size_t size, void *value)
{
    size_t returned = 0;
    return clGetDeviceInfo(id, what, size, value, &returned) == CL_SUCCESS && returned == size;
}

/* Its address on the PCI bus, by whichever extension tells it; "" where none does. */
static void query_pci(cl_device_id id, char *text, size_t size)
{
    cl_device_pci_bus_info_khr khr;
    cl_device_topology_amd amd;
    cl_uint bus, slot, domain = 0;
    text[0] = '\0';
    if (query(id, CL_DEVICE_PCI_BUS_INFO_KHR, sizeof khr, &khr))
        snprintf(text, size, "%04x:%02x:%02x.%x", khr.pci_domain, khr.pci_bus, khr.pci_device,
                 khr.pci_function);
    else if (query(id, CL_DEVICE_TOPOLOGY_AMD, sizeof amd, &amd) && amd.raw.type == 1)
        snprintf(text, size, "0000:%02x:%02x.%x", (unsigned char)amd.pcie.bus, (unsigned char)amd.pcie.device,
                 (unsigned char)amd.pcie.function);
    else if (query(id, PCI_BUS_NV, sizeof bus, &bus) && query(id, PCI_SLOT_NV, sizeof slot, &slot)) {
        query(id, PCI_DOMAIN_NV, sizeof domain, &domain);
        snprintf(text, size, "%04x:%02x:%02x.%x", domain, bus, slot >> 3, slot & 7);
    }
}

bool laip_has_extension(cl_device_id id, const char *name)
{
    size_t size = 0, length = strlen(name);
    if (clGetDeviceInfo(id, CL_DEVICE_EXTENSIONS, 0, NULL, &size) != CL_SUCCESS || !size)
        return false;
    char *all = laip_alloc(size + 1, 1);
    bool found = false;
    clGetDeviceInfo(id, CL_DEVICE_EXTENSIONS, size, all, NULL);
    for (const char *at = all; !found && (at = strstr(at, name)) != NULL; at += length)
        found = (at == all || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0');
    free(all);
    return found;
}

static void query_wave(cl_device_id id, laip_traits *t)
{
    size_t sizes[16], bytes = 0;
    cl_uint width = 0;
    if (laip_has_extension(id, "cl_intel_required_subgroup_size") &&
        clGetDeviceInfo(id, SUB_GROUP_SIZES_INTEL, sizeof sizes, sizes, &bytes) == CL_SUCCESS)
        for (size_t i = 0; i < bytes / sizeof *sizes; i++)
            t->sub_group = !t->sub_group || (int)sizes[i] < t->sub_group ? (int)sizes[i] : t->sub_group;
    t->wave = t->sub_group;
    if ((laip_has_extension(id, "cl_nv_device_attribute_query") &&
         query(id, WARP_SIZE_NV, sizeof width, &width)) ||
        (laip_has_extension(id, "cl_amd_device_attribute_query") &&
         query(id, WAVEFRONT_WIDTH_AMD, sizeof width, &width)))
        t->wave = (int)width;
}

bool laip_traits_query(cl_platform_id platform, cl_device_id id, laip_traits *t)
{
    cl_uint units = 0, alignment = 0, width = 0;
    cl_ulong memory = 0, largest = 0, local = 0;
    cl_bool unified = CL_FALSE;
    cl_device_type type = 0;
    memset(t, 0, sizeof *t);
    query_text(id, CL_DEVICE_NAME, t->name, sizeof t->name);
    query_text(id, CL_DRIVER_VERSION, t->driver, sizeof t->driver);
    query_text(id, CL_DEVICE_VERSION, t->version, sizeof t->version);
    query_pci(id, t->pci, sizeof t->pci);
    query_wave(id, t);
    bool good = clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof t->platform - 1, t->platform, NULL) ==
                    CL_SUCCESS &&
                query(id, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof units, &units) &&
                query(id, CL_DEVICE_GLOBAL_MEM_SIZE, sizeof memory, &memory) &&
                query(id, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof largest, &largest) &&
                query(id, CL_DEVICE_LOCAL_MEM_SIZE, sizeof local, &local) &&
                query(id, CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof t->group_limit, &t->group_limit) &&
                query(id, CL_DEVICE_MEM_BASE_ADDR_ALIGN, sizeof alignment, &alignment) &&
                query(id, CL_DEVICE_TYPE, sizeof type, &type) && units && memory && largest;
    (void)query(id, CL_DEVICE_HOST_UNIFIED_MEMORY, sizeof unified, &unified); /* deprecated: may be gone */
    t->units = (int)units;
    t->memory = memory;
    t->largest = largest;
    t->local_memory = local;
    t->alignment = alignment / 8 > 64 ? alignment / 8 : 64; /* reported in bits; at least a cache line */
    t->cpu = (type & CL_DEVICE_TYPE_CPU) != 0;
    t->host_memory = unified;
    /* A processor whose driver fills its lanes with work-items, as it does a GPU's (rusticl), says so by
     * native vectors of one float: it would take wide ones apart. */
    good = good && query(id, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, sizeof width, &width);
    /* LAIP_SHAPE=cpu or gpu makes one kind of device run the other's kernels, cpu4, cpu8 and cpu16 those for
     * such vectors: how all are tested everywhere. */
    const char *shape = getenv("LAIP_SHAPE");
    bool wide = shape ? strncmp(shape, "cpu", 3) == 0 : t->cpu && width > 1;
    int forced = wide && shape ? (int)strtol(shape + 3, NULL, 10) : 0, native = forced      ? forced
                                                                                : width > 1 ? (int)width
                                                                                            : 16;
    cl_ulong cache = 0;
    clGetDeviceInfo(id, CL_DEVICE_GLOBAL_MEM_CACHE_SIZE, sizeof cache, &cache, NULL);
    t->fixed_vector = forced;
    t->native_vector = forced ? forced : (int)width;
    t->cache = cache;
    t->lanes = wide ? 1 : 64;
    while (!wide && t->lanes < t->wave)
        t->lanes *= 2;
    t->vector = wide && native >= 16 ? 16 : wide && native >= 8 ? 8 : 4;
    return good;
}
