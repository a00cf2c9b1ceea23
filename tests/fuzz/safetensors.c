/* A safetensors file; all tensors are read as numbers. */
#include "store/safetensors.h"
#include "runner/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    FILE *file = laip_fuzz_file(data, size, path);
    laip_safetensors s;
    laip_error error;
    if (laip_safetensors_open(&s, path, &error)) {
        bool whole = laip_safetensors_load(&s, &error);
        for (size_t i = 0; whole && i < s.count; i++) {
            float *values = malloc((s.tensors[i].count + 1) * sizeof *values);
            (void)laip_tensor_floats(&s.tensors[i], values, &error);
            (void)laip_tensor_ints(&s.tensors[i], (int32_t *)values, &error);
            free(values);
        }
        laip_safetensors_close(&s);
    }
    fclose(file);
    return 0;
}
