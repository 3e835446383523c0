/* check_bound.c: how far the device may be from the reference, by the types that values are stored in and
 * factors are multiplied in. */
#include "tests/check/check.h"

#include <math.h>

const char *check_type_name(enum kernels_type type)
{
    // what a precision without tricks is called is what it is stored as
    return kernels_precision_word((enum kernels_precision)type);
}

enum kernels_type check_rounded_type(const struct check *c)
{
    return c->precision == KERNELS_IN_F16 ? KERNELS_F16 : KERNELS_BF16;
}

double check_step(enum kernels_type type)
{
    static const double steps[KERNELS_TYPES] = {
        [KERNELS_BF16] = 1.0 / 128, [KERNELS_F16] = 1.0 / 1024};

    return steps[type];
}

#define F16_LEAST 0x1p-24 // from one to the next among the smallest, whose step is larger than that

struct bound check_floats(enum fill fill)
{
    return fill == FILL_INTEGER ? (struct bound){0} : (struct bound){.nmse = 1e-12};
}

/* Factors between -1 and 1 whose eleventh bit and those behind it are cut off: a product is off by two
 * steps at most, and a sum, whose errors go to both sides, by so much times the root of their number; twice
 * that is many standard deviations. */
struct bound check_products(const struct check *c, enum fill fill, int64_t count)
{
    const double step = check_step(KERNELS_F16); // of the same mantissa

    return c->precision == KERNELS_IN_TF32 && fill != FILL_INTEGER
               ? (struct bound){.absolute = 4 * step * sqrt((double)count)}
               : check_floats(fill);
}

/* Values that were within the bound, rounded on both sides, may come out as neighbours: where the
 * middle between two of them lies between the values, which happens to as large a part of them as
 * their distance is of a step, so that the nmse grows by a step times its root. Of few values one or
 * two alone may do so, and the largest at that. */
struct bound check_bound(struct bound b, enum kernels_type type, int64_t count)
{
    const double step = check_step(type);

    if (b.nmse > 0) {
        b.nmse += step * sqrt(b.nmse) + 8 * step * step / (double)MAX(count, 1);
    }
    if (b.relative > 0) {
        b.relative += step;
        b.absolute += type == KERNELS_F16 ? F16_LEAST : 0;
    }
    return b;
}
