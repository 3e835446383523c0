/* Targets that name two places: whose place is whose, what acts where, and where the picture goes.
 */
#include "engine/edit/edit_target.h"

#include <string.h>

static void open_one(struct edit_target *t, const char *prompt, const char *target)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(edit_target_open(t, prompt, target, &error));
    g_assert_no_error(error);
}

// what acts everywhere, then in the place of the picture's subject and of the other
static void check_texts(const struct edit_target *t, enum edit_role role, const char *everywhere,
                        const char *own, const char *other)
{
    const struct scene_texts texts = edit_target_texts(t, role, "negative");

    g_assert_cmpstr(texts.negative, ==, "negative");
    g_assert_cmpstr(texts.everywhere, ==, everywhere);
    g_assert_cmpint(texts.n_regions, ==, own != NULL ? 2 : 0);
    if (own != NULL) {
        g_assert_cmpstr(texts.regions[0].text, ==, own);
        g_assert_cmpstr(texts.regions[1].text, ==, other);
    }
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
        struct edit_target t;
        open_one(&t, "a photo of a fox", targets[i]);
        g_assert_false(edit_target_has_places(&t));
        g_assert_false(t.moves);
        check_texts(&t, EDIT_TARGET, targets[i], NULL, NULL);
        check_texts(&t, EDIT_SOURCE, "a photo of a fox", NULL, NULL);
        edit_target_finish(&t);
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
        struct edit_target t;
        open_one(&t, "a photo of a red fox.", cases[i].target);
        g_assert_true(edit_target_has_places(&t));
        g_assert_true(t.moves);
        g_assert_cmpint(t.places[0].place, ==, cases[i].place);
        check_texts(&t, EDIT_TARGET, cases[i].rest, cases[i].own, cases[i].other);
        check_texts(&t, EDIT_SOURCE, "", cases[i].source, "");
        edit_target_finish(&t);
    }
}

// each text as one token of one value: its number
static void embed_numbers(struct paint_sets *sets)
{
    for (guint i = 0; i < sets->sets->len; i++) {
        struct conditioning *c = &g_array_index(sets->sets, struct paint_set, i).texts;
        conditioning_init(c, (int)sets->texts->len, 1, 1, 0);
        for (int j = 0; j < c->n; j++) {
            c->context[j] = (float)j;
        }
    }
}

// the latents [3, 5] of a target: its halves [2, 5 or 3] along the side that they share, and where
// each model counts
static void check_scene(const char *target, int across, const float *own)
{
    g_autoptr(GError) error = NULL;
    struct paint_sets sets;
    struct scene scene;
    struct edit_target t;

    open_one(&t, "a fox", target);
    const struct scene_texts texts = edit_target_texts(&t, EDIT_TARGET, "");
    paint_sets_create(&sets);
    g_assert_true(scene_open(&scene, &sets, &texts, 1, 3, 5, &error));
    g_assert_no_error(error);
    embed_numbers(&sets);
    scene_prepare(&scene, &sets);
    g_assert_cmpint(scene.n, ==, 2);
    for (int i = 0; i < 15; i++) {
        const float here = own[across ? i % 5 : i / 5];
        g_assert_cmpfloat_with_epsilon(scene.regions.masks[i], here, 1e-6);
        g_assert_cmpfloat_with_epsilon(scene.regions.masks[15 + i], 1 - here, 1e-6);
        g_assert_cmpfloat_with_epsilon(scene.parts[0].weight[i], here, 1e-6);
        g_assert_cmpfloat_with_epsilon(scene.parts[1].weight[i], 1 - here, 1e-6);
    }
    // the negative prompt for each text, then everywhere and the two places
    for (int i = 0; i < 6; i++) {
        g_assert_cmpfloat(scene.parts[0].text->context[i], ==, i < 3 ? 0 : i - 2);
        g_assert_cmpfloat(scene.parts[1].text->context[i], ==, i < 3 ? 0 : i - 2);
    }
    // what was learned is in the first model alone
    g_assert_cmpuint(paint_sets_at(&sets, 0)->without, ==, 0);
    g_assert_cmpuint(paint_sets_at(&sets, 1)->without, ==, 1);
    scene_finish(&scene);
    paint_sets_close(&sets);
    edit_target_finish(&t);
}

// the middle of an odd side is half of each
static void test_regions(void)
{
    static const float left[] = {1, 1, 0.5f, 0, 0}, bottom[] = {0, 0.5f, 1};

    check_scene("a fox on the left and a lion on the right", true, left);
    check_scene("a lion at the top and a fox at the bottom", false, bottom);
}

// a description that says where it is: the picture stays
static void test_stays(void)
{
    struct edit_target t;

    open_one(&t, "a fox on the left", "a fox on the left and a lion on the right");
    g_assert_true(edit_target_has_places(&t));
    g_assert_false(t.moves);
    check_texts(&t, EDIT_SOURCE, "a fox on the left", "a fox on the left", "");
    edit_target_finish(&t);
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
    struct edit_target t;
    int red[2] = {0};

    open_one(&t, "a fox", "a lion on the left and a fox on the right");
    g_autoptr(picture) moved = edit_target_move(&t, image, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpint(moved->width, ==, 60);
    g_assert_cmpint(moved->height, ==, 40);
    for (int i = 0; i < 60 * 40; i++) {
        red[i % 60 >= 30] += moved->pixels[3 * i] > 0.9f && moved->pixels[3 * i + 1] < 0.1f;
    }
    g_assert_cmpint(red[0], ==, 0);
    g_assert_cmpint(red[1], >, 50);
    g_assert_cmpfloat_with_epsilon(moved->pixels[0], 0.5, 1e-5); // its surroundings go on
    edit_target_finish(&t);
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
