/* A pickle, read as one of a .pth's. */
#include "store/pickle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    laip_arena arena = {0};
    laip_pickle p;
    laip_error error;
    if (laip_pickle_read(data, size, "input", 0, &arena, &p, &error))
        laip_pickle_get(p.root, "model");
    laip_arena_free(&arena);
    return 0;
}
