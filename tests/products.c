/* Prints what LAIP_GEMM is to be for laip_test_products. */
#include "support/test.h"

#include "support/device.h"
#include <stdio.h>

int main(void)
{
    puts(laip_test_products(laip_test_device()));
    laip_test_device_close();
    return 0;
}
