/* Targets that name two places: whose place is whose, what acts where, and where the picture goes.
 */
#include "engine/edit/edit_target.h"

#include <string.h>

struct opened {
    struct edit_target target;
    GPtrArray *texts;
};

static void open_one(struct opened *o, const char *prompt, const char *target)
{
    g_autoptr(GError) error = NULL;

    o->texts = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(o->texts, g_strdup("negative"));
    g_assert_true(edit_target_open(&o->target, prompt, target, 3, 5, o->texts, &error));
    g_assert_no_error(error);
}

static void close_one(struct opened *o)
{
    edit_target_finish(&o->target);
    g_ptr_array_unref(o->texts);
}

static void check_text(const struct opened *o, enum edit_role role, int i, const char *wanted)
{
    g_assert_cmpint(i, <, o->target.texts);
    g_assert_cmpstr(o->texts->pdata[o->target.row[role] + i], ==, wanted);
}

static void test_plain(void)
{
    static const char *const targets[] = {
        "a cat in the snow",
        "a fox on the left",                            // one place
        "a lion on the left and a bear on the right",   // neither is the picture's
        "a fox on the left and a red fox on the right", // both are
    };

    for (gsize i = 0; i < G_N_ELEMENTS(targets); i++) {
        struct opened o;
        open_one(&o, "a photo of a fox", targets[i]);
        g_assert_false(edit_target_has_places(&o.target));
        g_assert_false(o.target.moves);
        g_assert_cmpint(o.target.texts, ==, 1);
        g_assert_null(o.target.regions.guide.regions);
        g_assert_cmpuint(o.texts->len, ==, 3);
        check_text(&o, EDIT_TARGET, 0, targets[i]);
        check_text(&o, EDIT_SOURCE, 0, "a photo of a fox");
        close_one(&o);
    }
}

// the picture's subject comes first, wherever it stands
static void test_places(void)
{
    static const struct {
        const char *target, *own, *other, *rest, *source;
        enum place place;
    } cases[] = {
        {"a photo of a fox on the left and a lion on the right in the snow", "a fox on the left",
         "a lion on the right", "a photo of  and  in the snow", "a photo of a red fox on the left",
         PLACE_LEFT},
        {"a lion on the left, a fox on the right", "a fox on the right", "a lion on the left", ", ",
         "a photo of a red fox on the right", PLACE_RIGHT},
        {"a Red Fox at the bottom, and a lion at the top", "a Red Fox at the bottom",
         "a lion at the top", ", and ", "a photo of a red fox at the bottom", PLACE_BOTTOM},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct opened o;
        open_one(&o, "a photo of a red fox.", cases[i].target);
        g_assert_true(edit_target_has_places(&o.target));
        g_assert_true(o.target.moves);
        g_assert_cmpint(o.target.places[0].place, ==, cases[i].place);
        check_text(&o, EDIT_TARGET, 0, cases[i].rest);
        check_text(&o, EDIT_TARGET, 1, cases[i].own);
        check_text(&o, EDIT_TARGET, 2, cases[i].other);
        check_text(&o, EDIT_SOURCE, 0, "");
        check_text(&o, EDIT_SOURCE, 1, cases[i].source);
        check_text(&o, EDIT_SOURCE, 2, "");
        close_one(&o);
    }
}

// h w of 3 5: the middle column is half of each
static void test_regions(void)
{
    static const float left[] = {1, 1, 0.5f, 0, 0}, bottom[] = {0, 0.5f, 1};
    struct opened o;

    open_one(&o, "a fox", "a fox on the left and a lion on the right");
    const float *masks = o.target.regions.list.masks;
    for (int i = 0; i < 15; i++) {
        g_assert_cmpfloat_with_epsilon(masks[i], left[i % 5], 1e-6);
        g_assert_cmpfloat_with_epsilon(masks[15 + i], 1 - left[i % 5], 1e-6);
    }
    close_one(&o);
    open_one(&o, "a fox", "a lion at the top and a fox at the bottom");
    masks = o.target.regions.list.masks;
    for (int i = 0; i < 15; i++) {
        g_assert_cmpfloat_with_epsilon(masks[i], bottom[i / 5], 1e-6);
        g_assert_cmpfloat_with_epsilon(masks[15 + i], 1 - bottom[i / 5], 1e-6);
    }
    close_one(&o);
}

// a description that says where it is: the picture stays
static void test_stays(void)
{
    struct opened o;

    open_one(&o, "a fox on the left", "a fox on the left and a lion on the right");
    g_assert_true(edit_target_has_places(&o.target));
    g_assert_false(o.target.moves);
    check_text(&o, EDIT_SOURCE, 0, "a fox on the left");
    check_text(&o, EDIT_SOURCE, 1, "a fox on the left");
    close_one(&o);
}

// red where the subject is, grey around it
static picture *paint(int width, int height)
{
    g_autoptr(GError) error = NULL;
    picture *p = picture_create(width, height, 3, &error);

    g_assert_no_error(error);
    for (int i = 0; i < width * height; i++) {
        const int x = i % width, y = i / width;
        const bool inside = ABS(2 * x - width) < width / 3 && ABS(2 * y - height) < height / 3;
        for (int c = 0; c < 3; c++) {
            p->pixels[3 * i + c] = inside ? c == 0 : 0.5f;
        }
    }
    return p;
}

static void test_move(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(picture) image = paint(60, 40);
    struct opened o;
    int red[2] = {0};

    open_one(&o, "a fox", "a lion on the left and a fox on the right");
    g_autoptr(picture) moved = edit_target_move(&o.target, image, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpint(moved->width, ==, 60);
    g_assert_cmpint(moved->height, ==, 40);
    for (int i = 0; i < 60 * 40; i++) {
        red[i % 60 >= 30] += moved->pixels[3 * i] > 0.9f && moved->pixels[3 * i + 1] < 0.1f;
    }
    g_assert_cmpint(red[0], ==, 0);
    g_assert_cmpint(red[1], >, 50);
    g_assert_cmpfloat_with_epsilon(moved->pixels[0], 0.5, 1e-5); // its surroundings go on
    close_one(&o);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/edit-target/plain", test_plain);
    g_test_add_func("/edit-target/places", test_places);
    g_test_add_func("/edit-target/regions", test_regions);
    g_test_add_func("/edit-target/stays", test_stays);
    g_test_add_func("/edit-target/move", test_move);
    return g_test_run();
}
