/* laip-model: looks at weights, converts them, compares them. */
#include "programs/common_subcommands.h"
#include "programs/model.h"

#include <stddef.h>

static const laip_subcommand subcommands[] = {
    {"inspect", laip_model_inspect, "lists the tensors of a .pth or safetensors file"},
    {"convert", laip_model_convert,
     "to safetensors, in this program's names, for a config's grid of patches"},
    {"diff", laip_model_diff, "compares two files, tensor by tensor"},
    {NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    return laip_subcommands("laip-model", "Looks at weights, converts and compares them", subcommands, argc,
                            argv);
}
