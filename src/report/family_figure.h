/* A figure of whether colours are bound to things: the four members of a drawn family, what matching and
 * features say of each to one caption, and where the caption's phrases look in each picture. */
#ifndef LAIP_REPORT_FAMILY_FIGURE_H
#define LAIP_REPORT_FAMILY_FIGURE_H

#include "eval/example.h"

/* Writes a PNG.  The caption; a column a member, its picture framed where the caption describes it; a row a
 * phrase, with the maps of forward attention and of both over the column's picture, the box of the named
 * thing, and the share of the attention that lies inside.  example: chosen and scored; reader: of its texts.
 */
bool laip_family_figure_write(const char *path, const laip_example *example, laip_attention_reader *reader,
                              laip_error *error);

#endif
