/* The settings of a configuration, as a table. */
#ifndef LAIP_CONFIG_TABLE_H
#define LAIP_CONFIG_TABLE_H

#include "config/config.h"
#include <stddef.h>

typedef enum laip_setting_type {
    LAIP_SETTING_TEXT,  /* char * */
    LAIP_SETTING_INT,   /* int */
    LAIP_SETTING_LONG,  /* long */
    LAIP_SETTING_FLOAT, /* float */
    LAIP_SETTING_BOOL,  /* int, 0 or 1 */
    LAIP_SETTING_CHOICE /* int, an index into names */
} laip_setting_type;

typedef struct laip_setting {
    const char *key; /* dots divide the sections; of a phase: without phases.N. */
    laip_setting_type type;
    size_t offset;            /* in laip_config, or in laip_phase */
    const char *const *names; /* of a choice, NULL at the end */
    double low, high;         /* of a number, both allowed */
    const char *what;
} laip_setting;

typedef struct laip_setting_table {
    const laip_setting *settings;
    size_t count;
} laip_setting_table;

laip_setting_table laip_config_settings(void);
laip_setting_table laip_phase_settings(void);
void laip_setting_write(const laip_setting *setting, const void *base, laip_str *out); /* as YAML has it */
void laip_phase_defaults(laip_phase *phase);
void laip_phase_free(laip_phase *phase);

#endif
