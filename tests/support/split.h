/* What an evaluation needs: a drawn split of 18 pictures of six persons and 36 captions, made into tokens,
 * and a small model that tells them apart.  The same each time. */
#ifndef LAIP_TESTS_SUPPORT_SPLIT_H
#define LAIP_TESTS_SUPPORT_SPLIT_H

#include "data/texts.h"
#include "model/model.h"

typedef struct laip_test_split {
    char *folder;
    laip_dataset d;
    laip_texts texts;
    laip_model model; /* on laip_test_device */
} laip_test_split;

bool laip_test_split_open(laip_test_split *s, laip_error *error);
void laip_test_split_close(laip_test_split *s);

#endif
