/* Decoder of NLTK's averaged perceptron tagger: a word that the dictionary knows has its tag from there; for
 * any other the weights of its features are added, in the order that NLTK adds them in, and the class with
 * the greatest sum wins, of equal ones the last by name (M. Honnibal's tagger, after Collins 2002). */
#include "phrases/perceptron.h"

#include "base/file.h"
#include "base/map.h"
#include "base/str.h"
#include "text/unicode.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

typedef struct weight {
    double value;
    uint32_t class;
} weight;

struct laip_perceptron {
    laip_arena arena;
    const char **classes;
    size_t class_count;
    laip_map class_of, tagdict, feature_of;
    weight *weights;
    size_t *first; /* weights of feature f: first[f] … first[f + 1] - 1 */
};

static json_t *parse_json(const laip_json_text *file, json_type type, const char *expected, laip_error *error)
{
    json_error_t e;
    json_t *j = json_loadb(file->text, file->length, JSON_ALLOW_NUL, &e);
    if (!j)
        laip_bad_input(error, "%s:%d:%d: not JSON: %s", file->name, e.line, e.column, e.text);
    else if (json_typeof(j) != type) {
        laip_bad_input(error, "%s: expected %s", file->name, expected);
        json_decref(j);
        j = NULL;
    }
    return j;
}

static bool read_classes(laip_perceptron *p, const laip_json_text *file, laip_error *error)
{
    json_t *j = parse_json(file, JSON_ARRAY, "an array of tags", error), *tag;
    if (!j)
        return false;
    size_t i;
    p->class_count = json_array_size(j);
    p->classes = laip_alloc(p->class_count, sizeof *p->classes);
    bool good = p->class_count >= 1 && p->class_count <= LAIP_MOST_CLASSES;
    if (!good)
        laip_bad_input(error, "%s: %zu tags, expected 1 to %d", file->name, p->class_count,
                       LAIP_MOST_CLASSES);
    json_array_foreach(j, i, tag)
    {
        if (!good)
            break;
        good = json_is_string(tag) && strlen(json_string_value(tag)) == json_string_length(tag);
        if (!good) {
            laip_bad_input(error, "%s: entry %zu is not a tag", file->name, i);
            break;
        }
        p->classes[i] = laip_arena_strndup(&p->arena, json_string_value(tag), json_string_length(tag));
        laip_map_set(&p->class_of, p->classes[i], json_string_length(tag), (int32_t)i);
    }
    json_decref(j);
    return good;
}

static bool read_tagdict(laip_perceptron *p, const laip_json_text *file, laip_error *error)
{
    json_t *j = parse_json(file, JSON_OBJECT, "an object of words and their tags", error), *tag;
    if (!j)
        return false;
    bool good = true;
    for (void *it = json_object_iter(j); it && good; it = json_object_iter_next(j, it)) {
        const char *word = json_object_iter_key(it);
        int32_t class;
        tag = json_object_iter_value(it);
        good = json_is_string(tag) &&
               laip_map_get(&p->class_of, json_string_value(tag), json_string_length(tag), &class);
        if (!good)
            laip_bad_input(error, "%s: \"%.60s\" has no tag of the classes", file->name, word);
        else
            laip_map_set(&p->tagdict, word, json_object_iter_key_len(it), class);
    }
    json_decref(j);
    return good;
}

static bool read_feature(laip_perceptron *p, const laip_json_text *file, const char *name, json_t *row,
                         size_t *used, laip_error *error)
{
    if (!json_is_object(row))
        return laip_bad_input(error, "%s: feature \"%.60s\": expected an object of tags and weights",
                              file->name, name);
    for (void *it = json_object_iter(row); it; it = json_object_iter_next(row, it)) {
        json_t *value = json_object_iter_value(it);
        int32_t class;
        if (!json_is_number(value))
            return laip_bad_input(error, "%s: feature \"%.60s\": the weight of %.20s is not a number",
                                  file->name, name, json_object_iter_key(it));
        if (laip_map_get(&p->class_of, json_object_iter_key(it), json_object_iter_key_len(it), &class))
            p->weights[(*used)++] = (weight){json_number_value(value), (uint32_t) class};
    }
    return true;
}

