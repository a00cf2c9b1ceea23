/* Any bytes as a JPEG file: a picture of the size that it says, turned upright, or one line of bad input. */
#include "image/image.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A frame of more pixels than a few is left out: it is slow, and no other code. */
static bool is_large(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i + 9 <= size; i++)
        if (data[i] == 0xff && (data[i + 1] & 0xf0) == 0xc0) {
            unsigned height = (unsigned)data[i + 5] << 8 | data[i + 6];
            unsigned width = (unsigned)data[i + 7] << 8 | data[i + 8];
            if (height * (unsigned long)width > 1 << 16)
                return true;
        }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    laip_image image;
    laip_error error = {0};
    if (size < 2 || data[0] != 0xff || data[1] != 0xd8 || is_large(data, size))
        return 0;
    if (laip_image_decode(data, size, "input", true, &image, &error)) {
        uint64_t sum = 0;
        for (size_t i = 0; i < 3 * (size_t)image.width * (size_t)image.height; i++)
            sum += image.pixels[i];
        if (image.width < 1 || image.height < 1 || sum > 255 * 3 * (uint64_t)LAIP_IMAGE_PIXELS)
            abort();
    } else if (error.status != LAIP_BAD_INPUT || !*error.text || strchr(error.text, '\n') || image.pixels)
        abort();
    laip_image_free(&image);
    return 0;
}
