/* The plug-in in GIMP 2.10: registration and calls, both from the table of procedures.
 *
 * GIMP gets run-mode, image, drawable, then the arguments in order: choices and files travel
 * as strings, channels as ids. GIMP 2.10 checks no ranges: values_check does. Results: learn gives
 * the path of a file; generate how many layers and an array of them. */
#include "plugin/call.h"
#include "plugin/dialog_gtk2.h"
#include "plugin/watch.h"

#include "engine/svdiff.h"

#include <libgimp/gimp.h>

#define FIRST 3 // what comes before the arguments of the table

static void query(void);
static void run(const char *name, int n, const GimpParam *arguments, int *n_results,
                GimpParam **results);

const GimpPlugInInfo PLUG_IN_INFO = {NULL, NULL, query, run};

MAIN()

/* ---- registration ---- */

static GimpPDBArgType argument_type(enum argument_kind kind)
{
    switch (kind) {
    case ARGUMENT_INT:
        return GIMP_PDB_INT32;
    case ARGUMENT_NUMBER:
        return GIMP_PDB_FLOAT;
    case ARGUMENT_CHANNEL:
        return GIMP_PDB_CHANNEL;
    case ARGUMENT_TEXT:
    case ARGUMENT_CHOICE:
    case ARGUMENT_FILE:
        break;
    }
    return GIMP_PDB_STRING;
}

static GimpParamDef definition(GimpPDBArgType type, const char *name, const char *text)
{
    return (GimpParamDef){type, (char *)name, (char *)text}; // GIMP reads them only
}

static void install(const struct procedure *p)
{
    const GimpParamDef file[] = {definition(GIMP_PDB_STRING, "file", "The subject file")};
    const GimpParamDef layers[] = {definition(GIMP_PDB_INT32, "num-layers", "How many layers"),
                                   definition(GIMP_PDB_INT32ARRAY, "layers", "The new layers")};
    const bool is_file = p->result == RESULT_FILE;
    g_autofree GimpParamDef *arguments = g_new(GimpParamDef, FIRST + p->n_arguments);

    arguments[0] =
        definition(GIMP_PDB_INT32, "run-mode",
                   "RUN-INTERACTIVE (0), RUN-NONINTERACTIVE (1), RUN-WITH-LAST-VALS (2)");
    arguments[1] = definition(GIMP_PDB_IMAGE, "image", "The image");
    arguments[2] = definition(GIMP_PDB_DRAWABLE, "drawable", "The layer");
    for (size_t i = 0; i < p->n_arguments; i++) {
        arguments[FIRST + i] = definition(argument_type(p->arguments[i].kind), p->arguments[i].name,
                                          p->arguments[i].text);
    }
    gimp_install_procedure(p->name, p->summary, p->help, "The SVDiff for GIMP authors",
                           "GPL-3.0-or-later", "2026", p->menu, "*", GIMP_PLUGIN,
                           FIRST + (int)p->n_arguments, is_file ? 1 : 2, arguments,
                           is_file ? file : layers);
    gimp_plugin_menu_register(p->name, "<Image>/Filters/SVDiff");
}

static void query(void)
{
    size_t n;
    const struct procedure *all = procedures_all(&n);

    for (size_t i = 0; i < n; i++) {
        install(&all[i]);
    }
}

/* ---- calls ---- */

static void read_arguments(values *v, const GimpParam *arguments)
{
    for (size_t i = 0; i < v->procedure->n_arguments; i++) {
        const GimpParam *a = &arguments[FIRST + i];
        switch (argument_type(v->procedure->arguments[i].kind)) {
        case GIMP_PDB_INT32:
            values_set_number(v, i, a->data.d_int32);
            break;
        case GIMP_PDB_FLOAT:
            values_set_number(v, i, a->data.d_float);
            break;
        case GIMP_PDB_CHANNEL:
            values_set_number(v, i, a->data.d_channel);
            break;
        default:
            values_set_text(v, i, a->data.d_string);
        }
    }
}

static bool on_progress(void *user, const struct call_progress *p)
{
    watch_progress(user, p);
    if (p->warning != NULL) {
        g_message("%s", p->warning);
    }
    return true;
}