static bool read_weights(laip_perceptron *p, const laip_json_text *file, laip_error *error)
{
    json_t *j = parse_json(file, JSON_OBJECT, "an object of features and their weights", error);
    if (!j)
        return false;
    size_t count = json_object_size(j), total = 0, used = 0, f = 0;
    for (void *it = json_object_iter(j); it; it = json_object_iter_next(j, it))
        total += json_object_size(json_object_iter_value(it));
    p->weights = laip_alloc(total, sizeof *p->weights);
    p->first = laip_alloc(count + 1, sizeof *p->first);
    bool good = true;
    for (void *it = json_object_iter(j); it && good; it = json_object_iter_next(j, it)) {
        laip_map_set(&p->feature_of, json_object_iter_key(it), json_object_iter_key_len(it), (int32_t)f);
        p->first[f++] = used;
        good = read_feature(p, file, json_object_iter_key(it), json_object_iter_value(it), &used, error);
    }
    p->first[f] = used;
    json_decref(j);
    return good;
}

laip_perceptron *laip_perceptron_parse(const laip_json_text *weights, const laip_json_text *tagdict,
                                       const laip_json_text *classes, laip_error *error)
{
    laip_perceptron *p = laip_alloc(1, sizeof *p);
    if (read_classes(p, classes, error) && read_tagdict(p, tagdict, error) && read_weights(p, weights, error))
        return p;
    laip_perceptron_free(p);
    return NULL;
}

laip_perceptron *laip_perceptron_load(const char *folder, laip_error *error)
{
    static const char *const names[3] = {"averaged_perceptron_tagger_eng.weights.json",
                                         "averaged_perceptron_tagger_eng.tagdict.json",
                                         "averaged_perceptron_tagger_eng.classes.json"};
    laip_json_text files[3] = {{0}};
    char *paths[3], *texts[3] = {NULL, NULL, NULL};
    bool good = true;
    for (int i = 0; i < 3; i++) {
        paths[i] = laip_path_join(folder, names[i]);
        size_t size = 0;
        good = good && laip_file_read(paths[i], &texts[i], &size, error);
        files[i] = (laip_json_text){paths[i], texts[i], size};
    }
    laip_perceptron *p = good ? laip_perceptron_parse(&files[0], &files[1], &files[2], error) : NULL;
    for (int i = 0; i < 3; i++) {
        free(paths[i]);
        free(texts[i]);
    }
    return p;
}

void laip_perceptron_free(laip_perceptron *p)
{
    if (!p)
        return;
    laip_arena_free(&p->arena);
    laip_map_free(&p->class_of);
    laip_map_free(&p->tagdict);
    laip_map_free(&p->feature_of);
    free(p->classes);
    free(p->weights);
    free(p->first);
    free(p);
}

size_t laip_perceptron_classes(const laip_perceptron *p, const char *const **names)
{
    *names = p->classes;
    return p->class_count;
}

/* A word as features name it, and its last three characters. */
typedef struct context {
    const char *text, *suffix;
    size_t length, suffix_length;
} context;

static const char *last_three(const char *text, size_t length, size_t *size)
{
    size_t i = length;
    for (int left = 3; left && i > 0; left--) {
        do
            i--;
        while (i > 0 && ((unsigned char)text[i] & 0xc0) == 0x80);
    }
    *size = length - i;
    return text + i;
}

/* Python's str.isdigit of a character. */
static bool is_digit(uint32_t c)
{
    if (c < 0x80)
        return c >= '0' && c <= '9';
    return utf8proc_category((utf8proc_int32_t)c) == UTF8PROC_CATEGORY_ND || c == 0xb2 || c == 0xb3 ||
           c == 0xb9 || c == 0x2070 || (c >= 0x2074 && c <= 0x2079) || (c >= 0x2080 && c <= 0x2089) ||
           (c >= 0x2460 && c <= 0x2468) || (c >= 0x2474 && c <= 0x247c) || (c >= 0x2488 && c <= 0x2490);
}

/* What stands for a word in features: its kind when it has a hyphen or digits, else its lower case, in low.
 */
static const char *normalise(const char *word, size_t length, laip_str *low, size_t *size)
{
    *size = 7;
    if (length && word[0] != '-' && memchr(word, '-', length))
        return "!HYPHEN";
    size_t characters = 0, digits = 0, taken;
    bool first = length && is_digit(laip_utf8_decode(word, length, &taken));
    for (size_t i = 0; i < length && first; i += taken, characters++)
        digits += is_digit(laip_utf8_decode(word + i, length - i, &taken));
    if (characters == 4 && digits == 4) {
        *size = 5;
        return "!YEAR";
    }
    if (first)
        return "!DIGITS";
    laip_str_clear(low);
    for (size_t i = 0; i < length; i += taken) {
        uint32_t parts[2];
        size_t n = laip_lower_at(word, length, i, laip_utf8_decode(word + i, length - i, &taken), parts);
        for (size_t k = 0; k < n; k++) {
            char bytes[4];
            laip_str_add(low, bytes, laip_utf8_encode(parts[k], bytes));
        }
    }
    *size = low->length;
    return laip_str_text(low);
}

