/* laip-data check: a dataset looked at whole before it is trained on. */
#include "base/log.h"
#include "base/str.h"
#include "config/config.h"
#include "data/check.h"
#include "programs/data.h"
#include "programs/data_check_report.h"
#include "programs/data_lines.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_IMAGES = 1, OPTION_JSON, OPTION_LIST, OPTION_MAX_TOKENS, OPTION_THREADS };

typedef struct arguments {
    const char *file, *images, *vocab;
    long list, max_tokens, threads; /* -1: not given */
    bool json;
} arguments;

static const struct argp_option options[] = {
    {"images", OPTION_IMAGES, "DIR", 0,
     "Folder of the pictures, or the one above imgs/ or images/ (else: the config's, or where the file is)",
     0},
    {"vocab", 'v', "FILE", 0, "Vocabulary to count tokens with (else: the config's; without one, words)", 0},
    {"max-tokens", OPTION_MAX_TOKENS, "N", 0, "Captions of more are over-long (the config's, or 50)", 0},
    {"list", OPTION_LIST, "N", 0, "Name at most N of each kind of trouble (20); --json names all", 0},
    {"json", OPTION_JSON, NULL, 0, "Write one JSON object", 0},
    {"threads", OPTION_THREADS, "N", 0, "Threads (one a core)", 0},
    {0}};

static const char documentation[] =
    "Reads all captions and decodes all pictures of a data set (the FOLDER of CUHK-PEDES, ICFG-PEDES or "
    "RSTPReid, "
    "ALBEF's and RaSa's lists, COCO captions; or its annotation FILE), or of the one that a CONFIG (.yaml) "
    "names, and "
    "reports what is wrong."
    "\vMissing and damaged pictures, and persons in two splits, make the exit status 2; pictures that are "
    "damaged within or there "
    "twice, captions that are empty or too long are only told.\n\n"
    "Examples:\n"
    "  laip-data check CUHK-PEDES --vocab vocab.txt\n"
    "  laip-data check configs/cuhk_pedes.yaml --json > report.json";

static long number(const char *text, long least, const char *name, struct argp_state *state)
{
    char *end;
    long n = strtol(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || n < least || n > 1000000000)
        argp_error(state, "--%s %s: a whole number from %ld on is expected", name, text, least);
    return n;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    arguments *a = state->input;
    switch (key) {
    case OPTION_IMAGES:
        a->images = text;
        return 0;
    case 'v':
        a->vocab = text;
        return 0;
    case OPTION_MAX_TOKENS:
        a->max_tokens = number(text, 1, "max-tokens", state);
        return 0;
    case OPTION_LIST:
        a->list = number(text, 0, "list", state);
        return 0;
    case OPTION_THREADS:
        a->threads = number(text, 0, "threads", state);
        return 0;
    case OPTION_JSON:
        a->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (a->file)
            argp_error(state, "one CONFIG, FOLDER or FILE is expected");
        a->file = text;
        return 0;
    case ARGP_KEY_END:
        if (!a->file)
            argp_error(state, "a CONFIG, the FOLDER of a data set or an annotation FILE is needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static bool is_config(const char *file)
{
    const char *dot = strrchr(file, '.');
    return dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

/* The vocabulary that was named, or one without words, by which every word is one token. */
static laip_tokenizer *open_vocab(const char *vocab, bool *words, laip_error *error)
{
    static const char *const none[] = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
    *words = !*vocab;
    return *vocab ? laip_tokenizer_load(vocab, error) : laip_tokenizer_from_words(none, 5, error);
}

static const char *if_any(const char *text)
{
    return *text ? text : NULL;
}

static bool check(const arguments *a, const laip_config *c, size_t *faults, laip_error *error)
{
    laip_dataset d;
    laip_check found;
    laip_check_report report = {.file = is_config(a->file) ? c->annotations : a->file,
                                .check = &found,
                                .list = a->list < 0 ? 20 : (size_t)a->list,
                                .max_tokens = (size_t)(a->max_tokens < 0 ? c->max_tokens : a->max_tokens)};
    laip_division division = {c->split_val, c->split_test, (uint64_t)c->split_seed, c->split_file};
    double start = laip_seconds();
    laip_check_options o = {.tokenize = {.rule = c->compat_captions && c->caption_rule == LAIP_RULE_ALBEF
                                                     ? LAIP_RULE_ORIGINAL
                                                     : (laip_caption_rule)c->caption_rule,
                                         .max_tokens = report.max_tokens,
                                         .sep = c->sep != 0},
                            .threads = a->threads < 0 ? c->threads : (int)a->threads};
    laip_tokenizer *t = open_vocab(a->vocab ? a->vocab : c->vocab, &report.words, error);
    laip_phraser *p =
        laip_phraser_create(if_any(c->tagger), if_any(c->grammar), if_any(c->generic_heads), error);
    bool good =
        t && p &&
        laip_dataset_read_divided(&d, report.file, a->images ? a->images : c->images, NULL, &division, error);
    report.skips = c->skip_bad_images != 0;
    if (good) {
        o.tokenizer = t;
        o.words = report.words;
        o.phraser = p;
        laip_check_run(&found, &d, &o);
        report.seconds = laip_seconds() - start;
        (a->json ? laip_check_print_json : laip_check_print)(&report);
        *faults = laip_check_faults(&found);
        laip_check_free(&found);
        laip_dataset_free(&d);
    }
    laip_tokenizer_free(t);
    laip_phraser_free(p);
    return good;
}

int laip_data_check(int argc, char **argv)
{
    static const struct argp argp = {options, parse, "CONFIG|FOLDER|FILE", documentation, NULL, NULL, NULL};
    arguments a = {.list = -1, .max_tokens = -1, .threads = -1};
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    laip_config config;
    laip_error error;
    size_t faults = 0;
    laip_config_defaults(&config);
    bool good = !is_config(a.file) || laip_config_read(&config, a.file, &error);
    if (good && is_config(a.file) && !*config.annotations)
        good = laip_bad_input(&error, "%s: data.annotations is empty, expected an annotation file", a.file);
    good = good && check(&a, &config, &faults, &error);
    laip_config_free(&config);
    int status = laip_data_end("check", good, &error);
    return status == 0 && faults ? LAIP_BAD_INPUT : status;
}
