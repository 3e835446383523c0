/* The plug-in in GIMP 2.10: registration and calls, both from the table of procedures.
 *
 * GIMP gets run-mode, image and drawable where the procedure works on layers, then the arguments in
 * order: choices and files travel as strings, channels as ids. GIMP 2.10 checks no ranges:
 * values_check does. Several layers are chosen by linking them (the chain in the dialog of layers):
 * they come along when the drawable is one of them. Results: the path of a file, or how many layers
 * and an array of them. */
#include "plugin/entry.h"
#include "plugin/host_ids.h"
#include "plugin/host_linked.h"
#include "plugin/icons.h"
#include "plugin/layers_out.h"
#include "plugin/paths.h"
#include "plugin/words.h"

#include "engine/base/error.h"

#define ICON_SIDE 16 // pixels; GIMP 2.10 shows them as they are

/* ---- registration ---- */

static const GimpPDBArgType types[] = {
    [ARGUMENT_INT] = GIMP_PDB_INT32,   [ARGUMENT_NUMBER] = GIMP_PDB_FLOAT,
    [ARGUMENT_TEXT] = GIMP_PDB_STRING, [ARGUMENT_CHOICE] = GIMP_PDB_STRING,
    [ARGUMENT_FILE] = GIMP_PDB_STRING, [ARGUMENT_CHANNEL] = GIMP_PDB_CHANNEL,
};

static GimpParamDef definition(GimpPDBArgType type, const char *name, const char *text)
{
    return (GimpParamDef){type, (char *)name, (char *)text}; // GIMP reads them only
}

// what comes before the arguments of the table
static int first_of(const struct procedure *p)
{
    return p->input == INPUT_NONE ? 1 : p->input == INPUT_LAYERS ? 4 : 3;
}

// pixels as GIMP 2.10 keeps them: GdkPixdata, big-endian, four channels of 8 bits
static GByteArray *pack_icon(const GdkPixbuf *icon)
{
    const int width = gdk_pixbuf_get_width(icon), height = gdk_pixbuf_get_height(icon);
    const guint32 header[] = {0x47646b50,                         // "GdkP"
                              24 + 4 * (guint32)(width * height), // bytes
                              0x01010002,                         // raw, 8 bits, with alpha
                              4 * (guint32)width,
                              (guint32)width,
                              (guint32)height};
    GByteArray *bytes = g_byte_array_new();

    for (size_t i = 0; i < G_N_ELEMENTS(header); i++) {
        const guint32 number = GUINT32_TO_BE(header[i]);
        g_byte_array_append(bytes, (const guint8 *)&number, sizeof number);
    }
    for (int y = 0; y < height; y++) {
        g_byte_array_append(
            bytes, gdk_pixbuf_read_pixels(icon) + (size_t)y * gdk_pixbuf_get_rowstride(icon),
            4 * (guint)width);
    }
    return bytes;
}

// an icon of other pixels is left out: GIMP would read beyond its end
static void show_icon(const struct procedure *p)
{
    g_autoptr(GdkPixbuf) icon = icons_of(p);
    g_autoptr(GdkPixbuf) small =
        icon != NULL ? gdk_pixbuf_scale_simple(icon, ICON_SIDE, ICON_SIDE, GDK_INTERP_HYPER) : NULL;

    if (small != NULL && gdk_pixbuf_get_n_channels(small) == 4) {
        g_autoptr(GByteArray) bytes = pack_icon(small);
        gimp_plugin_icon_register(p->name, GIMP_ICON_TYPE_INLINE_PIXBUF, bytes->data);
    }
}

static void install(const struct procedure *p)
{
    const GimpParamDef file[] = {definition(GIMP_PDB_STRING, "file", "The subject file")};
    const GimpParamDef layers[] = {definition(GIMP_PDB_INT32, "num-layers", "How many layers"),
                                   definition(GIMP_PDB_INT32ARRAY, "layers", "The new layers")};
    const bool is_file = p->result == RESULT_FILE;
    const int first = first_of(p);
    g_autofree GimpParamDef *arguments = g_new(GimpParamDef, 4 + procedure_scripted(p));

    arguments[0] =
        definition(GIMP_PDB_INT32, "run-mode",
                   "RUN-INTERACTIVE (0), RUN-NONINTERACTIVE (1), RUN-WITH-LAST-VALS (2)");
    arguments[1] = definition(GIMP_PDB_IMAGE, "image", "The image");
    // GIMP's menu would be grey, or do nothing, without a drawable of its own choice
    arguments[2] = definition(GIMP_PDB_ITEM, "drawable", "The layer");
    if (p->input == INPUT_LAYERS) {
        arguments[2] = definition(GIMP_PDB_INT32, "num-drawables", "How many layers");
        arguments[3] = definition(GIMP_PDB_INT32ARRAY, "drawables", "The layers");
    }
    for (size_t i = 0; i < procedure_scripted(p); i++) {
        arguments[first + i] =
            definition(types[p->arguments[i].kind], p->arguments[i].name, p->arguments[i].text);
    }
    gimp_install_procedure(p->name, p->summary, p->help, AUTHORS, LICENSE, YEAR, p->menu, "",
                           GIMP_PLUGIN, first + (int)procedure_scripted(p), is_file ? 1 : 2,
                           arguments, is_file ? file : layers);
    gimp_plugin_menu_register(p->name, p->place);
    show_icon(p);
}