static bool run_without_dialog(host_image image, host_item drawable, values *v,
                               struct call_result *result, GError **error)
{
    struct watch watch = {0};
    const struct call call = {
        .image = image, .drawable = drawable, .values = v, .progress = on_progress, .user = &watch};

    if (!values_check(v, error)) {
        return false;
    }
    host_progress_begin(v->procedure->title);
    const bool done = call_run(&call, result, error);
    host_progress_end();
    return done;
}

// with the dialog; closing it without a result is a cancel
static bool run_with_dialog(host_image image, host_item drawable, values *v,
                            struct call_result *result, GError **error)
{
    g_autofree char *file = host_values_file();
    g_autoptr(GError) unkept = NULL;

    values_load(v, file);
    if (!dialog_run(image, drawable, v, result)) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED, "Cancelled.");
        return false;
    }
    if (!values_store(v, file, &unkept)) {
        g_message("The settings are not kept for the next time: %s", unkept->message);
    }
    return true;
}

static bool run_in_mode(GimpRunMode mode, int n, const GimpParam *arguments, values *v,
                        struct call_result *result, GError **error)
{
    const host_image image = arguments[1].data.d_image;
    const host_item drawable = arguments[2].data.d_drawable;
    g_autofree char *file = host_values_file();

    if (mode == GIMP_RUN_INTERACTIVE) {
        return run_with_dialog(image, drawable, v, result, error);
    }
    if (mode == GIMP_RUN_WITH_LAST_VALS) {
        values_load(v, file);
    } else if (n == FIRST + (int)v->procedure->n_arguments) {
        read_arguments(v, arguments);
    } else {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "%s takes %d arguments, %d were given.", v->procedure->name,
                    FIRST + (int)v->procedure->n_arguments, n);
        return false;
    }
    return run_without_dialog(image, drawable, v, result, error);
}

/* ---- results: they live until the process ends, as GIMP's library wants it ---- */

/* The sentence goes where the first value would be. GIMP fills up missing values and reads an array
 * with the length in the value before it, which would be the sentence: no value may be missing. */
static int return_error(GimpParam *out, const struct procedure *p, const GError *error)
{
    const bool cancelled = g_error_matches(error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED);
    const bool usage = g_error_matches(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE);

    out[0].data.d_status = cancelled ? GIMP_PDB_CANCEL
                           : usage   ? GIMP_PDB_CALLING_ERROR
                                     : GIMP_PDB_EXECUTION_ERROR;
    out[1].type = GIMP_PDB_STRING;
    out[1].data.d_string = g_strdup(error->message);
    out[2].type = GIMP_PDB_STRING;
    out[2].data.d_string = g_strdup("");
    return cancelled ? 1 : p->result == RESULT_FILE ? 2 : 3;
}

static int return_result(GimpParam *out, const struct call_result *result)
{
    out[0].data.d_status = GIMP_PDB_SUCCESS;
    if (result->file != NULL) {
        out[1].type = GIMP_PDB_STRING;
        out[1].data.d_string = g_strdup(result->file);
        return 2;
    }
    out[1].type = GIMP_PDB_INT32;
    out[1].data.d_int32 = result->n_layers;
    out[2].type = GIMP_PDB_INT32ARRAY;
    out[2].data.d_int32array = g_memdup2(result->layers, result->n_layers * sizeof(gint32));
    return 3;
}

static void run(const char *name, int n, const GimpParam *arguments, int *n_results,
                GimpParam **results)
{
    static GimpParam out[3]; // GIMP's library reads them after the return
    g_autoptr(values) v = values_create(procedure_find(name));
    g_autoptr(GError) error = NULL;
    struct call_result result = {0};

    gegl_init(NULL, NULL);
    gimp_plugin_enable_precision();
    out[0].type = GIMP_PDB_STATUS;
    *results = out;
    if (n >= FIRST &&
        run_in_mode((GimpRunMode)arguments[0].data.d_int32, n, arguments, v, &result, &error)) {
        *n_results = return_result(out, &result);
    } else {
        *n_results = return_error(out, v->procedure, error);
    }
    call_result_clear(&result);
}
