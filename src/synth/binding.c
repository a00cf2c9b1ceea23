#include "synth/binding.h"

#include "base/file.h"
#include "base/memory.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static json_t *persons_json(const laip_member *members, int persons)
{
    json_t *list = json_array();
    for (int i = 0; i < persons; i++)
        json_array_append_new(list, json_pack("{s:i,s:i,s:i,s:b}", "id", i + 1, "family", members[i].family,
                                              "member", members[i].member, "unseen", members[i].unseen));
    return list;
}

static json_t *boxes_json(const laip_synth_options *o, const laip_member *members, int persons)
{
    json_t *all = json_object();
    for (int i = 0; i < persons; i++)
        for (int k = 0; k < o->images; k++) {
            char name[64];
            double box[LAIP_BOUNDS][4];
            json_t *boxes = json_object();
            laip_view v = laip_bound_view(o->seed, (uint64_t)i, (uint64_t)k);
            laip_person_boxes(&members[i].person, &v, box);
            laip_synth_file_name(name, sizeof name, (uint64_t)i, k);
            for (int b = 0; b < LAIP_BOUNDS; b++)
                json_object_set_new(boxes, laip_bound_names[b],
                                    json_pack("[f,f,f,f]", box[b][0], box[b][1], box[b][2], box[b][3]));
            json_object_set_new(all, name, boxes);
        }
    return all;
}

static json_t *unseen_json(uint64_t seed)
{
    json_t *list = json_array();
    for (int a = 0; a < LAIP_COLOURS; a++)
        for (int b = 0; b < LAIP_COLOURS; b++)
            if (laip_pair_unseen(seed, a, b))
                json_array_append_new(list, json_pack("[s,s]", laip_colours[a].name, laip_colours[b].name));
    return list;
}

/* Of the captions of a gallery of test. */
static void gallery_ceilings(const laip_synth_options *o, const laip_member *members, const laip_said *said,
                             int first, int persons, laip_ceiling *ceilings)
{
    size_t each = (size_t)o->images * LAIP_SYNTH_CAPTIONS, count = (size_t)persons * each;
    laip_reading *captions = laip_alloc(count, sizeof *captions);
    for (size_t i = 0; i < count; i++)
        captions[i] = (laip_reading){i / each, said[(size_t)first * each + i]};
    laip_ceilings(members + first, (size_t)persons, captions, count, ceilings);
    free(captions);
}

static json_t *ceilings_json(const laip_synth_options *o, const laip_member *members, const laip_said *said)
{
    int galleries = o->galleries < 1 ? 1 : o->galleries, persons = o->test / galleries,
        first = o->persons + o->val;
    laip_ceiling mean[LAIP_READERS] = {{0}};
    json_t *readers = json_object();
    for (int g = 0; persons && g < galleries; g++) {
        laip_ceiling one[LAIP_READERS];
        gallery_ceilings(o, members, said, first + g * persons, persons, one);
        for (int r = 0; r < LAIP_READERS; r++) {
            mean[r].r1 += one[r].r1 / galleries;
            mean[r].family += one[r].family / galleries;
        }
    }
    for (int r = 0; persons && r < LAIP_READERS; r++)
        json_object_set_new(readers, laip_reader_names[r],
                            json_pack("{s:f,s:f}", "R@1", mean[r].r1, "family", mean[r].family));
    return readers;
}

bool laip_binding_write(const laip_synth_options *o, const laip_member *members, const laip_said *said,
                        laip_error *error)
{
    int persons = o->persons + o->val + o->test;
    json_t *all =
        json_pack("{s:s,s:o,s:o,s:o,s:o}", "kind", o->kind == LAIP_SYNTH_CONTROL ? "control" : "bind",
                  "ceilings", ceilings_json(o, members, said), "unseen_pairs", unseen_json(o->seed),
                  "persons", persons_json(members, persons), "boxes", boxes_json(o, members, persons));
    char *text = json_dumps(all, JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(6)),
         *path = laip_path_join(o->folder, "binding.json");
    bool good = laip_file_write(path, text, strlen(text), error);
    json_decref(all);
    free(text);
    free(path);
    return good;
}
