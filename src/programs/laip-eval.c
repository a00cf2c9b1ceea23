/* laip-eval: R@1, R@5, R@10 and mAP of a checkpoint on a split. */
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/str.h"
#include "config/corpus.h"
#include "eval/binding.h"
#include "eval/scores.h"
#include "ops/gemm/gemm.h"
#include "ops/matrix_unit.h"
#include "programs/common_memory.h"
#include "programs/eval_report.h"
#include "report/contact_sheet.h"
#include "report/eval_page.h"
#include "report/family_figure.h"
#include "store/checkpoint.h"
#include "synth/family.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHECKPOINT = 256,
    DATA,
    IMAGES,
    SPLIT,
    K,
    JSON,
    CHANCE,
    LABEL,
    SHOW,
    DEVICE,
    CONFIG,
    VOCAB,
    PLAN,
    GEMM,
    STORAGE,
    PRECISION,
    UNTRAINED,
    CONTACT_SHEET,
    REPORT,
    ORDER,
    ATTENTION,
    FAMILY_FIGURE,
    FAMILY,
    WEIGHT,
    IMAGE_CACHE,
    KEY,
    SCORES,
    SET
};

enum { SETTINGS = 64 };

typedef struct arguments {
    const char *checkpoint, *data, *images, *split, *label, *device, *config, *vocab, *gemm, *contact_sheet,
        *report, *storage, *precision, *order, *key, *scores, *family_figure;
    const char *settings[SETTINGS];
    int setting_count;
    long k, show, attention, image_cache; /* image_cache below 0: as much as it takes by itself */
    long family;                          /* below 0: the first of the split */
    float weight;                         /* below 0: the config's */
    bool json, chance, plan, untrained;
} arguments;

static void parse_number(const char *text, long *value, const struct argp_state *state)
{
    char *end;
    *value = strtol(text, &end, 10);
    if (*end || end == text || *value < 0)
        argp_error(state, "%s: expected a whole number", text);
}

/* What options say together. */
static void check_arguments(const arguments *a, const struct argp_state *state)
{
    if (a->order && strcmp(a->order, "matching") != 0 && strcmp(a->order, "both") != 0)
        argp_error(state, "--order %s: expected matching or both", a->order);
    if (a->family >= 0 && !a->family_figure)
        argp_error(state, "--family: expected --family-figure with it");
    if (!a->checkpoint || !a->data)
        argp_error(state, "--checkpoint and --data are needed");
}

/* An option that is a text, a flag or a whole number; false: it is another. */
static bool take(arguments *a, int key, const char *text, const struct argp_state *state)
{
    const struct {
        int key;
        const char **field;
    } texts[] = {{CHECKPOINT, &a->checkpoint},
                 {DATA, &a->data},
                 {IMAGES, &a->images},
                 {SPLIT, &a->split},
                 {LABEL, &a->label},
                 {DEVICE, &a->device},
                 {CONFIG, &a->config},
                 {VOCAB, &a->vocab},
                 {GEMM, &a->gemm},
                 {CONTACT_SHEET, &a->contact_sheet},
                 {STORAGE, &a->storage},
                 {PRECISION, &a->precision},
                 {REPORT, &a->report},
                 {ORDER, &a->order},
                 {KEY, &a->key},
                 {SCORES, &a->scores},
                 {FAMILY_FIGURE, &a->family_figure}};
    const struct {
        int key;
        long *field;
    } numbers[] = {{K, &a->k},
                   {SHOW, &a->show},
                   {ATTENTION, &a->attention},
                   {IMAGE_CACHE, &a->image_cache},
                   {FAMILY, &a->family}};
    const struct {
        int key;
        bool *field;
    } flags[] = {{JSON, &a->json}, {CHANCE, &a->chance}, {PLAN, &a->plan}, {UNTRAINED, &a->untrained}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].key == key) {
            *texts[i].field = text;
            return true;
        }
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (flags[i].key == key) {
            *flags[i].field = true;
            return true;
        }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i].key == key) {
            parse_number(text, numbers[i].field, state);
            return true;
        }
    return false;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    arguments *a = state->input;
    if (take(a, key, text, state))
        return 0;
    if (key == SET) {
        if (a->setting_count == SETTINGS)
            argp_error(state, "--set: expected at most %d of them", SETTINGS);
        a->settings[a->setting_count++] = text;
        return 0;
    }
    if (key == WEIGHT) {
        char *end;
        a->weight = strtof(text, &end);
        if (*end || end == text || !(a->weight >= 0))
            argp_error(state, "%s: expected a number of at least 0", text);
        return 0;
    }
    if (key == ARGP_KEY_ARG)
        argp_usage(state);
    if (key == ARGP_KEY_END)
        check_arguments(a, state);
    return key == ARGP_KEY_END || key == ARGP_KEY_NO_ARGS ? 0 : ARGP_ERR_UNKNOWN;
}

