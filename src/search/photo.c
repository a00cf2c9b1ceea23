/* Decoded pictures. */
#include "search/engine.h"

#include <stdlib.h>
#include <string.h>

static laip_status give(laip_photo **photo, laip_image image)
{
    *photo = laip_alloc(1, sizeof **photo);
    (*photo)->image = image;
    return LAIP_OK;
}

laip_status laip_photo_open(laip_photo **photo, const char *path, laip_error *error)
{
    laip_image image;
    laip_error e;
    *photo = NULL;
    if (!laip_image_load(path, true, &image, &e))
        return laip_tell(false, &e, error);
    return give(photo, image);
}

laip_status laip_photo_decode(laip_photo **photo, const void *data, size_t size, const char *name,
                              laip_error *error)
{
    laip_image image;
    laip_error e;
    *photo = NULL;
    if (!laip_image_decode(data, size, name, true, &image, &e))
        return laip_tell(false, &e, error);
    return give(photo, image);
}

laip_status laip_photo_from_pixels(laip_photo **photo, const uint8_t *rgb, int width, int height,
                                   laip_error *error)
{
    laip_error e;
    *photo = NULL;
    if (width < 1 || height < 1 || (size_t)width * (size_t)height > LAIP_IMAGE_PIXELS) {
        laip_bad_input(&e, "a photo of %d x %d pixels, expected 1 to %d in all", width, height,
                       LAIP_IMAGE_PIXELS);
        return laip_tell(false, &e, error);
    }
    size_t bytes = 3 * (size_t)width * (size_t)height;
    laip_image image = {.pixels = laip_alloc(bytes, 1), .width = width, .height = height};
    memcpy(image.pixels, rgb, bytes);
    return give(photo, image);
}

laip_status laip_photo_thumbnail(const laip_photo *photo, int longest, void **data, size_t *size,
                                 laip_error *error)
{
    const laip_image *whole = &photo->image;
    int side = whole->width > whole->height ? whole->width : whole->height;
    laip_image small = *whole;
    laip_error e;
    unsigned char *jpeg = NULL;
    *data = NULL;
    if (longest < 1) {
        laip_bad_input(&e, "a thumbnail of %d pixels, expected 1 or more", longest);
        return laip_tell(false, &e, error);
    }
    if (side > longest) {
        double scale = (double)longest / side;
        int width = (int)(whole->width * scale + 0.5), height = (int)(whole->height * scale + 0.5);
        laip_image_resize(whole, height > 0 ? height : 1, width > 0 ? width : 1, &small);
    }
    bool good = laip_image_encode_jpeg(&small, 85, &jpeg, size, &e);
    if (small.pixels != whole->pixels)
        laip_image_free(&small);
    *data = jpeg;
    return laip_tell(good, &e, error);
}

void laip_photo_close(laip_photo *photo)
{
    if (photo)
        laip_image_free(&photo->image);
    free(photo);
}

int laip_photo_width(const laip_photo *photo)
{
    return photo->image.width;
}

int laip_photo_height(const laip_photo *photo)
{
    return photo->image.height;
}
