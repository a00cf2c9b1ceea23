/* Random changes of training pictures: parts, shifts, erasing, colours; RandAugment is in randaugment.c. */
#include "image/augment.h"

#include "base/memory.h"
#include "image/internal.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool within(const char *name, double value, double most, laip_error *error)
{
    return (value >= 0 && value <= most) ||
           laip_bad_input(error, "%s is %g, expected 0 to %g", name, value, most);
}

bool laip_augment_check(const laip_augment *a, laip_error *error)
{
    return within("resized_crop", (double)a->resized_crop, 1, error) &&
           within("flip", (double)a->flip, 1, error) && within("randaugment", a->randaugment, 16, error) &&
           within("magnitude", a->magnitude, 10, error) && within("jitter", (double)a->jitter, 1, error) &&
           within("hue", (double)a->hue, 0.5, error) && within("pad", a->pad, 1024, error) &&
           within("erasing", (double)a->erasing, 1, error);
}

static double between(laip_rng *rng, double low, double high)
{
    return low + (high - low) * laip_rng_uniform(rng);
}

void laip_augment_resize(const laip_augment *a, laip_rng *rng, const laip_image *in, int height, int width,
                         laip_image *out)
{
    enum { TRIES = 10 };
    double w = in->width, h = in->height;
    for (int i = 0; i < TRIES && a->resized_crop > 0 && a->resized_crop < 1; i++) {
        double share = between(rng, (double)a->resized_crop, 1);
        double ratio = sqrt(exp(between(rng, -log(4.0 / 3), log(4.0 / 3))));
        double side_w = sqrt(share) * ratio * w, side_h = sqrt(share) / ratio * h;
        if (side_w > w || side_h > h || side_w < 1 || side_h < 1)
            continue;
        double left = between(rng, 0, w - side_w), top = between(rng, 0, h - side_h);
        laip_image_resize_as((laip_pillow)a->pillow, in, left, top, side_w, side_h, height, width, out);
        return;
    }
    laip_image_resize_as((laip_pillow)a->pillow, in, 0, 0, w, h, height, width, out);
}

/* Each by a factor or an angle of its own, all drawn even where their range is nothing. */
static void jitter(laip_image *image, double strength, double hue, laip_rng *rng)
{
    float brightness = (float)between(rng, 1 - strength, 1 + strength);
    float contrast = (float)between(rng, 1 - strength, 1 + strength);
    float saturation = (float)between(rng, 1 - strength, 1 + strength);
    double turns = between(rng, -hue, hue);
    if (strength > 0) {
        laip_image_brightness(image, brightness);
        laip_image_contrast(image, contrast);
        laip_image_saturation(image, saturation);
    }
    if (hue > 0)
        laip_image_hue(image, turns);
}

/* Shifts the picture by up to pad pixels each way; what comes in from outside is black. */
static void pad_and_crop(laip_image *image, int pad, laip_rng *rng)
{
    int dx = (int)laip_rng_below(rng, 2 * (uint32_t)pad + 1) - pad;
    int dy = (int)laip_rng_below(rng, 2 * (uint32_t)pad + 1) - pad;
    int left = dx < 0 ? -dx : 0, count = image->width - abs(dx);
    size_t stride = 3 * (size_t)image->width;
    uint8_t *out = laip_alloc((size_t)image->height, stride);
    for (int y = 0; y < image->height; y++) {
        int from = y + dy;
        if (from >= 0 && from < image->height && count > 0)
            memcpy(out + (size_t)y * stride + 3 * (size_t)left,
                   image->pixels + (size_t)from * stride + 3 * (size_t)(left + dx), 3 * (size_t)count);
    }
    free(image->pixels);
    image->pixels = out;
}

/* A rectangle of the mean colour, so that it is about 0 once normalised (Zhong et al. 2020). */
static void erase(laip_image *image, laip_rng *rng)
{
    static const uint8_t mean[] = {123, 117, 104};
    enum { TRIES = 10 };
    double area = (double)image->width * image->height;
    for (int i = 0; i < TRIES; i++) {
        double share = between(rng, 0.02, 0.4), ratio = exp(between(rng, log(0.3), log(1 / 0.3)));
        int h = (int)floor(sqrt(share * area * ratio) + 0.5),
            w = (int)floor(sqrt(share * area / ratio) + 0.5);
        if (h < 1 || w < 1 || h > image->height || w > image->width)
            continue;
        int top = (int)laip_rng_below(rng, (uint32_t)(image->height - h) + 1);
        int left = (int)laip_rng_below(rng, (uint32_t)(image->width - w) + 1);
        for (int y = top; y < top + h; y++)
            for (int x = left; x < left + w; x++)
                memcpy(image->pixels + 3 * ((size_t)y * (size_t)image->width + (size_t)x), mean, 3);
        return;
    }
}

void laip_augment_apply(const laip_augment *a, laip_rng *rng, laip_image *image)
{
    if (a->flip > 0 && laip_rng_uniform(rng) < (double)a->flip)
        laip_image_flip(image);
    if (a->randaugment > 0)
        laip_randaugment(image, a->randaugment, a->magnitude, rng);
    if (a->jitter > 0 || a->hue > 0)
        jitter(image, (double)a->jitter, (double)a->hue, rng);
    if (a->pad > 0)
        pad_and_crop(image, a->pad, rng);
    if (a->erasing > 0 && laip_rng_uniform(rng) < (double)a->erasing)
        erase(image, rng);
}
