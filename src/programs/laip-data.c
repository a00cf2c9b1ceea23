/* laip-data: everything one does with captions, pictures and annotation files before training. */
#include "programs/common_subcommands.h"
#include "programs/data.h"

#include <stddef.h>

static const laip_subcommand subcommands[] = {
    {"check", laip_data_check, "annotations and pictures of a dataset, all of them"},
    {"phrases", laip_data_phrases, "captions to their noun phrases"},
    {"pixels", laip_data_pixels, "a picture as training sees it, as a PPM file"},
    {"tags", laip_data_tags, "tokens to part-of-speech tags"},
    {"tokens", laip_data_tokens, "captions to token ids"},
    {"vocab", laip_data_vocab, "a vocabulary learned from captions"},
    {"synth", laip_data_synth, "draws pedestrians with captions, in CUHK-PEDES' layout"},
    {NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    return laip_subcommands("laip-data",
                            "Draws data sets, looks at them, and shows what the network sees of them",
                            subcommands, argc, argv);
}
