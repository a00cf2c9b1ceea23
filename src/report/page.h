/* Pages for people: HTML that carries its styles, charts and pictures in one file, and asks for nothing else.
 */
#ifndef LAIP_REPORT_PAGE_H
#define LAIP_REPORT_PAGE_H

#include "base/str.h"
#include "image/image.h"

/* From the document's start to its heading.  refresh: seconds after which a browser loads it again; 0: never.
 */
void laip_page_begin(laip_str *page, const char *title, int refresh);
void laip_page_end(laip_str *page);
/* text as text, whatever is in it. */
void laip_page_text(laip_str *page, const char *text);
/* An <img> of the picture, scaled to a height in pixels, as a JPEG within the page.  class, NULL or a style's
 * name. */
bool laip_page_picture(laip_str *page, const laip_image *image, int height, const char *class,
                       const char *alt, laip_error *error);
/* The same of a file; one that cannot be read is a box that says so. */
void laip_page_picture_file(laip_str *page, const char *file, int height, const char *class, const char *alt);

#endif
