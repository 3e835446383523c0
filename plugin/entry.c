/* The modes of a call: with the dialog, with given values, with the last ones; see entry.h. */
#include "plugin/entry.h"

#include "plugin/beginning.h"
#include "plugin/dialog.h"
#include "plugin/watch.h"
#include "plugin/words.h"

#include "engine/svdiff.h"

static enum call_wish on_progress(void *user, const struct call_progress *p)
{
    watch_progress(user, p);
    if (p->warning != NULL) {
        // GIMP shows it, or writes it on the terminal
        g_message("%s", p->warning);
    }
    return CALL_GO_ON;
}

// GIMP's own bar shows where it is, and its Cancel ends this process
static bool run_without_dialog(const struct call *chosen, values *v, struct call_result *result,
                               GError **error)
{
    struct watch watch = {0};
    struct call call = *chosen;

    if (!values_check(v, error)) {
        return false;
    }
    call.values = v;
    call.progress = on_progress;
    call.user = &watch;
    host_progress_begin(_(v->procedure->title));
    const bool done = call_run(&call, result, error);
    host_progress_end();
    return done;
}

/* Closing the dialog without a result is a cancel. The dialogs that a person wants to see after it
 * work for themselves: what they make is in the image. */
static bool run_with_dialog(const struct call *chosen, values *v, const char *file,
                            struct call_result *result, GError **error)
{
    g_autoptr(values) next = NULL;

    values_load(v, file);
    if (v->procedure->id == PROCEDURE_GENERATE || v->procedure->id == PROCEDURE_CREATE) {
        // a subject that was learned since is what a person wants to see
        beginning_fill(v, file);
    }
    const bool made = dialog_run(chosen, v, false, result, &next);
    while (next != NULL) {
        struct call_result painted;
        g_autoptr(values) now = g_steal_pointer(&next);
        dialog_run(chosen, now, true, &painted, &next);
        call_result_clear(&painted);
    }
    if (!made) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED, _("Cancelled."));
    }
    return made;
}

// last values: those that a dialog kept, checked as given ones are
bool entry_run(enum entry_mode mode, const struct call *chosen, values *v,
               struct call_result *result, GError **error)
{
    g_autofree char *file = host_values_file();

    if (mode == ENTRY_INTERACTIVE) {
        return run_with_dialog(chosen, v, file, result, error);
    }
    if (mode == ENTRY_WITH_LAST_VALUES) {
        values_load(v, file);
    }
    return run_without_dialog(chosen, v, result, error);
}
