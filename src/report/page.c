#include "report/page.h"

#include <stdlib.h>
#include <string.h>

/* Colours of text, paper and series, in light and dark; series are told apart by those who see no red from
 * green. */
static const char style[] =
    ":root{--ink:#1c2530;--soft:#5d6b7a;--line:#d5dce4;--paper:#fff;--box:#f5f7f9;--right:#1a8f4a;--wrong:#"
    "b9c2cc;"
    "--s0:#1f6fb4;--s1:#d1641a;--s2:#1a8f6a;--s3:#a3479c;--s4:#8a6d00;--s5:#c03a4b;--s6:#47525e}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e4e9ee;--soft:#9aa7b4;--line:#35404b;--paper:#12171c;--"
    "box:#1b2229;"
    "--right:#3fc47c;--wrong:#47525e;--s0:#5aa9e6;--s1:#f0955a;--s2:#4fcfa4;--s3:#d184cb;--s4:#d9b93b;--s5:#"
    "f07a88;"
    "--s6:#b3bec9}}"
    "*{box-sizing:border-box}body{margin:0 auto;max-width:70rem;padding:1rem 1.25rem 4rem;color:var(--ink);"
    "background:var(--paper);font:16px/1.5 system-ui,sans-serif}h1{font-size:1.6rem;margin:.5rem "
    "0}h2{font-size:1.2rem;"
    "margin:2rem 0 .5rem}p{margin:.4rem "
    "0}.soft{color:var(--soft)}table{border-collapse:collapse;margin:.5rem 0}"
    "th,td{padding:.25rem .8rem .25rem 0;text-align:right;border-bottom:1px solid var(--line);"
    "font-variant-numeric:tabular-nums}th:first-child,td:first-child{text-align:left}th{color:var(--soft);"
    "font-weight:500}.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(20rem,1fr));gap:1rem}"
    "figure{margin:0;padding:.75rem;background:var(--box);border-radius:.5rem}figcaption{font-weight:600}"
    "svg{width:100%;height:auto;display:block}svg text{fill:var(--soft);font:11px system-ui,sans-serif}"
    ".grid{stroke:var(--line);stroke-width:1}.mark{stroke:var(--soft);stroke-dasharray:3 "
    "4;opacity:.7}.series{fill:none;stroke-width:1.8;stroke-linejoin:round}"
    ".legend{display:flex;flex-wrap:wrap;gap:.1rem .9rem;font-size:.85rem;color:var(--soft)}"
    ".legend b{display:inline-block;width:.8rem;height:.25rem;margin-right:.35rem;vertical-align:middle}"
    ".query{padding:.75rem 0 .4rem;border-top:1px solid "
    "var(--line)}.row{display:flex;flex-wrap:wrap;gap:.4rem}"
    "img{display:block;border:3px solid var(--wrong);border-radius:.3rem}img.right{border-color:var(--right)}"
    "img.plain{border:0}.lost{display:grid;place-items:center;width:5rem;padding:.3rem;border:3px dashed "
    "var(--wrong);"
    "font-size:.75rem;overflow-wrap:anywhere}.tile{font-size:.75rem;color:var(--soft)}"
    "pre{overflow:auto;padding:.75rem;background:var(--box);border-radius:.5rem;font-size:.85rem}"
    "summary{cursor:pointer;font-weight:600}"
    ".phrase{margin:.3rem 1.2rem .6rem 0}.phrase "
    "b{display:block;font-size:.9rem}details{padding-bottom:.75rem}"
    ".beside{display:flex;flex-wrap:wrap;gap:1rem 3rem;align-items:flex-start}.beside figure{flex:1 1 "
    "18rem;max-width:32rem}"
    ".facts{display:flex;flex-wrap:wrap;gap:.5rem 2rem;margin:.9rem 0 1.2rem}.facts "
    "b{display:block;font-size:1.35rem;"
    "font-variant-numeric:tabular-nums}.facts span{font-size:.85rem;color:var(--soft)}";

void laip_page_text(laip_str *page, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '&':
            laip_str_adds(page, "&amp;");
            break;
        case '<':
            laip_str_adds(page, "&lt;");
            break;
        case '>':
            laip_str_adds(page, "&gt;");
            break;
        case '"':
            laip_str_adds(page, "&quot;");
            break;
        case '\'':
            laip_str_adds(page, "&#39;");
            break;
        default:
            laip_str_add(page, text, 1);
        }
}

void laip_page_begin(laip_str *page, const char *title, int refresh)
{
    laip_str_adds(page,
                  "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                  "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
                  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
                  "style-src 'unsafe-inline'\">");
    if (refresh)
        laip_str_addf(page, "<meta http-equiv=\"refresh\" content=\"%d\">", refresh);
    laip_str_adds(page, "<title>");
    laip_page_text(page, title);
    laip_str_addf(page, "</title><style>%s</style></head><body>\n<h1>", style);
    laip_page_text(page, title);
    laip_str_adds(page, "</h1>\n");
}

void laip_page_end(laip_str *page)
{
    laip_str_adds(page, "</body></html>\n");
}

static void add_base64(laip_str *page, const unsigned char *data, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t three = (uint32_t)data[i] << 16 | (left > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
                         (left > 2 ? (uint32_t)data[i + 2] : 0);
        char four[4] = {digits[three >> 18], digits[three >> 12 & 63],
                        left > 1 ? digits[three >> 6 & 63] : '=', left > 2 ? digits[three & 63] : '='};
        laip_str_add(page, four, 4);
    }
}

bool laip_page_picture(laip_str *page, const laip_image *image, int height, const char *class,
                       const char *alt, laip_error *error)
{
    laip_image small;
    unsigned char *data;
    size_t size;
    int width = (int)((double)image->width * height / image->height + 0.5);
    width = width < 1 ? 1 : width > 4 * height ? 4 * height : width;
    laip_image_resize(image, height, width, &small);
    bool good = laip_image_encode_jpeg(&small, 80, &data, &size, error);
    laip_image_free(&small);
    if (!good)
        return false;
    laip_str_addf(page, "<img width=\"%d\" height=\"%d\" class=\"%s\" alt=\"", width, height,
                  class ? class : "");
    laip_page_text(page, alt);
    laip_str_adds(page, "\" title=\"");
    laip_page_text(page, alt);
    laip_str_adds(page, "\" src=\"data:image/jpeg;base64,");
    add_base64(page, data, size);
    laip_str_adds(page, "\">");
    free(data);
    return true;
}

void laip_page_picture_file(laip_str *page, const char *file, int height, const char *class, const char *alt)
{
    laip_image image;
    laip_error error;
    bool loaded = laip_image_load(file, true, &image, &error);
    bool good = loaded && laip_page_picture(page, &image, height, class, alt, &error);
    if (loaded)
        laip_image_free(&image);
    if (good)
        return;
    laip_str_addf(page, "<div class=\"lost\" style=\"height:%dpx\">", height);
    laip_page_text(page, error.text);
    laip_str_adds(page, "</div>");
}
