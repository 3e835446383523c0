/* What learning asks and shows; see dialog_learn.h.
 *
 * Name and prompt follow the thing until a person writes another into them. While the dialog is
 * open the person may select something else: what marks the subject is looked at again and again,
 * small, and where it changed the worker is asked anew. */
#include "plugin/dialog_learn.h"

#include "plugin/beginning.h"
#include "plugin/dialog_channels.h"
#include "plugin/dialog_squares.h"
#include "plugin/dialog_toolkit.h"
#include "plugin/layers_in.h"
#include "plugin/learned.h"
#include "plugin/marks.h"
#include "plugin/thing.h"
#include "plugin/words.h"

#include <string.h>

#define SIDE      112 // pixels of the squares
#define SMALL     80  // on a low screen
#define LINE      300
#define LOOK_MS   800 // between two looks
#define LOOK_SIDE 48  // pixels of what is looked at

// the first three are borrowed from the dialog
struct dialog_learn {
    struct dialog_target *target;
    struct dialog_fields *fields;
    struct dialog_estimate *estimate;
    char *layer; // whose name was looked at for the thing
    GtkWidget *entry, *note, *squares, *line;
    char *thing; // that name and prompt follow
    guint timer;
    guint seen; // hash of what marks the subject
};

// chosen when the dialog opened, or later: it may be gone
static bool is_layer(const struct dialog_target *t)
{
    return t->call.n_layers > 0 && host_image_exists(t->call.image) &&
           host_layer_exists(t->call.layers[0]);
}

static int square_side(void)
{
    return toolkit_is_low() ? SMALL : SIDE;
}

/* ---- what it is ---- */

// the text of a field that said what followed from the thing before
static void follow(GtkWidget *entry, const char *before, const char *text)
{
    const char *now = toolkit_text(entry);

    if (now[0] == '\0' || strcmp(now, before) == 0) {
        toolkit_set_text(entry, text);
    }
}

static void take_thing(struct dialog_learn *l, const char *thing)
{
    g_autofree char *before = thing_prompt(l->thing), *prompt = thing_prompt(thing);

    // against the old thing, which is replaced only then
    follow(dialog_fields_inner(l->fields, "name"), l->thing, thing);
    follow(dialog_fields_inner(l->fields, "prompt"), before, prompt);
    g_free(l->thing);
    l->thing = g_strdup(thing);
}

// what is there under this name would be lost
static void warn_of_old(struct dialog_learn *l)
{
    // a copy: fields may be about to get other values
    g_autoptr(values) now = dialog_fields_values(l->fields);
    g_autofree char *file = learned_file(now, NULL), *part = learned_part(now);
    g_autofree char *text =
        g_strdup_printf(_("“%s” was learned before; it will be replaced."), part);
    const bool old = file != NULL && g_file_test(file, G_FILE_TEST_EXISTS);

    gtk_label_set_text(GTK_LABEL(l->note), old ? text : "");
    gtk_widget_set_visible(l->note, old);
    if (old) {
        toolkit_tell("learn: %s", text);
    }
}

static void on_thing(struct dialog_learn *l)
{
    g_autofree char *thing = g_strdup(toolkit_text(l->entry));

    take_thing(l, g_strstrip(thing));
}

void dialog_learn_reset(struct dialog_learn *l)
{
    g_autofree char *thing = thing_of_name(l->layer);

    // what was kept is of another subject
    toolkit_set_text(dialog_fields_inner(l->fields, "name"), "");
    toolkit_set_text(dialog_fields_inner(l->fields, "prompt"), "");
    toolkit_set_text(dialog_fields_inner(l->fields, "class-prompt"), "");
    toolkit_set_text(l->entry, thing != NULL ? thing : "");
    take_thing(l, thing != NULL ? thing : "");
    toolkit_tell("learn: it is “%s”", l->thing);
}

const char *dialog_learn_missing(struct dialog_learn *l)
{
    const char *name = toolkit_text(dialog_fields_inner(l->fields, "name"));

    if (name[0] != '\0') {
        return NULL;
    }
    // the sentence is about this field: the keys go there
    gtk_widget_grab_focus(l->entry);
    return _("Say what it is, in a word or two: fox, dog, red teapot.");
}

/* ---- what marks it ---- */

// what marks a subject, as people read it: in the list of channels, and beside the square
static const struct {
    const char *name,
        *sentence; // with the channel's name, if it is one, and the share of the square
} marks[] = {
    // in the order of enum call_mark, which marks_of gives
    [CALL_MARK_NONE] = {N_("nothing: all of the layer is learned"),
                        N_("All of this square is learned. Select the subject, and it alone is.")},
    [CALL_MARK_SELECTION] = {N_("the selection"),
                             N_("The selection marks the subject: %s of this square.")},
    [CALL_MARK_MASK] = {N_("the layer's mask"),
                        N_("The layer's mask marks the subject: %s of this square.")},
    [CALL_MARK_CHANNEL] = {N_("the channel"),
                           N_("The channel “%s” marks the subject: %s of this square.")},
};

