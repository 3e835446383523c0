/* The plug-in in GIMP 3: registration and calls, both from the table of procedures.
 *
 * GIMP adds run-mode, image and drawables where the procedure works on layers; then the arguments
 * in order: files travel as GFile, channels as objects. Choices are registered as texts: GIMP 3.0
 * replaces a choice that it does not know by the default and tells nobody, and values_check is to
 * see it. Results: a file, or an array of layers. */
#include "plugin/entry.h"
#include "plugin/host_ids.h"
#include "plugin/icons.h"
#include "plugin/layers_out.h"
#include "plugin/paths.h"
#include "plugin/words.h"

#include "engine/svdiff.h"

struct _SvdiffPlugIn {
    GimpPlugIn parent;
};

G_DECLARE_FINAL_TYPE(SvdiffPlugIn, svdiff_plug_in, SVDIFF, PLUG_IN, GimpPlugIn)
G_DEFINE_TYPE(SvdiffPlugIn, svdiff_plug_in, GIMP_TYPE_PLUG_IN)
GIMP_MAIN(svdiff_plug_in_get_type())

/* ---- calls ---- */

// what GIMP gave, as the table says its kind: an object, a text, or one of two kinds of numbers
static void read_argument(values *v, size_t i, GimpProcedureConfig *config)
{
    const struct argument *p = &v->procedure->arguments[i];
    g_auto(GValue) value = G_VALUE_INIT, number = G_VALUE_INIT;

    g_object_get_property(G_OBJECT(config), p->name, &value);
    if (p->kind == ARGUMENT_FILE) {
        GFile *file = g_value_get_object(&value);
        g_autofree char *path = file != NULL ? g_file_get_path(file) : NULL;
        values_set_text(v, i, path);
    } else if (argument_is_text(p)) {
        values_set_text(v, i, g_value_get_string(&value));
    } else if (p->kind == ARGUMENT_CHANNEL) {
        values_set_number(v, i, id_of(g_value_get_object(&value)));
    } else {
        g_value_init(&number, G_TYPE_DOUBLE);
        g_value_transform(&value, &number);
        values_set_number(v, i, g_value_get_double(&number));
    }
}

// a cancel needs no sentence: GIMP would show it in a window
static GimpValueArray *return_error(GimpProcedure *procedure, GError *error)
{
    const GimpPDBStatusType status = host_status(error);

    return gimp_procedure_new_return_values(procedure, status,
                                            status == GIMP_PDB_CANCEL ? NULL : g_error_copy(error));
}

// layers by id, which may be gone when a person closed the image: the array then ends there
static GimpValueArray *return_result(GimpProcedure *procedure, const struct call_result *result)
{
    GimpValueArray *out = gimp_procedure_new_return_values(procedure, GIMP_PDB_SUCCESS, NULL);
    GValue *value = gimp_value_array_index(out, 1);

    if (result->file != NULL) {
        g_value_take_object(value, g_file_new_for_path(result->file));
        return out;
    }
    g_autofree GObject **layers = g_new0(GObject *, result->n_layers + 1);
    for (int i = 0; i < result->n_layers; i++) {
        layers[i] = G_OBJECT(gimp_layer_get_by_id(result->layers[i]));
    }
    g_value_set_boxed(value, layers);
    return out;
}

/* The modes have one number in both GIMPs. Values that GIMP keeps of the last call are not used: a
 * dialog keeps its own, in the same file for both ways in. */
static GimpValueArray *run(GimpProcedure *procedure, GimpRunMode mode, const struct call *chosen,
                           GimpProcedureConfig *config, const struct procedure *p)
{
    g_autoptr(values) v = values_create(p);
    g_autoptr(GError) error = NULL;
    struct call_result result = {0};

    layers_out_begin();
    for (size_t i = 0; mode == GIMP_RUN_NONINTERACTIVE && i < procedure_scripted(p); i++) {
        read_argument(v, i, config);
    }
    GimpValueArray *out = entry_run((enum entry_mode)mode, chosen, v, &result, &error)
                              ? return_result(procedure, &result)
                              : return_error(procedure, error);
    call_result_clear(&result);
    return out;
}

// where a mask is painted in, the layer that has it is meant
static GArray *given_layers(GimpDrawable **drawables)
{
    const int n = (int)gimp_core_object_array_get_length((GObject **)drawables);
    GArray *all = g_array_new(FALSE, FALSE, sizeof(host_item));

    for (int i = 0; i < n; i++) {
        const host_item layer = host_layer_of(id_of(drawables[i]));
        g_array_append_val(all, layer);
    }
    return all;
}

// from the menu GIMP gives a channel where one is active
static GimpValueArray *run_on_layers(GimpProcedure *procedure, GimpRunMode mode, GimpImage *image,
                                     GimpDrawable **drawables, GimpProcedureConfig *config,
                                     void *data)
{
    g_autoptr(GArray) layers = given_layers(drawables);
    if (layers->len == 1 && mode == GIMP_RUN_INTERACTIVE &&
        !host_layer_exists(g_array_index(layers, host_item, 0))) {
        const host_item before = host_layer_before(id_of(image));
        g_array_index(layers, host_item, 0) = before;
        g_array_set_size(layers, before != HOST_NONE ? 1 : 0);
    }
    const struct call chosen = {
        .image = id_of(image), .layers = (host_item *)layers->data, .n_layers = (int)layers->len};
    return run(procedure, mode, &chosen, config, data);
}