typedef struct sum {
    const laip_perceptron *p;
    laip_str key;
    double scores[LAIP_MOST_CLASSES];
} sum;

/* Adds the weights of the feature "name a" or "name a b". */
static void feature(sum *s, const char *name, const char *a, size_t a_length, const char *b, size_t b_length)
{
    laip_str_clear(&s->key);
    laip_str_adds(&s->key, name);
    laip_str_add(&s->key, a, a_length);
    if (b) {
        laip_str_add(&s->key, " ", 1);
        laip_str_add(&s->key, b, b_length);
    }
    int32_t f;
    if (!laip_map_get(&s->p->feature_of, s->key.text, s->key.length, &f))
        return;
    for (size_t k = s->p->first[f]; k < s->p->first[f + 1]; k++)
        s->scores[s->p->weights[k].class] += s->p->weights[k].value;
}

static uint8_t predict(sum *s, const char *word, size_t length, const context *c, const char *previous,
                       const char *before)
{
    memset(s->scores, 0, s->p->class_count * sizeof *s->scores);
    size_t suffix_length, first = 0, n = strlen(previous);
    const char *suffix = last_three(word, length, &suffix_length);
    if (length)
        laip_utf8_decode(word, length, &first);
    feature(s, "bias", "", 0, NULL, 0);
    feature(s, "i suffix ", suffix, suffix_length, NULL, 0);
    feature(s, "i pref1 ", word, first, NULL, 0);
    feature(s, "i-1 tag ", previous, n, NULL, 0);
    feature(s, "i-2 tag ", before, strlen(before), NULL, 0);
    feature(s, "i tag+i-2 tag ", previous, n, before, strlen(before));
    feature(s, "i word ", c->text, c->length, NULL, 0);
    feature(s, "i-1 tag+i word ", previous, n, c->text, c->length);
    feature(s, "i-1 word ", c[-1].text, c[-1].length, NULL, 0);
    feature(s, "i-1 suffix ", c[-1].suffix, c[-1].suffix_length, NULL, 0);
    feature(s, "i-2 word ", c[-2].text, c[-2].length, NULL, 0);
    feature(s, "i+1 word ", c[1].text, c[1].length, NULL, 0);
    feature(s, "i+1 suffix ", c[1].suffix, c[1].suffix_length, NULL, 0);
    feature(s, "i+2 word ", c[2].text, c[2].length, NULL, 0);
    size_t best = 0;
    for (size_t k = 1; k < s->p->class_count; k++)
        if (s->scores[k] > s->scores[best] ||
            (s->scores[k] == s->scores[best] && strcmp(s->p->classes[k], s->p->classes[best]) > 0))
            best = k;
    return (uint8_t)best;
}

static void set_context(context *c, laip_arena *arena, const char *text, size_t length)
{
    c->text = arena ? laip_arena_strndup(arena, text, length) : text;
    c->length = length;
    c->suffix = last_three(c->text, length, &c->suffix_length);
}

void laip_perceptron_tag(const laip_perceptron *p, const char *const *tokens, const uint32_t *lengths,
                         size_t count, uint8_t *tags)
{
    laip_arena arena = {0};
    laip_str low = {0};
    context *c = laip_alloc(count + 4, sizeof *c);
    static const char *const edges[4] = {"-START-", "-START2-", "-END-", "-END2-"};
    for (size_t i = 0; i < 2; i++) {
        set_context(&c[i], NULL, edges[i], strlen(edges[i]));
        set_context(&c[count + 2 + i], NULL, edges[2 + i], strlen(edges[2 + i]));
    }
    for (size_t i = 0; i < count; i++) {
        size_t size;
        const char *word = normalise(tokens[i], lengths[i], &low, &size);
        set_context(&c[i + 2], &arena, word, size);
    }
    sum s = {.p = p};
    const char *previous = "-START-", *before = "-START2-";
    for (size_t i = 0; i < count; i++) {
        int32_t class;
        if (laip_map_get(&p->tagdict, tokens[i], lengths[i], &class))
            tags[i] = (uint8_t) class;
        else
            tags[i] = predict(&s, tokens[i], lengths[i], &c[i + 2], previous, before);
        before = previous;
        previous = p->classes[tags[i]];
    }
    free(s.key.text);
    free(low.text);
    free(c);
    laip_arena_free(&arena);
}
