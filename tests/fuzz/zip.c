/* A file of weights, whatever it is taken for: .pth in either form, or safetensors; all tensors are loaded.
 */
#include "runner/file.h"
#include "store/weights.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    FILE *file = laip_fuzz_file(data, size, path);
    laip_weights w;
    laip_error error;
    if (laip_weights_open(&w, path, &error)) {
        for (size_t i = 0; i < w.count; i++) {
            laip_tensor_entry t;
            if (w.tensors[i].count < 1 << 20) /* strides of 0 make many elements of one */
                (void)laip_weights_load(&w, i, &t, &error);
        }
        laip_weights_close(&w);
    }
    fclose(file);
    return 0;
}
