/* The model that a worker keeps between its jobs; see kept_model.h. */
#include "engine/command/kept_model.h"

#include "engine/model/default_model.h"
#include "engine/base/file_stamp.h"
#include "engine/session/session.h"

#include <string.h>

/* ---- what a model is ---- */

// NULL with an error when there is no model
static char *make_stamp(const struct svdiff_options *o, GError **error)
{
    g_autofree char *model = model_place(o->model, error);
    GString *stamp = g_string_new(NULL);

    if (model == NULL) {
        g_string_free(stamp, TRUE);
        return NULL;
    }
    // what svdiff_open takes, and the files' stamps: all that makes it another model
    g_string_printf(stamp, "%d %d %d %d %d %s\n", (int)o->prediction, (int)o->device,
                    o->device_number, (int)o->precision, o->threads,
                    o->cache != NULL ? o->cache : "");
    for (int i = 0; i < o->n_more_devices; i++) {
        g_string_append_printf(stamp, "and %d\n", o->more_devices[i]);
    }
    file_stamp(stamp, model);
    if (o->tokenizer != NULL) {
        file_stamp(stamp, o->tokenizer);
    }
    if (o->vae != NULL) {
        g_string_append(stamp, "vae\n");
        file_stamp(stamp, o->vae);
    }
    return g_string_free(stamp, FALSE);
}

/* ---- keeping ---- */

svdiff *kept_model_open(struct kept_model *kept, const struct svdiff_options *options,
                        GError **error)
{
    // a process for one run
    if (kept == NULL) {
        return svdiff_open(options, error);
    }
    g_autofree char *stamp = make_stamp(options, error);
    if (stamp == NULL) {
        return NULL;
    }
    if (g_strcmp0(stamp, kept->stamp) != 0) {
        kept_model_drop(kept);
        kept->session = svdiff_open(options, error);
        kept->stamp = kept->session != NULL ? g_steal_pointer(&stamp) : NULL;
    }
    if (kept->session != NULL) { // who is told is another at every job
        kept->session->keeps = true;
        kept->session->options.warn = options->warn;
        kept->session->options.note = options->note;
        kept->session->options.user = options->user;
    }
    return kept->session;
}

void kept_model_close(const struct kept_model *kept, svdiff *s)
{
    if (kept == NULL || s != kept->session) {
        svdiff_close(s);
    }
}

#define PATIENCE_MS        300000
#define DEVICE_PATIENCE_MS 60000

int kept_model_patience(const struct kept_model *kept)
{
    const bool device = kept->session != NULL && kept->session->k->available != NULL;

    return device ? DEVICE_PATIENCE_MS : PATIENCE_MS;
}

bool kept_model_any(const struct kept_model *kept)
{
    return kept->session != NULL;
}

void kept_model_drop(struct kept_model *kept)
{
    g_clear_pointer(&kept->session, svdiff_close);
    g_clear_pointer(&kept->stamp, g_free);
}

// learn and the others have networks of their own, or none
bool kept_model_is_for(const char *command)
{
    return strcmp(command, "generate") == 0 || strcmp(command, "edit") == 0;
}
