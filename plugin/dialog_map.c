/* The image with places; see dialog_map.h. What is painted only in a selection or where a layer is
 * has the halves of that, as call_generate.c has them. */
#include "plugin/dialog_map.h"

#include "plugin/dialog_toolkit.h"
#include "plugin/spot.h"

#include <string.h>

#define SIDE_WIDE 144 // pixels; two thirds of them on a low screen
#define SIDE_HIGH 96
#define COVER     0.55 // how much of a place its colour covers

struct tint {
    cairo_surface_t *mask; // A8, as large as the map
    double x, y;           // of its middle
    double share;          // of the map
    char *text;
    int number; // its colour's
};

struct map {
    const struct call *chosen;
    GdkPixbuf *image;             // NULL: there is none
    int width, height;            // in which it is drawn
    struct host_area view, frame; // the image; what halves are halves of
    GArray *tints;                // struct tint
};

static void clear_tint(struct tint *tint)
{
    cairo_surface_destroy(tint->mask);
    g_free(tint->text);
}

// with the canvas, whose data it is
static void free_map(struct map *m)
{
    g_clear_object(&m->image);
    g_array_unref(m->tints);
    g_free(m);
}

// apart for people who see red and green alike, too
void dialog_map_colour(int number, double colour[3])
{
    static const double colours[][3] = {{0.90, 0.62, 0.00}, {0.34, 0.71, 0.91}, {0.80, 0.47, 0.65},
                                        {0.00, 0.62, 0.45}, {0.94, 0.89, 0.26}, {0.84, 0.37, 0.00}};

    memcpy(colour, colours[number % (int)G_N_ELEMENTS(colours)], sizeof colours[0]);
}

/* ---- what is drawn ---- */

static void paint_image(const struct map *m, cairo_t *cr)
{
    if (m->image != NULL) {
        gdk_cairo_set_source_pixbuf(cr, m->image, 0, 0);
    } else {
        // without an image: grey, the places alone
        cairo_set_source_rgb(cr, 0.5, 0.5, 0.5);
    }
    cairo_rectangle(cr, 0, 0, m->width, m->height);
    cairo_fill(cr);
}

static void paint_text(const struct tint *tint, const struct map *m, cairo_t *cr)
{
    cairo_text_extents_t size;

    cairo_select_font_face(cr, "sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_BOLD);
    cairo_set_font_size(cr, 11);
    cairo_text_extents(cr, tint->text, &size);
    // within the map, also where its place is at the edge
    const double x = CLAMP(tint->x - size.width / 2, 2, MAX(2, m->width - size.width - 2));
    cairo_move_to(cr, x, tint->y + size.height / 2);
    cairo_text_path(cr, tint->text);
    cairo_set_source_rgb(cr, 0, 0, 0);
    // a dark rim: white is read on any picture
    cairo_set_line_width(cr, 2.5);
    cairo_stroke_preserve(cr);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_fill(cr);
}

static void on_paint(cairo_t *cr, int width, int height, void *user)
{
    const struct map *m = user;

    // in the middle of a canvas that may be larger
    cairo_translate(cr, (width - m->width) / 2, (height - m->height) / 2);
    paint_image(m, cr);
    for (guint i = 0; i < m->tints->len; i++) {
        const struct tint *tint = &g_array_index(m->tints, struct tint, i);
        double colour[3];
        dialog_map_colour(tint->number, colour);
        cairo_set_source_rgba(cr, colour[0], colour[1], colour[2], COVER);
        cairo_mask_surface(cr, tint->mask, 0, 0);
    }
    cairo_rectangle(cr, 0, 0, m->width, m->height);
    cairo_clip(cr);
    for (guint i = 0; i < m->tints->len; i++) {
        paint_text(&g_array_index(m->tints, struct tint, i), m, cr);
    }
}

/* ---- what is there ---- */

static struct map *map_of(GtkWidget *map)
{
    return g_object_get_data(G_OBJECT(map), "svdiff-map");
}

// pixels of the longest side, in either direction
static int bound(int side)
{
    return toolkit_is_low() ? side * 2 / 3 : side;
}

// the image, and how large it is here
static void look(struct map *m)
{
    const host_image image = m->chosen->image;
    const bool there = host_image_exists(image);

    m->frame = m->view = there ? host_item_area(host_selection(image))
                               : (struct host_area){0, 0, bound(SIDE_HIGH), bound(SIDE_HIGH)};
    if (there) {
        host_selection_area(image, &m->frame); // without a selection it stays
    }
    const double scale =
        MIN((double)bound(SIDE_WIDE) / m->view.width, (double)bound(SIDE_HIGH) / m->view.height);
    // an image of 10000x1 has a map, too
    m->width = MAX(1, (int)(m->view.width * scale));
    m->height = MAX(1, (int)(m->view.height * scale));
    g_clear_object(&m->image);
    m->image = there ? toolkit_image_thumbnail(image, m->width, m->height) : NULL;
}

// mask [height, width], 0..1, borrowed; its middle is where the text goes, weighted
static void take_mask(struct tint *tint, const float *mask, int width, int height)
{
    tint->mask = cairo_image_surface_create(CAIRO_FORMAT_A8, width, height);
    unsigned char *rows = cairo_image_surface_get_data(tint->mask);
    // rows of a surface are padded
    const int stride = cairo_image_surface_get_stride(tint->mask);
    double sum = 0, x_sum = 0, y_sum = 0;

    cairo_surface_flush(tint->mask);
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            const float value = mask[(size_t)y * width + x];
            rows[y * stride + x] = (unsigned char)(255 * value + 0.5f);
            sum += value;
            x_sum += value * (x + 0.5);
            y_sum += value * (y + 0.5);
        }
    }
    cairo_surface_mark_dirty(tint->mask);
    tint->x = sum > 0 ? x_sum / sum : width / 2.0;
    tint->y = sum > 0 ? y_sum / sum : height / 2.0;
    tint->share = sum / ((double)width * height);
}

void dialog_map_clear(GtkWidget *map)
{
    struct map *m = map_of(map);

    // the image may have been worked on
    look(m);
    g_array_set_size(m->tints, 0);
    gtk_widget_queue_draw(map);
}

void dialog_map_add(GtkWidget *map, const char *place, const char *text, int number)
{
    struct map *m = map_of(map);
    struct spot spot;

    // anywhere: nothing to show
    if (place[0] == '\0') {
        return;
    }
    // the same as a run would read, small
    g_autofree float *mask = spot_find(m->chosen->image, place, &spot)
                                 ? spot_mask(&spot, &m->frame, &m->view, m->width, m->height)
                                 : NULL;
    if (mask == NULL) {
        toolkit_tell("map: %s is not there", place);
        return;
    }
    struct tint tint = {.text = g_strdup(text), .number = number};
    take_mask(&tint, mask, m->width, m->height);
    g_array_append_val(m->tints, tint);
    toolkit_tell("map: %s, %.0f %% at %.0f, %.0f", place, 100 * tint.share, 100 * tint.x / m->width,
                 100 * tint.y / m->height);
}

GtkWidget *dialog_map_new(const struct call *chosen)
{
    struct map *m = g_new0(struct map, 1);
    GtkWidget *map = toolkit_canvas(bound(SIDE_WIDE), bound(SIDE_HIGH), on_paint, m);

    m->chosen = chosen;
    m->tints = g_array_new(FALSE, FALSE, sizeof(struct tint));
    g_array_set_clear_func(m->tints, (GDestroyNotify)clear_tint);
    g_object_set_data_full(G_OBJECT(map), "svdiff-map", m, (GDestroyNotify)free_map);
    look(m);
    return map;
}
