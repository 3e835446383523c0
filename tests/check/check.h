/* check.h: what the cases of the checker stand on.
 *
 * A case makes its arrays, calls one entry on every side and lets the arrays be compared:
 *
 *   check_begin(c, "t=%d c=%d", t, c);
 *   struct array *x = check_input(c, count, FILL_RANDOM), *y = check_output(c, count, bound);
 *   while (check_next(c)) {
 *       c->k->activation_forward(c->k, a, count, at(c, x), at(c, y));
 *   }
 *   check_end_bytes(c, 8.0 * count);
 *
 * The sides are: the reference; the device; the device again, which must give the same bits. Each
 * array lies between guard zones. Inputs must be unchanged afterwards; outputs begin as NaN, so
 * that what was not written is noticed; sums (d... arrays) begin as the same noise on all sides.
 *
 * A device that only counts must have counted the case's work and the bytes of its arrays.
 *
 * With --bench the same loop runs only one side, many times, and check_end prints the rate. */
#pragma once

#include "kernels/cell.h"

#define CHECK_SIDES 3

enum check_mode { MODE_CHECK, MODE_BENCH_REFERENCE, MODE_BENCH_DEVICE };

/* random: uniform in -1 .. 1; integer: -3 .. 3, so that sums of products are exact in float and
 * factors in all types; positive: 0.5 .. 1.5 */
enum fill { FILL_RANDOM, FILL_INTEGER, FILL_POSITIVE };

/* How far the device may be from the reference. All must hold.
 * nmse:     sum of squared differences over sum of squares, of the whole array
 * relative: |difference| <= relative * |reference| + absolute, of each value; unless both are 0
 * All zero: the same bits. */
struct bound {
    double nmse, relative, absolute;
};

enum role { ROLE_INPUT, ROLE_OUTPUT, ROLE_SUM };

// raw: bytes to be compared as they are
enum values { VALUES_TYPED, VALUES_DOUBLE, VALUES_RAW };

struct array {
    enum role role;
    enum values values;
    enum kernels_type type; // of typed ones
    int64_t count;
    size_t bytes; // of the values alone
    struct bound bound;
    char *start[CHECK_SIDES]; // memory of the side, guards included
    void *initial;            // the values at the beginning, guards included
};

struct check {
    const kernels *reference, *device;
    enum kernels_precision precision;
    guint32 seed;
    enum check_mode mode;
    bool counts; // the device computes nothing: what it counts is compared with what it should
    double most; // operations of a case of attention or convolution; 0: any

    // the loop
    const kernels *k; // of the side in turn
    int side;
    // benchmark
    double began, best, spent, reference_rate;
    int runs;

    // the case
    GRand *random;
    double operations; // that the device had counted when the case began
    size_t bytes;      // and that it had given out
    GPtrArray *arrays; // struct array
    char *shape;
    const char *test;
    int failures, cases;
};

struct test {
    void (*check)(struct check *c);
    void (*bench)(struct check *c); // or NULL
};

// the test of each entry, under its name, and that of memory
#define ENTRY(name, ...) extern const struct test test_##name;
#include "kernels/entries.h"
#undef ENTRY
extern const struct test test_memory;

void check_begin(struct check *c, const char *format, ...) G_GNUC_PRINTF(2, 3);
bool check_next(struct check *c);
/* Compares and frees the arrays; work: floating point operations, or bytes moved if cells were
 * floats, of one call. In the bench modes prints the rate instead. */
void check_end_flops(struct check *c, double flops);
void check_end_bytes(struct check *c, double bytes);

/* Arrays of a type, of reals, and of the device's cells. A bound is that of the values before they
 * are rounded to the type; what is exact stays exact. */
struct array *check_input_of(struct check *c, enum kernels_type type, int64_t count,
                             enum fill fill);
struct array *check_output_of(struct check *c, enum kernels_type type, int64_t count,
                              struct bound bound);
struct array *check_sum_of(struct check *c, enum kernels_type type, int64_t count,
                           struct bound bound);
struct array *check_input(struct check *c, int64_t count, enum fill fill);
struct array *check_output(struct check *c, int64_t count, struct bound bound);
struct array *check_sum(struct check *c, int64_t count, struct bound bound);
struct array *check_cells(struct check *c, int64_t count, enum fill fill);
struct array *check_output_cells(struct check *c, int64_t count, struct bound bound);
struct array *check_sum_cells(struct check *c, int64_t count, struct bound bound);
// an input of cells with these values, rounded
struct array *check_cells_with(struct check *c, int64_t count, const real *values);
// an output of doubles
struct array *check_doubles(struct check *c, int64_t count, struct bound bound);
// values that are not numbers of the kind above; from: their beginning, or NULL
struct array *check_raw(struct check *c, enum role role, size_t bytes, const void *from);

// the array on the side in turn; NULL for NULL
void *at(const struct check *c, const struct array *a);

// a weight: the values of an array, or what they are when rounded
struct weight_input {
    struct array *plain, *rounded; // rounded may be NULL
};
struct kernels_weight check_weight(const struct check *c, const struct weight_input *w);
// rounds the values of plain, to the type of 16 bits that goes with the precision, for all sides
struct array *check_rounded(struct check *c, const struct array *plain);
enum kernels_type check_rounded_type(const struct check *c);

/* How far a value is from its neighbours of the type, relative, at most; 0 of floats. The bound of sums
 * of products in float, which are exact of integers, and of `count` products in the device's precision. */
double check_step(enum kernels_type type);
struct bound check_floats(enum fill fill);
struct bound check_products(const struct check *c, enum fill fill, int64_t count);
// what is left of a bound when both sides are rounded to the type
struct bound check_bound(struct bound b, enum kernels_type type, int64_t count);
// the type's name
const char *check_type_name(enum kernels_type type);

// whether a case is one of those that were asked for; before it begins
bool check_wants(const struct check *c, double flops);

// what the device has given out now
size_t check_bytes(const struct check *c);

double check_uniform(struct check *c);
