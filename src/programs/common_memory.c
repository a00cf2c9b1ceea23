#include "programs/common_memory.h"

#include "laip/laip.h"
#include <stdio.h>
#include <stdlib.h>

static void out_of_memory(size_t count, size_t size)
{
    fprintf(stderr, "laip: out of memory: %zu x %zu bytes wanted\n", count, size);
    exit(1);
}

void laip_exit_when_out_of_memory(void)
{
    laip_on_out_of_memory(out_of_memory);
}
