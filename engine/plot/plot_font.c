/* Fonts; see plot_font.h. A font of cairo's has the signs of one file and boxes for all others: which file has what is
 * fontconfig's to know. */
#include "engine/plot/plot_font.h"

#include <fontconfig/fontconfig.h>
#include <glib.h>

#define FONT "DejaVu Sans"

void plot_font(cairo_t *cr, double size, bool bold)
{
    cairo_font_options_t *options = cairo_font_options_create();

    // as the outlines are, whatever the pixels
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_set_font_options(cr, options);
    cairo_font_options_destroy(options);
    cairo_select_font_face(cr, FONT, CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cr, size);
}

// whether cr's font has the first sign of a text
static bool has(cairo_t *cr, const char *text)
{
    cairo_scaled_font_t *font = cairo_get_scaled_font(cr);
    cairo_glyph_t *glyphs = NULL;
    int n = 0;

    const cairo_status_t status = cairo_scaled_font_text_to_glyphs(
        font, 0, 0, text, (int)(g_utf8_next_char(text) - text), &glyphs, &n, NULL, NULL, NULL);
    // 0 is the box
    const bool there = status == CAIRO_STATUS_SUCCESS && n > 0 && glyphs[0].index != 0;
    cairo_glyph_free(glyphs);
    return there;
}

// what the font that has most of the signs from `text` to `end` is called, owned by the caller; NULL: there is none
static char *family_with(const char *text, const char *end)
{
    FcPattern *wanted = FcPatternCreate();
    FcCharSet *signs = FcCharSetCreate();
    FcResult result = FcResultNoMatch;
    FcChar8 *name = NULL;
    char *family = NULL;

    for (; text < end; text = g_utf8_next_char(text)) {
        FcCharSetAddChar(signs, g_utf8_get_char(text));
    }
    FcPatternAddCharSet(wanted, FC_CHARSET, signs);
    // pictures in the place of letters make an .svg of megabytes
    FcPatternAddBool(wanted, FC_COLOR, FcFalse);
    FcPatternAddBool(wanted, FC_SCALABLE, FcTrue);
    FcConfigSubstitute(NULL, wanted, FcMatchPattern);
    FcDefaultSubstitute(wanted);
    FcPattern *found = FcFontMatch(NULL, wanted, &result);
    if (found != NULL && FcPatternGetString(found, FC_FAMILY, 0, &name) == FcResultMatch) {
        family = g_strdup((const char *)name);
    }
    if (found != NULL) {
        FcPatternDestroy(found);
    }
    FcCharSetDestroy(signs);
    FcPatternDestroy(wanted);
    return family;
}

size_t plot_font_choose(cairo_t *cr, const char *text)
{
    const bool own = *text == '\0' || has(cr, text);
    const char *end = text;

    while (*end != '\0' && has(cr, end) == own) {
        end = g_utf8_next_char(end);
    }
    g_autofree char *family = own ? NULL : family_with(text, end);
    if (family != NULL) {
        cairo_font_face_t *face = cairo_get_font_face(cr);
        cairo_select_font_face(cr, family, CAIRO_FONT_SLANT_NORMAL,
                               cairo_toy_font_face_get_weight(face));
    }
    return (size_t)(end - text);
}
