/* Looks at the pictures that the plug-in handed to the worker, one folder a call:
 *   compare-pictures RECORD FIRST
 * Folders are named KIND-WHAT: all of a kind must hold the same pictures and masks as
 * KIND-reference, within 1/255. Of a folder "mean NUMBER ..." the mask must have this mean, as
 * near. Prints TAP, checks counted on from FIRST, and the plan. */
#include "engine/picture/picture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOUND (1.0 / 255)
#define MEAN  "mean "

// the largest difference of two pictures; more than any when their sizes differ
static double difference(const picture *a, const picture *b)
{
    double most = 0;

    if (a == NULL || b == NULL || a->width != b->width || a->height != b->height ||
        a->channels != b->channels) {
        return 2;
    }
    const size_t n = (size_t)a->width * a->height * a->channels;
    for (size_t i = 0; i < n; i++) {
        most = fmax(most, fabs((double)a->pixels[i] - b->pixels[i]));
    }
    return most;
}

static int count_pictures(const char *folder)
{
    g_autoptr(GDir) d = g_dir_open(folder, 0, NULL);
    int n = 0;

    for (const char *name; d != NULL && (name = g_dir_read_name(d)) != NULL;) {
        n += g_str_has_suffix(name, ".tif");
    }
    return n;
}

// each picture of the reference against that of the same name
static double compare_folders(const char *reference, const char *folder)
{
    g_autoptr(GDir) d = g_dir_open(reference, 0, NULL);
    double most = count_pictures(reference) == count_pictures(folder) ? 0 : 2;

    for (const char *name; d != NULL && (name = g_dir_read_name(d)) != NULL;) {
        if (g_str_has_suffix(name, ".tif")) {
            g_autofree char *expected = g_build_filename(reference, name, NULL);
            g_autofree char *found = g_build_filename(folder, name, NULL);
            g_autoptr(picture) a = picture_read(expected, 1, NULL);
            g_autoptr(picture) b = picture_read(found, 1, NULL);
            most = fmax(most, difference(a, b));
        }
    }
    return d != NULL ? most : 2;
}

// the mean of the mask beside the number in the folder's name
static double difference_of_mean(const char *name, const char *folder)
{
    g_autofree char *file = g_build_filename(folder, "mask-0.tif", NULL);
    g_autoptr(picture) mask = picture_read_mask(file, 1, NULL);
    double sum = 0;

    if (mask == NULL) {
        return 2;
    }
    const size_t n = (size_t)mask->width * mask->height;
    for (size_t i = 0; i < n; i++) {
        sum += mask->pixels[i];
    }
    return fabs(sum / (double)n - g_ascii_strtod(name + strlen(MEAN), NULL));
}

int main(int argc, char **argv)
{
    const char *record = argv[1];
    g_autoptr(GDir) all = g_dir_open(record, 0, NULL);
    int checks = atoi(argv[2]);
    bool good = true;

    for (const char *name; all != NULL && (name = g_dir_read_name(all)) != NULL;) {
        g_autofree char *kind = g_strndup(name, strcspn(name, "-"));
        g_autofree char *base = g_strconcat(kind, "-reference", NULL);
        g_autofree char *reference = g_build_filename(record, base, NULL);
        g_autofree char *folder = g_build_filename(record, name, NULL);
        const bool level = g_str_has_prefix(name, MEAN);
        const double most =
            level ? difference_of_mean(name, folder) : compare_folders(reference, folder);
        const bool same = most <= BOUND;

        good = good && same;
        printf("%sok %d - %s is %s (%d pictures, largest difference %.5f)\n", same ? "" : "not ",
               ++checks, name, level ? "what was marked" : base, count_pictures(folder), most);
    }
    printf("1..%d\n", checks);
    return good ? 0 : 1;
}
