/* laip-data synth: draws pedestrians and describes them. */
#include "base/log.h"
#include "programs/data.h"
#include "synth/synth.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

enum { PERSONS = 256, VAL, TEST, IMAGES, SEED, THREADS, BIND, CONTROL, SINGLES, GALLERIES };

static error_t parse(int key, char *argument, struct argp_state *state)
{
    laip_synth_options *o = state->input;
    char *end = NULL;
    long value = argument && key != ARGP_KEY_ARG ? strtol(argument, &end, 10) : 0;
    if (end && (*end || end == argument || value < 0 || value > 100000000))
        argp_error(state, "%s: expected a whole number", argument);
    switch (key) {
    case PERSONS:
        o->persons = (int)value;
        return 0;
    case VAL:
        o->val = (int)value;
        return 0;
    case TEST:
        o->test = (int)value;
        return 0;
    case IMAGES:
        o->images = (int)value;
        return 0;
    case SEED:
        o->seed = (uint64_t)value;
        return 0;
    case THREADS:
        o->threads = (int)value;
        return 0;
    case BIND:
        o->kind = LAIP_SYNTH_BIND;
        return 0;
    case CONTROL:
        o->kind = LAIP_SYNTH_CONTROL;
        return 0;
    case SINGLES:
        o->singles = true;
        return 0;
    case GALLERIES:
        o->galleries = (int)value;
        return 0;
    case ARGP_KEY_ARG:
        if (o->folder)
            argp_usage(state);
        o->folder = argument;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_usage(state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int laip_data_synth(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"persons", PERSONS, "N", 0, "Persons of the train split (800)", 0},
        {"val", VAL, "N", 0, "Persons of the val split (100)", 0},
        {"test", TEST, "N", 0, "Persons of the test split (200)", 0},
        {"images-per-person", IMAGES, "K", 0, "Pictures of each person (3)", 0},
        {"seed", SEED, "S", 0, "The same seed draws the same bytes (1)", 0},
        {"threads", THREADS, "N", 0, "Threads (one a core)", 0},
        {"bind", BIND, NULL, 0,
         "Families of four who differ only in which thing has which colour: upper against lower garment, hat "
         "against bag",
         1},
        {"control", CONTROL, NULL, 0, "Families of four who differ by colours that none of the others wears",
         1},
        {"singles", SINGLES, NULL, 0,
         "Train has one member of each family: no two of its persons share a bag of words", 1},
        {"galleries", GALLERIES, "N", 0,
         "Divides the families of test into the splits test1 to testN (1: test)", 1},
        {0}};
    static const struct argp argp = {
        options,
        parse,
        "DIR",
        "Draws pedestrians and writes them with two captions a picture to DIR, in the layout of CUHK-PEDES: "
        "DIR/reid_raw.json and pictures under DIR/imgs.\v"
        "A third of the persons are near-duplicates of another in all but one or two things; families "
        "(--bind, "
        "--control) come with DIR/binding.json: who belongs together, boxes, and what readers can reach.  "
        "Examples:\n\n"
        "  laip-data synth people --persons 800 --images-per-person 3 --seed 1\n"
        "  laip-data synth families --bind --persons 2400 --val 200 --test 1000 --galleries 5",
        NULL,
        NULL,
        NULL};
    laip_synth_options o = {.persons = 800, .val = 100, .test = 200, .images = 3, .seed = 1, .galleries = 1};
    laip_error error;
    argp_err_exit_status = 2;
    argp_parse(&argp, argc, argv, 0, NULL, &o);
    double start = laip_seconds();
    if (!laip_synth_write(&o, &error)) {
        fprintf(stderr, "laip-data synth: %s\n", error.text);
        return error.status;
    }
    printf("%s: %d persons (%d train, %d val, %d test), %d pictures, %.1f s\n", o.folder,
           o.persons + o.val + o.test, o.persons, o.val, o.test, (o.persons + o.val + o.test) * o.images,
           laip_seconds() - start);
    if (o.kind != LAIP_SYNTH_PERSONS)
        printf("%s/binding.json says who belongs together, where what is bound is drawn, and what readers "
               "can reach\n",
               o.folder);
    return 0;
}