typedef struct session {
    laip_config config;
    laip_corpus corpus;
    laip_split split;
    laip_device *device;
    laip_model model;
    laip_evaluation result;
    laip_attention_reader attention;
    laip_binding binding; /* of drawn families; none elsewhere */
    laip_example example; /* of --family-figure */
} session;

static bool load_config(session *s, const arguments *a, char **vocab, laip_error *error)
{
    char *text = NULL;
    laip_checkpoint_notes notes;
    laip_config_defaults(&s->config);
    *vocab = NULL;
    if (a->config) {
        size_t size;
        return laip_config_read(&s->config, a->config, error) &&
               (!a->vocab || laip_file_read(a->vocab, vocab, &size, error));
    }
    bool good = laip_checkpoint_notes_read(a->checkpoint, &text, vocab, &notes, error) &&
                laip_config_parse(&s->config, a->checkpoint, text, error);
    free(text);
    return good;
}

static bool change_config(session *s, const arguments *a, laip_error *error)
{
    for (int i = 0; i < a->setting_count; i++)
        if (!laip_config_set(&s->config, a->settings[i], error))
            return false;
    return true;
}

/* As the run had it, or as an option says. */
static bool choose(session *s, const char *setting, const char *value, laip_error *error)
{
    laip_str text = {0};
    if (!value)
        return true;
    laip_str_addf(&text, "%s=%s", setting, value);
    bool good = laip_config_set(&s->config, text.text, error);
    free(text.text);
    return good;
}

static bool load_weights(session *s, const arguments *a, laip_error *error)
{
    if (!a->untrained)
        return laip_checkpoint_load(a->checkpoint, a->key, &s->model, "", error);
    laip_params_initialise(&s->model.params, &s->model.table, (uint64_t)s->config.seed, s->config.deviation,
                           s->config.loss.temperature);
    return laip_device_ok(s->model.device, error);
}

static bool print_plan(session *s, laip_reranking how, laip_error *error)
{
    const laip_traits *t = laip_device_traits(s->device);
    size_t host, weights, buffers;
    s->model.device = s->device;
    weights = laip_model_bytes(&s->model, s->device);
    buffers = laip_evaluation_bytes(&s->model, &s->split.dataset, &s->split.texts, how, &host);
    printf("device                    %s (%s), %.2f GiB\n", t->name, t->platform,
           (double)t->memory / (1 << 30));
    printf("weights                                       %14zu bytes\n", weights);
    printf("buffers                                       %14zu bytes\n", buffers);
    printf("weights kept packed, on a CPU device, up to   %14zu bytes\n", weights);
    printf("in all                                        %14zu bytes, %.2f GiB\n", 2 * weights + buffers,
           (double)(2 * weights + buffers) / (1 << 30));
    printf("on the host: features, states of captions, scores %10zu bytes\n", host);
    return laip_device_ok(s->device, error);
}

/* With the curve of the run that the checkpoint lies in. */
static bool draw_contact_sheet(const session *s, const arguments *a, laip_error *error)
{
    const char *slash = strrchr(a->checkpoint, '/');
    char *folder = laip_strndup(a->checkpoint, slash ? (size_t)(slash - a->checkpoint) : 0);
    char *metrics = laip_path_join(slash ? folder : ".", "metrics.jsonl");
    laip_curve curve = laip_curve_read(metrics);
    bool good = laip_contact_sheet_write(a->contact_sheet, &s->result, &s->split.dataset,
                                         a->show ? (size_t)a->show : 8, &curve, error);
    laip_curve_free(&curve);
    free(metrics);
    free(folder);
    return good;
}

