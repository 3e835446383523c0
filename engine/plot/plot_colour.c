/* Colours of a figure; see plot_colour.h. */
#include "engine/plot/plot_colour.h"

#include "engine/plot/plot.h"

#include <math.h>
#include <stdint.h>

// those of Okabe and Ito (2008), without the yellow, which is hard to see on white
static const uint32_t colours[PLOT_COLOURS] = {0x0072b2, 0xd55e00, 0x009e73, 0xcc79a7,
                                               0xe69f00, 0x56b4e9, 0x000000};

// from white on, in about equal steps for the eye; red and blue, since red and green look alike to many
#define STOPS 6
static const uint32_t above[STOPS] = {0xffffff, 0xfbd9c6, 0xf0a380, 0xd4603f, 0xae2128, 0x650a1c};
static const uint32_t below[STOPS] = {0xffffff, 0xd0e4f0, 0x90c0dc, 0x4090c0, 0x2064a4, 0x08305c};

static double part(uint32_t colour, int i)
{
    return (colour >> (16 - 8 * i) & 255) / 255.0;
}

void plot_colour(cairo_t *cr, int number, double alpha)
{
    const uint32_t colour = colours[(unsigned)number % PLOT_COLOURS];

    cairo_set_source_rgba(cr, part(colour, 0), part(colour, 1), part(colour, 2), alpha);
}

void plot_colour_of(double low, double high, double value, double rgb[3])
{
    const bool around = low < 0 && high > 0;
    const double far = MAX(fabs(low), fabs(high));
    const double place = around ? fabs(value) / far : (value - low) / (high - low);
    const double at = CLAMP(place, 0, 1) * (STOPS - 1);
    const int i = MIN((int)at, STOPS - 2);
    const uint32_t *stops = around && value > 0 ? above : below;

    for (int c = 0; c < 3; c++) {
        rgb[c] = part(stops[i], c) + (at - i) * (part(stops[i + 1], c) - part(stops[i], c));
    }
}
