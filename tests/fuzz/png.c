/* Any bytes as the chunks of a PNG file, their check sums put right first so that what is behind them is
 * reached: a picture of the size that it says, turned upright, or one line of bad input. */
#include "image/image.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* A last byte that is odd leaves the check sums as they are. */
static void mend(uint8_t *data, size_t size)
{
    for (size_t at = 8; size - at >= 12;) {
        size_t length = be32(data + at);
        if (length > size - at - 12)
            return;
        uLong sum = crc32(0, data + at + 4, (uInt)length + 4);
        for (int i = 0; i < 4; i++)
            data[at + 8 + length + (size_t)i] = (uint8_t)(sum >> (24 - 8 * i));
        at += 12 + length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    laip_image image;
    laip_error error = {0};
    /* Frames of more pixels than a few are left out: they are slow, and no other code. */
    if (size < 33 || be32(data + 16) > 4096 || be32(data + 20) > 4096 ||
        (uint64_t)be32(data + 16) * be32(data + 20) > 1 << 16)
        return 0;
    uint8_t *copy = malloc(size);
    memcpy(copy, data, size);
    if (data[size - 1] % 2 == 0)
        mend(copy, size);
    if (laip_image_decode(copy, size, "input", true, &image, &error)) {
        uint64_t sum = 0;
        for (size_t i = 0; i < 3 * (size_t)image.width * (size_t)image.height; i++)
            sum += image.pixels[i];
        if (image.width < 1 || image.height < 1 || sum > 255 * 3 * (uint64_t)LAIP_IMAGE_PIXELS)
            abort();
    } else if (error.status != LAIP_BAD_INPUT || !*error.text || strchr(error.text, '\n') || image.pixels)
        abort();
    laip_image_free(&image);
    free(copy);
    return 0;
}