// what no channel means, now
static void name_none(const struct dialog_learn *l)
{
    GtkWidget *channels = dialog_fields_inner(l->fields, "mask-channel");
    GtkTreeModel *model = gtk_combo_box_get_model(GTK_COMBO_BOX(channels));
    const char *now =
        _(marks[marks_of(&l->target->call, l->target->call.layers[0], HOST_NONE)].name);
    g_autofree char *before = NULL;
    GtkTreeIter row;

    if (gimp_int_store_lookup_by_value(model, HOST_NONE, &row)) {
        gtk_tree_model_get(model, &row, GIMP_INT_STORE_LABEL, &before, -1);
    }
    if (before != NULL && strcmp(before, now) != 0) {
        gtk_list_store_set(GTK_LIST_STORE(model), &row, GIMP_INT_STORE_LABEL, now, -1);
    }
}

/* Small, because it is made at every look; a change that is not seen in so few pixels marks no
 * other subject. */
static guint hash_item(host_item item)
{
    g_autoptr(GdkPixbuf) small = toolkit_thumbnail(item, LOOK_SIDE);
    g_autoptr(GBytes) bytes = small != NULL ? gdk_pixbuf_read_pixel_bytes(small) : NULL;

    return bytes != NULL ? g_bytes_hash(bytes) : 0;
}

// of the selection, and of the layer with what its mask shows
static guint hash_marks(const struct dialog_learn *l)
{
    struct host_area area = {0};
    const bool selected = layers_in_selection(l->target->call.image, &area);
    const host_item mask = host_layer_mask(l->target->call.layers[0]);

    // factors keep a change of one from being undone by that of another
    return (guint)(area.x + 31 * area.y + 961 * area.width + 29791 * area.height) ^
           (selected ? hash_item(host_selection(l->target->call.image)) : 1) ^
           (mask != HOST_NONE ? 7 * hash_item(mask) : 2) ^ 3 * hash_item(l->target->call.layers[0]);
}

// another layer is another thing, unless the person named this one
static void take_layer(struct dialog_learn *l)
{
    g_autofree char *before = thing_of_name(l->layer);
    // a thing that no layer's name said was written by the person
    const bool own = l->thing[0] != '\0' && g_strcmp0(l->thing, before) != 0;
    char *name = host_item_name(l->target->call.layers[0]);
    const bool same = strcmp(name, l->layer) == 0;

    g_free(l->layer);
    l->layer = name;
    if (!same && !own) {
        dialog_learn_reset(l);
    }
}

static gboolean on_look(struct dialog_learn *l)
{
    dialog_target_update(l->target, NULL);
    if (!is_layer(l->target)) {
        return G_SOURCE_CONTINUE;
    }
    dialog_fields_renew(l->fields); // the channels
    name_none(l);
    const guint hash = hash_marks(l);
    // an estimate starts a process: only where something changed
    if (hash != l->seen) {
        l->seen = hash;
        take_layer(l);
        dialog_estimate_want(l->estimate);
    }
    return G_SOURCE_CONTINUE;
}

/* ---- what will be learned ---- */

// "27 %, 40 %"
static char *list_shares(const struct call_estimate *e)
{
    GString *list = g_string_new(NULL);

    for (guint i = 0; e->marked != NULL && i < e->marked->len; i++) {
        // a blank that does not break, so that number and sign stay in one line
        g_string_append_printf(list, "%s%.0f\u00a0%%", i > 0 ? ", " : "",
                               100 * g_array_index(e->marked, double, i));
    }
    return g_string_free(list, FALSE);
}

static char *describe_marks(const struct dialog_learn *l, const struct call_estimate *e)
{
    const host_item channel = dialog_channels_get(dialog_fields_inner(l->fields, "mask-channel"));
    const char *sentence =
        _(marks[marks_of(&l->target->call, l->target->call.layers[0], channel)].sentence);
    g_autofree char *shares = list_shares(e);
    g_autofree char *name = channel != HOST_NONE ? host_item_name(channel) : NULL;

    return name != NULL ? g_strdup_printf(sentence, name, shares)
                        : g_strdup_printf(sentence, shares);
}

