/* The translations: they are found, they say what they should, and in each dialog no two fields
 * have one key, and none that of a button. */
#include "plugin/words.h"

#include "plugin/paths.h"
#include "plugin/procedures.h"

#include <glib.h>
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

static void check_keys(const struct procedure *p)
{
    const char *const buttons[] = {_("_Close"), _("_Cancel"), _("_Advanced"), _(p->action),
                                   "_Hilfe"};
    g_autoptr(GString) keys = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(buttons); i++) {
        g_string_append_c(keys, key_of(buttons[i]));
    }
    for (size_t i = 0; i < p->n_arguments; i++) {
        const char key = key_of(_(p->arguments[i].label));
        if (!g_ascii_isalnum(key) || strchr(keys->str, key) != NULL) {
            g_error("%s: the key of “%s” is taken", p->name, _(p->arguments[i].label));
        }
        g_string_append_c(keys, key);
    }
}

static void test_german(void)
{
    size_t n;
    const struct procedure *all = procedures_all(&n);

    if (!is_there()) {
        g_test_skip("built without gettext's programs");
        return;
    }
    g_assert_cmpstr(_("Cancelled."), ==, "Abgebrochen.");
    g_assert_cmpstr(_("The layer “%s” carries no settings of SVDiff; choose one that it made."), ==,
                    "Die Ebene „%s“ trägt keine Einstellungen von SVDiff; wählen Sie eine, die es "
                    "gemacht hat.");
    for (size_t i = 0; i < n; i++) {
        g_assert_cmpstr(_(all[i].summary), !=, all[i].summary);
        check_keys(&all[i]);
    }
}

int main(int argc, char **argv)
{
    g_setenv("LC_ALL", "C.UTF-8", TRUE);
    g_setenv("LANGUAGE", "de", TRUE);
    words_begin();
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/words/german", test_german);
    return g_test_run();
}
