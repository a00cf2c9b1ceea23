/* find CHECKPOINT FOLDER SENTENCE: the five pictures of a folder that a sentence describes best.
 *
 *   cc find.c $(pkg-config --cflags --libs laip) -o find */
#include <laip/laip.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    laip_engine *engine = NULL;
    laip_network *network = NULL;
    laip_index *index = NULL;
    laip_network_info info = {.size = sizeof info};
    laip_hit hits[5];
    laip_error error;
    size_t found = 0;
    if (argc != 4)
        return fprintf(stderr, "usage: find CHECKPOINT FOLDER SENTENCE\n"), 2;
    const char *sentence = argv[3];
    laip_status status = laip_engine_open(&engine, NULL, &error);
    if (!status)
        status = laip_network_open(&network, engine, argv[1], NULL, &error);
    if (!status)
        status = laip_index_create(&index, network, argv[2], &error);
    if (!status)
        status = laip_index_update(index, network, NULL, NULL, &error);
    if (!status) {
        laip_network_describe(network, &info);
        float *feature = malloc(info.embed * sizeof *feature);
        status = laip_encode_sentences(network, &sentence, 1, feature, &error);
        if (!status)
            status = laip_index_search(index, network, feature, 1, 5, hits, &found, &error);
        free(feature);
    }
    for (size_t i = 0; !status && i < found; i++)
        printf("%.3f  %s/%s\n", (double)hits[i].score, argv[2], laip_index_name(index, hits[i].picture, 0));
    if (status)
        fprintf(stderr, "%s\n", error.text);
    laip_index_close(index);
    laip_network_close(network);
    laip_engine_close(engine);
    return (int)status;
}
