#include "support/split.h"

#include "base/file.h"
#include "support/device.h"
#include "support/test.h"
#include "support/tiny.h"
#include "synth/synth.h"
#include <stdlib.h>

static bool make_texts(laip_test_split *s, laip_error *error)
{
    char **words;
    size_t count;
    const char **captions = laip_alloc(s->d.caption_count, sizeof *captions);
    for (size_t i = 0; i < s->d.caption_count; i++)
        captions[i] = s->d.captions[i].text;
    if (!laip_vocab_learn(captions, s->d.caption_count, LAIP_RULE_ALBEF, 120, &words, &count, error))
        return false;
    laip_tokenizer *tokenizer = laip_tokenizer_from_words((const char *const *)words, count, error);
    if (!tokenizer)
        return false;
    laip_tokenize_options t = {.rule = LAIP_RULE_ALBEF, .max_tokens = 40};
    laip_texts_make(&s->texts, &s->d, tokenizer, &t, NULL, 2);
    laip_tokenizer_free(tokenizer);
    laip_vocab_free(words, count);
    free(captions);
    return true;
}

bool laip_test_split_open(laip_test_split *s, laip_error *error)
{
    laip_model_config m = laip_tiny_sizes();
    *s = (laip_test_split){.folder = laip_test_folder("split")};
    m.vocab = 120;
    m.positions = 40;
    laip_synth_options o = {.folder = s->folder, .persons = 1, .val = 1, .test = 6, .images = 3, .seed = 3};
    char *annotations = laip_path_join(s->folder, "reid_raw.json");
    laip_test_fix_products(laip_test_device());
    bool good = laip_synth_write(&o, error) && laip_dataset_read(&s->d, annotations, NULL, "test", error) &&
                make_texts(s, error) && laip_model_create(&s->model, laip_test_device(), &m, false, error);
    if (good) {
        laip_params_initialise(&s->model.params, &s->model.table, 7, 0, 0.1f);
        laip_test_fill_head(&s->model, 3);
    }
    free(annotations);
    return good && laip_device_finish(laip_test_device(), error);
}

void laip_test_split_close(laip_test_split *s)
{
    laip_model_free(&s->model);
    laip_texts_free(&s->texts);
    laip_dataset_free(&s->d);
    free(s->folder);
}