static void query(void)
{
    size_t n;
    const struct procedure *all = procedures_all(&n);
    g_autofree char *locale = paths_locale(), *help = paths_help();

    gimp_plugin_domain_register(WORDS_DOMAIN, locale); // GIMP translates menus itself
    gimp_plugin_help_register(WORDS_DOMAIN, help);
    for (size_t i = 0; i < n; i++) {
        install(&all[i]);
    }
}

/* ---- calls ---- */

static void read_arguments(values *v, const GimpParam *arguments)
{
    const int first = first_of(v->procedure);

    for (size_t i = 0; i < procedure_scripted(v->procedure); i++) {
        const struct argument *p = &v->procedure->arguments[i];
        const GimpParamData *data = &arguments[first + i].data;
        if (argument_is_text(p)) {
            values_set_text(v, i, data->d_string);
        } else { // ids are whole numbers, too
            values_set_number(v, i, p->kind == ARGUMENT_NUMBER ? data->d_float : data->d_int32);
        }
    }
}

// with a dialog GIMP may leave out what comes from it
static bool check_arguments(const struct procedure *p, int n, const GimpParam *arguments,
                            GError **error)
{
    const int wanted = first_of(p) + (int)procedure_scripted(p);

    return (n == wanted || (n > 0 && arguments[0].data.d_int32 != GIMP_RUN_NONINTERACTIVE)) ||
           error_usage(error, "%s takes %d arguments, %d were given.", p->name, wanted, n);
}

// from the menu GIMP gives the image alone
static GArray *chosen_layers(host_image image, bool several)
{
    GArray *all = host_chosen_layers(image, several);
    const host_item before = all->len == 0 ? host_layer_before(image) : HOST_NONE;

    if (before != HOST_NONE) {
        g_array_append_val(all, before);
    }
    return all;
}

/* The layers of a call: the given ones, or the drawable, and if it is linked all that are.
 * (host_item is gint32.) */
static GArray *given_layers(const struct procedure *p, int n, const GimpParam *arguments)
{
    const host_image image = arguments[1].data.d_image;
    const bool several = p->input == INPUT_LAYERS, given = n >= first_of(p);
    const bool asked = arguments[0].data.d_int32 != GIMP_RUN_NONINTERACTIVE;
    GArray *all = g_array_new(FALSE, FALSE, sizeof(host_item));

    if (!host_image_exists(image)) {
        return all;
    }
    if (several && given && arguments[2].data.d_int32 > 0) {
        g_array_append_vals(all, arguments[3].data.d_int32array, (guint)arguments[2].data.d_int32);
    } else if (!several && given) {
        host_add_linked(image, host_layer_of(arguments[2].data.d_item), all);
    } else if (asked) {
        g_array_unref(all);
        return chosen_layers(image, several);
    }
    return all;
}

static bool run_procedure(int n, const GimpParam *arguments, values *v, struct call_result *result,
                          GError **error)
{
    const bool has_image = v->procedure->input != INPUT_NONE && n >= 2;
    const host_image image = has_image ? arguments[1].data.d_image : HOST_NONE;
    g_autoptr(GArray) layers = has_image ? given_layers(v->procedure, n, arguments)
                                         : g_array_new(FALSE, FALSE, sizeof(host_item));
    const struct call chosen = {
        .image = image, .layers = (host_item *)layers->data, .n_layers = (int)layers->len};

    if (!check_arguments(v->procedure, n, arguments, error)) {
        return false;
    }
    const enum entry_mode mode = (enum entry_mode)arguments[0].data.d_int32;
    if (mode == ENTRY_NONINTERACTIVE) {
        read_arguments(v, arguments);
    }
    return entry_run(mode, &chosen, v, result, error);
}

/* ---- results: they live until the process ends, as GIMP's library wants it ---- */

static void set_string(GimpParam *out, const char *text)
{
    out->type = GIMP_PDB_STRING;
    out->data.d_string = g_strdup(text);
}

/* The sentence goes where the first value would be. GIMP fills up missing values and reads an array
 * with the length in the value before it, which would be the sentence: no value may be missing. */
static int return_error(GimpParam *out, const struct procedure *p, const GError *error)
{
    out[0].data.d_status = host_status(error);
    set_string(&out[1], error->message);
    set_string(&out[2], "");
    return out[0].data.d_status == GIMP_PDB_CANCEL ? 1 : p->result == RESULT_FILE ? 2 : 3;
}

// texts and arrays are GIMP's from here on
static int return_result(GimpParam *out, const struct call_result *result)
{
    out[0].data.d_status = GIMP_PDB_SUCCESS;
    if (result->file != NULL) {
        set_string(&out[1], result->file);
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

    words_begin();
    layers_out_begin();
    gimp_plugin_enable_precision();
    out[0].type = GIMP_PDB_STATUS;
    *results = out;
    *n_results = run_procedure(n, arguments, v, &result, &error)
                     ? return_result(out, &result)
                     : return_error(out, v->procedure, error);
    call_result_clear(&result);
}

const GimpPlugInInfo PLUG_IN_INFO = {NULL, NULL, query, run};

MAIN()