// GIMP gives such a procedure nothing but its arguments, of which the mode is one
static GimpValueArray *run_alone(GimpProcedure *procedure, GimpProcedureConfig *config, void *data)
{
    const struct call chosen = {.image = HOST_NONE};
    GimpRunMode mode = GIMP_RUN_NONINTERACTIVE;

    g_object_get(config, "run-mode", &mode, NULL);
    return run(procedure, mode, &chosen, config, data);
}

/* ---- registration ---- */

static void add_choice(GimpProcedure *procedure, const struct argument *p)
{
    g_auto(GStrv) words = g_strsplit(p->choices, "|", -1);
    g_autofree char *list = g_strjoinv(", ", words);
    g_autofree char *text = g_strdup_printf("%s (%s)", _(p->text), list);

    gimp_procedure_add_string_argument(procedure, p->name, _(p->label), text, p->standard_text,
                                       GIMP_PARAM_READWRITE & ~G_PARAM_STATIC_BLURB);
}

// the range is GIMP's to check, here, and its own dialogs show label and text
static void add_argument(GimpProcedure *procedure, const struct argument *p)
{
    const GParamFlags flags = GIMP_PARAM_READWRITE;

    switch (p->kind) {
    case ARGUMENT_INT:
        gimp_procedure_add_int_argument(procedure, p->name, _(p->label), _(p->text), (int)p->low,
                                        (int)p->high, (int)p->standard, flags);
        break;
    case ARGUMENT_NUMBER:
        gimp_procedure_add_double_argument(procedure, p->name, _(p->label), _(p->text), p->low,
                                           p->high, p->standard, flags);
        break;
    case ARGUMENT_TEXT:
        gimp_procedure_add_string_argument(procedure, p->name, _(p->label), _(p->text),
                                           p->standard_text != NULL ? p->standard_text : "", flags);
        break;
    case ARGUMENT_CHOICE:
        add_choice(procedure, p);
        break;
    case ARGUMENT_FILE:
        gimp_procedure_add_file_argument(procedure, p->name, _(p->label), _(p->text),
                                         GIMP_FILE_CHOOSER_ACTION_ANY, TRUE, NULL, flags);
        break;
    case ARGUMENT_CHANNEL:
        gimp_procedure_add_channel_argument(procedure, p->name, _(p->label), _(p->text), TRUE,
                                            flags);
        break;
    }
}

static void add_result(GimpProcedure *procedure, const struct procedure *p)
{
    if (p->result == RESULT_FILE) {
        gimp_procedure_add_file_return_value(procedure, "file", "File", "The file",
                                             GIMP_PARAM_READWRITE);
    } else {
        gimp_procedure_add_core_object_array_return_value(
            procedure, "layers", "Layers", "The new layers", GIMP_TYPE_LAYER, GIMP_PARAM_READWRITE);
    }
}

// GIMP asks for it when it registers the plug-in, and again before each call
static GimpProcedure *create_procedure(GimpPlugIn *plug_in, const char *name)
{
    const struct procedure *p = procedure_find(name);
    GimpProcedure *procedure;

    if (p->input != INPUT_NONE) {
        procedure = gimp_image_procedure_new(plug_in, name, GIMP_PDB_PROC_TYPE_PLUGIN,
                                             run_on_layers, (void *)p, NULL);
        gimp_procedure_set_image_types(procedure, "*");
        // not grey in the menu where there is a layer: what is missing is said when it runs
        gimp_procedure_set_sensitivity_mask(procedure, GIMP_PROCEDURE_SENSITIVE_ALWAYS);
    } else {
        procedure = gimp_procedure_new(plug_in, name, GIMP_PDB_PROC_TYPE_PLUGIN, run_alone,
                                       (void *)p, NULL);
        gimp_procedure_add_enum_argument(procedure, "run-mode", "Run mode", "The run mode",
                                         GIMP_TYPE_RUN_MODE, GIMP_RUN_NONINTERACTIVE,
                                         GIMP_PARAM_READWRITE);
    }
    gimp_procedure_set_menu_label(procedure, _(p->menu));
    gimp_procedure_add_menu_path(procedure, p->place);
    g_autoptr(GdkPixbuf) icon = icons_of(p);
    gimp_procedure_set_icon_pixbuf(procedure, icon);
    gimp_procedure_set_documentation(procedure, _(p->summary), _(p->help), NULL);
    gimp_procedure_set_attribution(procedure, AUTHORS, LICENSE, YEAR);
    for (size_t i = 0; i < procedure_scripted(p); i++) {
        add_argument(procedure, &p->arguments[i]);
    }
    add_result(procedure, p);
    return procedure;
}

static void register_help(GimpPlugIn *plug_in)
{
    g_autofree char *uri = paths_help();
    g_autoptr(GFile) folder = g_file_new_for_uri(uri);

    gimp_plug_in_set_help_domain(plug_in, WORDS_DOMAIN, folder);
}

static GList *query_procedures(GimpPlugIn *plug_in)
{
    GList *names = NULL;
    size_t n;
    const struct procedure *all = procedures_all(&n);

    register_help(plug_in);
    for (size_t i = 0; i < n; i++) {
        names = g_list_append(names, g_strdup(all[i].name));
    }
    return names;
}

// texts are in the table's language
static gboolean set_no_i18n(GimpPlugIn *plug_in, const char *procedure, char **domain,
                            char **catalog)
{
    return FALSE;
}

static void svdiff_plug_in_class_init(SvdiffPlugInClass *class)
{
    GimpPlugInClass *parent = GIMP_PLUG_IN_CLASS(class);

    parent->query_procedures = query_procedures;
    parent->create_procedure = create_procedure;
    parent->set_i18n = set_no_i18n;
}

static void svdiff_plug_in_init(SvdiffPlugIn *plug_in)
{
    words_begin();
}
