/* Prints what LAIP_GEMM is to be for products that need no measuring first on the device that tests run on.
 */
#include "device/device.h"

#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    laip_device *device;
    laip_error error;
    if (!laip_device_open(&device, getenv("LAIP_DEVICE"), 0, &error)) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    puts(laip_device_traits(device)->lanes == 1 ? "packed" : "clblast");
    laip_device_close(device);
    return 0;
}