// how large the file of each method would be, beside its name
static void show_sizes(const struct dialog_learn *l, const struct call_estimate *e)
{
    for (int i = 0; i < CALL_METHODS; i++) {
        const bool known = e != NULL && e->files[i] > 0;
        g_autofree char *size = known ? g_format_size((guint64)e->files[i]) : NULL;
        dialog_fields_note(l->fields, "method", i, size);
        toolkit_tell("learn: file %d of %s", i, known ? size : "no size");
    }
}

static void on_told(void *user, const struct call_estimate *e)
{
    struct dialog_learn *l = user;

    show_sizes(l, e);

    // NULL: the estimate failed, and its sentence stands in the other line
    if (e == NULL || e->squares == NULL || !is_layer(l->target)) {
        dialog_squares_show(l->squares, NULL, square_side());
        gtk_label_set_text(GTK_LABEL(l->line), "");
        return;
    }
    g_autofree char *marked = describe_marks(l, e);
    g_autofree char *text = l->target->call.n_layers > 1
                                ? g_strdup_printf(_("%d layers are learned together. %s"),
                                                  l->target->call.n_layers, marked)
                                : g_strdup(marked);
    gtk_label_set_text(GTK_LABEL(l->line), text);
    dialog_squares_show(l->squares, e->squares, square_side());
    toolkit_tell("learn: %s (%dx%d)", text, gdk_pixbuf_get_width(e->squares),
                 gdk_pixbuf_get_height(e->squares));
}

/* ---- afterwards ---- */

char *dialog_learn_describe(const values *v, bool stopped)
{
    g_autofree char *part = learned_part(v);

    return g_strdup_printf(
        stopped
            ? _("Learning was stopped, what was learned of “%s” is kept. Paint it now, or later: "
                "Generate has it among the subjects.")
            : _("“%s” is learned. Paint it now, or later: Generate has it among the subjects."),
        part);
}

values *dialog_learn_painting(const values *learned)
{
    g_autofree char *subject = learned_part(learned);
    g_autofree char *file = host_values_file();
    // what can be painted of it, the plainest first
    g_auto(GStrv) prompts = beginning_prompts(subject, values_text(learned, "model"));
    values *v = values_create(procedure_find("plug-in-svdiff-generate"));

    values_load(v, file);
    beginning_fill(v, file); // notes that it is begun with
    values_put(v, "prompt", prompts[0]);
    values_put(v, "model", values_text(learned, "model"));
    values_put(v, "subjects", subject);
    return v;
}

/* ---- making ---- */

static GtkWidget *make_question(struct dialog_learn *l)
{
    l->entry = toolkit_entry(-1);
    gimp_help_set_help_data(l->entry,
                            _("In a word or two: fox, dog, red teapot. The subject gets this name, "
                              "and can be spoken of by it when it is painted."),
                            NULL);
    l->note = toolkit_paragraph(LINE);
    gtk_widget_set_no_show_all(l->note, TRUE);
    return toolkit_column(2, l->entry, l->note, NULL);
}

static GtkWidget *make_squares(struct dialog_learn *l)
{
    l->squares = gtk_image_new();
    gtk_widget_set_size_request(l->squares, square_side(), square_side());
    l->line = toolkit_paragraph(LINE);
    return toolkit_row(12, l->squares, toolkit_grows(l->line), NULL);
}

struct dialog_learn *dialog_learn_new(struct dialog_target *target, struct dialog_fields *fields,
                                      struct dialog_estimate *estimate)
{
    struct dialog_learn *l = g_new0(struct dialog_learn, 1);

    *l = (struct dialog_learn){.target = target, .fields = fields, .estimate = estimate};
    l->layer = is_layer(target) ? host_item_name(target->call.layers[0]) : g_strdup("");
    l->thing = g_strdup("");
    GtkWidget *question = make_question(l);
    dialog_fields_lead(fields, _("_What is it?"), question, l->entry);
    dialog_fields_add(fields, make_squares(l));
    g_signal_connect_swapped(l->entry, "changed", G_CALLBACK(on_thing), l);
    g_signal_connect_swapped(dialog_fields_inner(fields, "name"), "changed",
                             G_CALLBACK(warn_of_old), l);
    g_signal_connect_swapped(dialog_fields_inner(fields, "method"), "changed",
                             G_CALLBACK(warn_of_old), l);
    dialog_learn_reset(l);
    dialog_estimate_watch(estimate, on_told, l);
    if (is_layer(l->target)) {
        // the first estimate is asked for by the dialog itself
        l->seen = hash_marks(l);
        name_none(l);
    }
    l->timer = g_timeout_add(LOOK_MS, G_SOURCE_FUNC(on_look), l);
    return l;
}

void dialog_learn_free(struct dialog_learn *l)
{
    if (l != NULL) {
        g_source_remove(l->timer);
        g_free(l->layer);
        g_free(l->thing);
        g_free(l);
    }
}
