/* Ranges and ticks; see plot_axis.h. */
#include "engine/plot/plot_axis.h"

#include <math.h>
#include <stdlib.h>

#define MOST   1e100 // of numbers that have a place, and its inverse of those that are not 0
#define EQUAL  1e-9  // of the larger one: a range below is one number
#define MARGIN 0.04  // of the range, on both sides
#define NEAR   0.25  // of the far end: then the range begins at 0

bool plot_is_number(double value)
{
    return isfinite(value) && fabs(value) <= MOST;
}

static double larger(double a, double b)
{
    return MAX(fabs(a), fabs(b));
}

// a range for data: one number gets some room, and what is near 0 begins there
static void widen(double *low, double *high)
{
    const double size = larger(*low, *high);

    if (size < 1 / MOST || *high - *low < EQUAL * size) {
        const double room = size < 1 / MOST ? 1 : 0.1 * size;
        *low -= room;
        *high += room;
        return;
    }
    const double room = MARGIN * (*high - *low);
    const bool above = *low >= 0 && *low <= NEAR * *high;
    const bool below = *high <= 0 && *high >= NEAR * *low;
    *low = above ? 0 : *low - room;
    *high = below ? 0 : *high + room;
}

// the smallest of 1, 2, 5 and 10 times a power of ten that is not below `step`
static void round_up(double step, int *digit, int *exponent)
{
    static const int digits[] = {1, 2, 5};

    *exponent = (int)floor(log10(step));
    for (size_t i = 0; i < G_N_ELEMENTS(digits); i++) {
        // that 0.1 is no number of the machine must not make a step of 0.2 of it
        if (step <= digits[i] * pow(10, *exponent) * (1 + EQUAL)) {
            *digit = digits[i];
            return;
        }
    }
    *digit = 1;
    ++*exponent;
}

struct plot_axis plot_axis_between(double low, double high, int most)
{
    struct plot_axis a = {.low = low, .high = high};

    round_up((high - low) / MAX(most, 1), &a.digit, &a.exponent);
    const double step = a.digit * pow(10, a.exponent);
    a.first = (gint64)ceil(low / step - EQUAL);
    a.n = (int)((gint64)floor(high / step + EQUAL) - a.first) + 1;
    // 0.0004 and 200000 are read with their powers of ten apart
    const int size = (int)floor(log10(larger(low, high)));
    a.factor = size > 4 || size < -3 ? size : 0;
    return a;
}

struct plot_axis plot_axis_of(double low, double high, int most)
{
    if (!(low <= high)) {
        return (struct plot_axis){.low = 0, .high = 1, .digit = 1};
    }
    widen(&low, &high);
    return plot_axis_between(low, high, most);
}

double plot_axis_tick(const struct plot_axis *a, int i)
{
    const double whole = (double)(a->first + i) * a->digit;

    // by the division the nearest number to 0.3 is found, by a product with 0.1 not always
    return a->exponent < 0 ? whole / pow(10, -a->exponent) : whole * pow(10, a->exponent);
}

char *plot_axis_text(const struct plot_axis *a, int i)
{
    char format[16], number[G_ASCII_DTOSTR_BUF_SIZE + 300];
    const double value = fabs(plot_axis_tick(a, i)) / pow(10, a->factor);

    g_snprintf(format, sizeof format, "%%.%df", CLAMP(a->factor - a->exponent, 0, 20));
    g_ascii_formatd(number, sizeof number, format, value);
    return g_strconcat(a->first + i < 0 ? "−" : "", number, NULL);
}

char *plot_axis_factor(const struct plot_axis *a)
{
    static const char *const raised[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    g_autofree char *digits = g_strdup_printf("%d", abs(a->factor));
    GString *s = g_string_new(NULL);

    if (a->factor != 0) {
        g_string_append(s, a->factor < 0 ? " (×10⁻" : " (×10");
        for (const char *c = digits; *c != '\0'; c++) {
            g_string_append(s, raised[*c - '0']);
        }
        g_string_append_c(s, ')');
    }
    return g_string_free(s, FALSE);
}
