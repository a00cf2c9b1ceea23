/* A configuration written down: resolved as YAML, and every setting explained. */
#include "config/table.h"

#include "base/yaml.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* With as few digits as read back the same. */
static void write_float(float value, laip_str *out)
{
    char text[32];
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value)
            break;
    }
    laip_str_adds(out, text);
}

void laip_setting_write(const laip_setting *s, const void *base, laip_str *out)
{
    const void *field = (const char *)base + s->offset;
    switch (s->type) {
    case LAIP_SETTING_TEXT:
        laip_yaml_add_string(out, *(char *const *)field);
        break;
    case LAIP_SETTING_INT:
        laip_str_addf(out, "%d", *(const int *)field);
        break;
    case LAIP_SETTING_LONG:
        laip_str_addf(out, "%ld", *(const long *)field);
        break;
    case LAIP_SETTING_FLOAT:
        write_float(*(const float *)field, out);
        break;
    case LAIP_SETTING_BOOL:
        laip_str_adds(out, *(const int *)field ? "true" : "false");
        break;
    case LAIP_SETTING_CHOICE:
        laip_str_adds(out, s->names[*(const int *)field]);
        break;
    }
}

void laip_config_write(const laip_config *c, laip_str *out)
{
    laip_setting_table top = laip_config_settings(), each = laip_phase_settings();
    const char *section = "";
    size_t section_length = 0;
    for (size_t i = 0; i < top.count; i++) {
        const char *key = top.settings[i].key, *dot = strchr(key, '.');
        size_t length = dot ? (size_t)(dot - key) : 0;
        if (dot && (length != section_length || strncmp(section, key, length) != 0))
            laip_str_addf(out, "%.*s:\n", (int)length, key);
        section = key;
        section_length = length;
        laip_str_addf(out, "%s%s: ", dot ? "  " : "", dot ? dot + 1 : key);
        laip_setting_write(&top.settings[i], c, out);
        laip_str_adds(out, "\n");
    }
    laip_str_adds(out, c->phase_count ? "phases:\n" : "phases: []\n");
    for (int p = 0; p < c->phase_count; p++)
        for (size_t i = 0; i < each.count; i++) {
            laip_str_addf(out, "%s%s: ", i ? "    " : "  - ", each.settings[i].key);
            laip_setting_write(&each.settings[i], &c->phases[p], out);
            laip_str_adds(out, "\n");
        }
}

static void explain(const laip_setting *s, const char *prefix, const void *base, laip_str *out)
{
    laip_str_addf(out, "%s%s: ", prefix, s->key);
    laip_setting_write(s, base, out);
    laip_str_addf(out, "\n    # %s", s->what);
    for (size_t k = 0; s->names && s->names[k]; k++)
        laip_str_addf(out, "%s%s", k ? ", " : ": ", s->names[k]);
    if (s->type == LAIP_SETTING_INT || s->type == LAIP_SETTING_FLOAT || s->type == LAIP_SETTING_LONG)
        laip_str_addf(out, " (%.9g to %.9g)", s->low, s->high);
    laip_str_adds(out, "\n");
}

void laip_config_help(laip_str *out)
{
    laip_config c;
    laip_phase p;
    laip_setting_table top = laip_config_settings(), each = laip_phase_settings();
    laip_config_defaults(&c);
    laip_phase_defaults(&p);
    for (size_t i = 0; i < top.count; i++)
        explain(&top.settings[i], "", &c, out);
    for (size_t i = 0; i < each.count; i++)
        explain(&each.settings[i], "phases.N.", &p, out);
    laip_phase_free(&p);
    laip_config_free(&c);
}
