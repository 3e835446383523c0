/* Figures as files; see plot_file.h. Both kinds are made in memory: they are small, and a file that is given
 * its bytes at once says itself what is wrong with it. */
#include "engine/plot/plot_file.h"

#include "engine/base/atomic_file.h"
#include "engine/base/error.h"

#include <cairo-svg.h>
#include <math.h>
#include <string.h>

#define SCALE 2 // pixels of a unit of a PNG: sharp in print, too

static bool is_svg(const char *path)
{
    const size_t length = strlen(path);

    return length >= 4 && g_ascii_strcasecmp(path + length - 4, ".svg") == 0;
}

bool plot_check_name(const char *path, GError **error)
{
    const size_t length = strlen(path);

    return is_svg(path) || (length >= 4 && g_ascii_strcasecmp(path + length - 4, ".png") == 0) ||
           error_usage(error, "%s: a figure's name must end in .png or .svg.", path);
}

static cairo_status_t append(void *user, const unsigned char *data, unsigned int length)
{
    g_byte_array_append(user, data, length);
    return CAIRO_STATUS_SUCCESS;
}

static void paint(cairo_t *cr, plot_function draw, void *user)
{
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_paint(cr);
    cairo_set_source_rgb(cr, 0, 0, 0);
    draw(user, cr);
}

static cairo_status_t make_svg(GByteArray *bytes, double width, double height, plot_function draw,
                               void *user)
{
    cairo_surface_t *surface = cairo_svg_surface_create_for_stream(append, bytes, width, height);
    cairo_svg_surface_set_document_unit(surface, CAIRO_SVG_UNIT_PX);
    cairo_t *cr = cairo_create(surface);

    paint(cr, draw, user);
    const cairo_status_t drawn = cairo_status(cr);
    // only now it is written
    cairo_surface_finish(surface);
    const cairo_status_t written = cairo_surface_status(surface);
    cairo_destroy(cr);
    cairo_surface_destroy(surface);
    return drawn != CAIRO_STATUS_SUCCESS ? drawn : written;
}

static cairo_status_t make_png(GByteArray *bytes, double width, double height, plot_function draw,
                               void *user)
{
    cairo_surface_t *surface = cairo_image_surface_create(
        CAIRO_FORMAT_RGB24, (int)ceil(SCALE * width), (int)ceil(SCALE * height));
    cairo_surface_set_device_scale(surface, SCALE, SCALE);
    cairo_t *cr = cairo_create(surface);

    paint(cr, draw, user);
    const cairo_status_t drawn = cairo_status(cr);
    const cairo_status_t written = drawn == CAIRO_STATUS_SUCCESS
                                       ? cairo_surface_write_to_png_stream(surface, append, bytes)
                                       : drawn;
    cairo_destroy(cr);
    cairo_surface_destroy(surface);
    return written;
}

bool plot_file_write(const char *path, double width, double height, plot_function draw, void *user,
                     GError **error)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    if (!plot_check_name(path, error)) {
        return false;
    }
    if (width > PLOT_SIDE_MAX || height > PLOT_SIDE_MAX) {
        return error_failed(error, "%s: there is too much in it for one figure; take fewer.", path);
    }
    const cairo_status_t status =
        (is_svg(path) ? make_svg : make_png)(bytes, width, height, draw, user);
    if (status != CAIRO_STATUS_SUCCESS) {
        return error_failed(error, "%s: the figure cannot be drawn: %s.", path,
                            cairo_status_to_string(status));
    }
    return atomic_file_store(path, bytes->data, bytes->len, error);
}

cairo_t *plot_measure(void)
{
    cairo_surface_t *nothing = cairo_recording_surface_create(CAIRO_CONTENT_COLOR, NULL);
    cairo_t *cr = cairo_create(nothing);

    cairo_surface_destroy(nothing);
    return cr;
}
