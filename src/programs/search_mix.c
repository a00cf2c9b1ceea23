/* Queries of several parts: a sentence and pictures, and what is not wanted, as one feature. */
#include "programs/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void search_part_parse(search_part *p, const char *text, bool picture, bool without)
{
    char *end;
    double weight = strtod(text, &end);
    bool given = end > text && *end == ':' && isfinite(weight) && weight > 0;
    *p = (search_part){.text = given ? end + 1 : text, .picture = picture, .weight = given ? weight : 1};
    if (without)
        p->weight = -p->weight;
}

static bool encode(search_session *s, const search_part *p, float *feature, laip_error *error)
{
    laip_photo *opened = NULL;
    if (!p->picture)
        return laip_encode_sentences(s->network, &p->text, 1, feature, error) == LAIP_OK;
    if (!p->photo && laip_photo_open(&opened, p->text, error) != LAIP_OK)
        return false;
    const laip_photo *photo = p->photo ? p->photo : opened;
    bool good = laip_encode_photos(s->network, &photo, 1, feature, error) == LAIP_OK;
    laip_photo_close(opened);
    return good;
}

bool search_parts_encode(search_session *s, const search_part *parts, size_t count, float *sum,
                         laip_error *error)
{
    laip_network_info info = {.size = sizeof info};
    laip_network_describe(s->network, &info);
    float *feature = calloc(info.embed + 1, sizeof *feature);
    if (!feature)
        abort();
    memset(sum, 0, info.embed * sizeof *sum);
    bool good = true;
    for (size_t i = 0; good && i < count; i++) {
        good = encode(s, &parts[i], feature, error);
        for (size_t k = 0; good && k < info.embed; k++)
            sum[k] += (float)parts[i].weight * feature[k];
    }
    free(feature);
    return good;
}

bool search_parts_add(float *feature, const float *sum, size_t embed, laip_error *error)
{
    double length = 0;
    for (size_t k = 0; k < embed; k++) {
        feature[k] += sum[k];
        length += (double)feature[k] * (double)feature[k];
    }
    length = sqrt(length);
    if (!(length > 1e-3))
        return search_fail(error, LAIP_BAD_INPUT, "the parts of the query cancel each other out");
    for (size_t k = 0; k < embed; k++)
        feature[k] = (float)(feature[k] / length);
    return true;
}
