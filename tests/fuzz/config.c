/* A configuration; one that is read must read back the same from what is written of it. */
#include "config/config.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool parse(laip_config *c, const char *text, laip_error *error)
{
    *error = (laip_error){0};
    laip_config_defaults(c);
    bool good = laip_config_parse(c, "input", text, error);
    if (!good && (error->status != LAIP_BAD_INPUT || !*error->text || strchr(error->text, '\n')))
        abort();
    return good;
}

static void check(const laip_config *c)
{
    laip_config again;
    laip_error error;
    laip_str first = {0}, second = {0};
    laip_config_check(c, &error);
    laip_config_write(c, &first);
    if (!parse(&again, first.text, &error))
        abort();
    laip_config_write(&again, &second);
    if (strcmp(first.text, second.text) != 0)
        abort();
    free(first.text);
    free(second.text);
    laip_config_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    laip_config c;
    laip_error error;
    char *text = malloc(size + 1);
    if (size)
        memcpy(text, data, size);
    text[size] = 0;
    /* No file of the machine is to be read as a base, however the key is spelt. */
    if (!strstr(text, "base") && !strchr(text, '\\')) {
        if (parse(&c, text, &error))
            check(&c);
        laip_config_free(&c);
    }
    free(text);
    return 0;
}
