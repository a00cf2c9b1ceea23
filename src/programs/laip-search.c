/* laip-search: pictures of a folder found by sentences. */
#include "programs/common_subcommands.h"
#include "programs/search.h"

#include <stddef.h>

int main(int argc, char **argv)
{
    static const laip_subcommand subcommands[] = {
        {"index", laip_search_index, "makes the index of a folder of pictures, or brings it up to date"},
        {"query", laip_search_query, "finds pictures for a sentence, or like a picture"},
        {"serve", laip_search_serve, "serves a page to search with, on this machine"},
        {NULL, NULL, NULL}};
    return laip_subcommands("laip-search", "Finds the pictures of a folder that a sentence describes",
                            subcommands, argc, argv);
}
