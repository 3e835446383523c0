/* alignment.h: how well pictures show a subject and follow their texts, as numbers.
 *
 * A point is what was drawn in one way, a subject file or a folder: the means of its pictures' alignments with
 * their intervals. Points are what tables and plots are made of. */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

/* A mean and its 95 % interval: mean -+ t s / sqrt(n), where s is the deviation of n values and t
 * Student's 0.975 with n - 1 degrees of freedom. Nothing in it is random. NaN where n leaves nothing
 * to say: all of it for 0, the ends for 1. */
struct interval {
    double mean, low, high;
};
struct interval interval_of(const double *values, int n);

// Student's t with `freedom` >= 1 degrees, within -+ which 95 % lie
double interval_student(int freedom);

struct alignment_point {
    char *name;
    int pictures;
    struct interval text, image; // the text's is NaN where nothing compares it with pictures
    bool named;                  // others may be called so: of one line, or of one place
    double place;                // along what the list is along
};

// of one picture; the alignment with its text is NaN likewise
struct alignment_row {
    int point; // its number
    char *text, *picture;
    double text_alignment, image_alignment;
};

struct alignment {
    GArray *points, *rows;
    const char *along; // what places are along, borrowed; NULL: points have none
};
void alignment_init(struct alignment *a);
void alignment_clear(struct alignment *a); // accepts a zeroed one

/* For people; for other programs, a point a line; with each picture. Owned by the caller. */
char *alignment_text(const struct alignment *a);
char *alignment_csv(const struct alignment *a);
JsonObject *alignment_json(const struct alignment *a);

/* As a figure with 95 % intervals, .png or .svg: along something a line a name; else image above text
 * alignment, or without texts a row a point. False with a sentence. */
bool alignment_plot(const struct alignment *a, const char *path, GError **error);
