/* The translations: they are found, they say what they should, and in each dialog no two fields
 * have one key, and none that of a button. */
#include "plugin/words.h"

#include "plugin/paths.h"
#include "plugin/procedures.h"

#include <glib.h>
#include <locale.h>
#include <string.h>

static bool is_there(void)
{
    g_autofree char *folder = paths_locale();
    g_autofree char *file = g_build_filename(folder, "de", "LC_MESSAGES", "svdiff.mo", NULL);

    return g_file_test(file, G_FILE_TEST_EXISTS);
}

static char key_of(const char *label)
{
    const char *line = strchr(label, '_');

    g_assert_nonnull(line);
    return g_ascii_toupper(line[1]);
}

static void take_key(GString *keys, const struct procedure *p, const char *label)
{
    const char key = key_of(label);

    if (!g_ascii_isalnum(key) || strchr(keys->str, key) != NULL) {
        g_error("%s: the key of “%s” is taken, of %s", p->name, label, keys->str);
    }
    g_string_append_c(keys, key);
}

// help: GIMP's word; what a dialog has besides its fields is told by the procedure
static void check_keys(const struct procedure *p, const char *help)
{
    const bool layers = p->result == RESULT_LAYERS, learns = p->id == PROCEDURE_LEARN;
    const struct {
        bool there;
        const char *label;
    } buttons[] = {{true, _("_Close")},
                   {true, _("_Advanced")},
                   {true, help},
                   {true, _("Re_set")},
                   {true, _("Preset (_Q)")},
                   {true, _(p->action)},
                   {layers && p->input != INPUT_NONE, _("Settings of La_yer")},
                   {layers, _("_Keep Chosen")},
                   {layers, _("What was made (_V):")},
                   {learns, _("Stop and _Keep")},
                   {learns, _("Pa_int It Now")},
                   {learns, _("_What is it?")}};
    g_autoptr(GString) keys = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(buttons); i++) {
        if (buttons[i].there) {
            take_key(keys, p, buttons[i].label);
        }
    }
    for (size_t i = 0; i < p->n_arguments; i++) {
        const struct argument *a = &p->arguments[i];
        if (!a->hidden) { // rows of places have it on the button that adds one
            take_key(keys, p,
                     a->look == LOOK_REGIONS ? _("Put Something _in a Place") : _(a->label));
        }
    }
}

static void check_all_keys(const char *help)
{
    size_t n;
    const struct procedure *all = procedures_all(&n);

    for (size_t i = 0; i < n; i++) {
        check_keys(&all[i], help);
    }
}

// GIMP sorts its menus by the texts, with the keys' marks taken out
static void check_menu(void)
{
    static const char *const work[] = {"learn", "generate", "edit", "compose", "convert"};
    g_autofree char *before = g_strdup("");

    for (size_t i = 0; i < G_N_ELEMENTS(work); i++) {
        g_autofree char *name = g_strconcat("plug-in-svdiff-", work[i], NULL);
        g_auto(GStrv) parts = g_strsplit(_(procedure_find(name)->menu), "_", -1);
        char *label = g_strjoinv("", parts);
        g_assert_cmpint(g_utf8_collate(before, label), <, 0);
        g_free(before);
        before = label;
    }
}

static void speak(const char *language)
{
    g_setenv("LANGUAGE", language, TRUE);
    setlocale(LC_ALL, ""); // what was looked up is forgotten
}

static void test_german(void)
{
    size_t n;
    const struct procedure *all = procedures_all(&n);

    if (!is_there()) {
        g_test_skip("built without gettext's programs");
        return;
    }
    speak("de");
    g_assert_cmpstr(_("Cancelled."), ==, "Abgebrochen.");
    g_assert_cmpstr(_("The layer “%s” carries no settings of SVDiff; choose one that it made."), ==,
                    "Die Ebene „%s“ trägt keine Einstellungen von SVDiff; wählen Sie eine, die es "
                    "gemacht hat.");
    for (size_t i = 0; i < n; i++) {
        g_assert_cmpstr(_(all[i].summary), !=, all[i].summary);
    }
    check_all_keys("_Hilfe");
    check_menu();
}

static void test_english(void)
{
    speak("en");
    g_assert_cmpstr(_("Cancelled."), ==, "Cancelled.");
    check_all_keys("_Help");
    check_menu();
}

int main(int argc, char **argv)
{
    g_setenv("LC_ALL", "C.UTF-8", TRUE);
    g_setenv("LANGUAGE", "de", TRUE);
    words_begin();
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/words/german", test_german);
    g_test_add_func("/words/english", test_english);
    return g_test_run();
}