/* All that the result is written to. */
static bool tell(session *s, const arguments *a, const laip_reranking *how, laip_error *error)
{
    if (a->chance)
        s->result.chance = laip_metrics_chance(s->result.queries, s->result.gallery, s->result.query_person,
                                               s->result.gallery_person);
    laip_eval_results report = {.evaluation = &s->result,
                                .dataset = &s->split.dataset,
                                .binding = &s->binding,
                                .device = s->device,
                                .checkpoint = a->checkpoint,
                                .split = a->split,
                                .label = a->label,
                                .k = (size_t)a->k,
                                .fused = how->fused,
                                .chance = a->chance};
    laip_attention_share shares[LAIP_BOUNDS];
    bool good = true;
    if (a->report || a->family_figure || (a->attention && s->binding.count))
        good = laip_attention_reader_open(&s->attention, &s->model, &s->config.loss, &s->split.dataset,
                                          &s->split.texts, s->corpus.tokenizer, error);
    if (good && a->attention && s->binding.count) {
        good = laip_attention_shares(&s->attention, &s->binding, (size_t)a->attention, shares, error);
        report.shares = shares;
    }
    if (good && a->json)
        laip_eval_report_json(&report);
    else if (good)
        laip_eval_report(&report, a->show);
    if (good && a->report)
        good = laip_eval_page_write(&(laip_eval_page){.folder = a->report,
                                                      .checkpoint = a->checkpoint,
                                                      .split = a->split,
                                                      .evaluation = &s->result,
                                                      .dataset = &s->split.dataset,
                                                      .attention = &s->attention,
                                                      .k = how->k,
                                                      .fused = how->fused,
                                                      .count = a->show ? (size_t)a->show : 8},
                                    error);
    if (good && a->report)
        laip_note("%s/index.html shows it", a->report);
    if (good && a->scores)
        good = laip_scores_write(a->scores, &s->result, &s->split.dataset, &s->split.texts, error);
    if (good && a->family_figure)
        good = laip_example_score(&s->example, &s->model, &s->split.dataset, &s->split.texts, error) &&
               laip_family_figure_write(a->family_figure, &s->example, &s->attention, error);
    return good && (!a->contact_sheet || draw_contact_sheet(s, a, error));
}

static bool execute(session *s, arguments *a, const laip_ranks *ranks, laip_error *error)
{
    char *vocab;
    bool good = load_config(s, a, &vocab, error) && change_config(s, a, error) &&
                choose(s, "storage", a->storage, error) && choose(s, "precision", a->precision, error);
    if (good && !a->split)
        a->split = s->config.test_split;
    good = good && laip_corpus_open(&s->corpus, &s->config, vocab, error) &&
           laip_split_open(&s->split, &s->corpus, &s->config, a->data, a->images, a->split,
                           a->report || a->attention || a->family_figure, error) &&
           laip_binding_read(&s->binding, s->split.dataset.file, error);
    free(vocab);
    if (good && !s->split.dataset.caption_count)
        good = laip_bad_input(error, "%s: has no split %s", a->data, a->split);
    if (good && a->family_figure)
        good = laip_example_choose(&s->example, &s->binding, &s->split.dataset, &s->split.texts,
                                   s->corpus.tokenizer, a->family, error);
    laip_reranking how = {(size_t)a->k,
                          a->order ? strcmp(a->order, "both") == 0 : s->config.eval_fused,
                          a->weight < 0 ? s->config.eval_weight : a->weight,
                          a->scores != NULL,
                          s->config.compat_tail != 0,
                          laip_evaluation_image_cache()};
    if (a->image_cache >= 0)
        how.image_cache = (size_t)a->image_cache << 20;
    good = good && laip_device_open(&s->device, a->device, ranks->local_rank, error);
    const char *gemm = a->gemm ? a->gemm : s->config.gemm;
    if (good)
        laip_precision_set(s->device, (laip_precision)s->config.precision);
    if (good && strcmp(gemm, "auto") != 0)
        laip_gemm_force(s->device, gemm);
    if (good && a->plan)
        return laip_model_declare(&s->model, &s->config.model, false, error) && print_plan(s, how, error);
    good = good && laip_model_create(&s->model, s->device, &s->config.model, false, error) &&
           load_weights(s, a, error) &&
           laip_evaluate(&s->model, &s->split.dataset, &s->split.texts, how, s->config.threads, ranks,
                         &s->result, error);
    laip_progress_end();
    if (good && ranks->rank) /* rank 0 tells */
        return true;
    return good && tell(s, a, &how, error);
}

int main(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"checkpoint", CHECKPOINT, "F", 0, "Weights: best.safetensors of a run", 0},
        {"key", KEY, "KEY", 0, "Dictionary to take of a .pth that holds several: model_ema (the usual one)",
         0},
        {"data", DATA, "D", 0, "Annotation file, or the folder of a dataset", 0},
        {"images", IMAGES, "DIR", 0, "Folder of pictures (found beside the annotations)", 0},
        {"split", SPLIT, "NAME", 0, "Split to evaluate on (the config's test_split: test)", 0},
        {"k", K, "N", 0, "Candidates that are re-ranked; 0: features only (128)", 0},
        {"order", ORDER, "BY", 0,
         "In which the pictures are shown: matching or both (as the run's eval.fused says)", 0},
        {"weight", WEIGHT, "W", 0, "Of matching in the order by both (as the run's eval.weight says: 0.5)",
         0},
        {"image-cache", IMAGE_CACHE, "MB", 0,
         "For encoded pictures, which else are encoded twice (a quarter of the memory)", 0},
        {"device", DEVICE, "D", 0, "Number, kind (gpu, cpu), part of a name, or auto", 0},
        {"gemm", GEMM, "WHICH", 0, LAIP_GEMM_NAMES " (as the run's config says)", 0},
        {"storage", STORAGE, "HOW", 0,
         "Of weights and activations: float, half or bfloat16 (as the run's config says)", 0},
        {"precision", PRECISION, "P", 0,
         "Of products and attention on matrix units: fp32, tf32, bf16 or fp16 (as the run's config says)", 0},
        {"config", CONFIG, "FILE", 0, "Configuration, where the checkpoint has none of its own", 0},
        {"vocab", VOCAB, "FILE", 0, "Vocabulary, with --config", 0},
        {"set", SET, "KEY=VALUE", 0, "Changes a setting of the configuration: compat.pillow=12", 0},
        {"scores", SCORES, "FILE.safetensors", 0,
         "Writes features, similarities, candidates with their matching logits, persons and tokens", 0},
        {"json", JSON, NULL, 0, "Prints JSON", 0},
        {"chance", CHANCE, NULL, 0, "Prints also what a random order gives", 0},
        {"label", LABEL, "TEXT", 0, "Begins the lines of the table", 0},
        {"show", SHOW, "N", 0, "Prints N captions with the five best pictures", 0},
        {"contact-sheet", CONTACT_SHEET, "FILE.png", 0,
         "Draws --show N captions (8) with their best pictures, and the curve of the run", 0},
        {"report", REPORT, "DIR", 0,
         "Writes DIR/index.html: metrics, the recall curve, and the --show N captions (8) answered best, "
         "worst and "
         "drawn at random, with their best pictures",
         0},
        {"attention", ATTENTION, "N", 0,
         "Of drawn families, prints what share of N captions' attention falls into the box of what a phrase "
         "names",
         0},
        {"family-figure", FAMILY_FIGURE, "FILE.png", 0,
         "Draws the four of a drawn family with a caption of one: scores of each, and where the caption's "
         "phrases look",
         0},
        {"family", FAMILY, "N", 0, "Which family --family-figure draws (the first of the split)", 0},
        {"untrained", UNTRAINED, NULL, 0, "Evaluates the weights that the run began with, from its seed", 0},
        {"plan", PLAN, NULL, 0, "Prints what memory it will take, and ends", 0},
        {0}};
    static const struct argp argp = {
        options,
        parse,
        NULL,
        "Evaluates a checkpoint: for every caption of the split, all of the split's pictures are ranked by "
        "their features, and the k best again: by the matching head alone, as the paper does it, and by "
        "both, W times the matching head's log-odds plus the cosine over the temperature; alone, or under "
        "mpirun with one rank a device.\v"
        "Example:\n\n  laip-eval --checkpoint run/best.safetensors --data CUHK-PEDES --split test --k 128",
        NULL,
        NULL,
        NULL};
    arguments a = {.k = 128, .weight = -1, .image_cache = -1, .family = -1};
    session s = {.result = {.queries = 0}};
    laip_ranks ranks;
    laip_error error;
    laip_exit_when_out_of_memory();
    argp_program_version = "laip-eval " LAIP_VERSION;
    argp_err_exit_status = 2;
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    if (!laip_ranks_begin(&ranks, &argc, &argv, &error)) {
        fprintf(stderr, "laip-eval: %s\n", error.text);
        return (int)error.status;
    }
    if (!execute(&s, &a, &ranks, &error))
        laip_ranks_abort(&ranks, "laip-eval", &error);
    laip_evaluation_free(&s.result);
    laip_binding_free(&s.binding);
    if (s.attention.planes)
        laip_attention_reader_close(&s.attention);
    laip_model_free(&s.model);
    laip_device_close(s.device);
    laip_split_close(&s.split);
    laip_corpus_close(&s.corpus);
    laip_config_free(&s.config);
    laip_ranks_end(&ranks);
    return 0;
}
