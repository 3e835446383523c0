/* The list of subjects; see dialog_subjects.h. The entry is what counts: it may also name files
 * that are in no list. Pictures come one after the other, from the command. */
#include "plugin/dialog_subjects.h"

#include "plugin/brought.h"
#include "plugin/dialog_toolkit.h"
#include "plugin/folder.h"
#include "plugin/info.h"
#include "plugin/paths.h"
#include "plugin/words.h"

#include "engine/svdiff.h"

#include <stdbool.h>
#include <string.h>

#define PICTURE_SIDE    48 // pixels
#define SMALL_SIDE      24 // on a low screen
#define AROUND          6  // a picture, in its row
#define ROW_LEAST       36 // with the strength in GTK 3
#define ROWS            2  // that are seen at once
#define PEEK            16 // of the next one, which says that there is more
#define STRENGTH_MAX    2.0
#define NAME_CHARACTERS 28 // that are seen

// widgets are borrowed from the list that they are in
struct row {
    char *name;
    GtkWidget *tick, *image, *strength;
};

struct subjects {
    GtkWidget *entry, *box; // entry in box
    GtkWidget *list;        // NULL: there is nothing to tick
    char **there;           // what the rows are of, see list_files
    GArray *rows;           // struct row
    unsigned listed;        // LISTED_SUBJECTS and LISTED_BROUGHT
    guint asked;            // row whose picture is awaited
    GCancellable *stop;
    bool writing; // one of the two into the other
};

static void clear_row(struct row *row)
{
    g_free(row->name);
}

static void free_subjects(struct subjects *s)
{
    g_cancellable_cancel(s->stop);
    g_object_unref(s->stop);
    g_array_unref(s->rows);
    g_strfreev(s->there);
    g_free(s);
}

static struct row *row_at(const struct subjects *s, guint i)
{
    return &g_array_index(s->rows, struct row, i);
}

static int picture_side(void)
{
    return toolkit_is_low() ? SMALL_SIDE : PICTURE_SIDE;
}

// NULL: of a file, or of a name that is no longer there
static const struct row *find_row(const struct subjects *s, const char *name)
{
    for (guint i = 0; i < s->rows->len; i++) {
        if (strcmp(row_at(s, i)->name, name) == 0) {
            return row_at(s, i);
        }
    }
    return NULL;
}

/* ---- from one to the other ---- */

static void on_entry(struct subjects *s)
{
    g_auto(GStrv) parts = svdiff_subject_list(toolkit_text(s->entry));

    if (s->writing) {
        return;
    }
    s->writing = true;
    for (guint i = 0; i < s->rows->len; i++) {
        // all off, then those that the entry names: on_row does nothing meanwhile
        gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(row_at(s, i)->tick), FALSE);
    }
    for (char **part = parts; *part != NULL; part++) {
        double strength;
        g_autofree char *name = svdiff_subject_split(*part, &strength);
        const struct row *row = find_row(s, name);
        if (row != NULL) {
            gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(row->tick), TRUE);
            gtk_spin_button_set_value(GTK_SPIN_BUTTON(row->strength), strength);
        }
    }
    s->writing = false;
    toolkit_tell("subjects: %s", toolkit_text(s->entry));
}

// what the entry names and no row has stays, then come the rows that are ticked
static void on_row(struct subjects *s)
{
    g_auto(GStrv) parts = svdiff_subject_list(toolkit_text(s->entry));
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

    if (s->writing) {
        return;
    }
    for (char **part = parts; *part != NULL; part++) {
        double strength;
        g_autofree char *name = svdiff_subject_split(*part, &strength);
        if (find_row(s, name) == NULL) {
            g_strv_builder_add(builder, *part);
        }
    }
    for (guint i = 0; i < s->rows->len; i++) {
        const struct row *row = row_at(s, i);
        if (gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(row->tick))) {
            const double strength = gtk_spin_button_get_value(GTK_SPIN_BUTTON(row->strength));
            g_autofree char *part = svdiff_subject_join(row->name, strength);
            g_strv_builder_add(builder, part);
        }
    }
    g_auto(GStrv) all = g_strv_builder_end(builder);
    g_autofree char *text = g_strjoinv("; ", all);
    s->writing = true;
    toolkit_set_text(s->entry, text);
    s->writing = false;
    toolkit_tell("subjects: %s", text);
}

/* ---- pictures ---- */

static void ask_next(struct subjects *s);

static void on_told(void *user, JsonObject *info, const char *sentence)
{
    struct subjects *s = user;
    // rows that were made anew cancelled the question, which then tells nothing
    const struct row *row = row_at(s, s->asked);
    g_autoptr(GdkPixbuf) small = info_preview(info);

    if (small != NULL) {
        const int side = picture_side();
        g_autoptr(GdkPixbuf) fitting =
            gdk_pixbuf_scale_simple(small, side, side, GDK_INTERP_BILINEAR);
        gtk_image_set_from_pixbuf(GTK_IMAGE(row->image), fitting);
        gtk_widget_show(row->image);
        toolkit_tell("subjects: picture of %s", row->name);
    } else {
        toolkit_tell("subjects: no picture of %s", row->name);
    }
    s->asked++;
    ask_next(s);
}

// one question at a time: each is a process
static void ask_next(struct subjects *s)
{
    if (s->asked >= s->rows->len) {
        return;
    }
    g_autofree char *subject = paths_subject(row_at(s, s->asked)->name, NULL);
    if (subject != NULL) {
        info_ask(subject, s->stop, on_told, s);
    }
}

/* ---- making ---- */

static GtkWidget *make_row(struct subjects *s, const char *name)
{
    struct row row = {.name = g_strdup(name)};
    GtkWidget *label = gtk_label_new(name);

    row.image = gtk_image_new();
    gtk_widget_set_no_show_all(row.image, TRUE); // until there is a picture
    row.tick = gtk_check_button_new();
    // below 0 the shifts act the other way: as little like the subject as can be
    row.strength = gtk_spin_button_new_with_range(-STRENGTH_MAX, STRENGTH_MAX, 0.05);
    gtk_spin_button_set_value(GTK_SPIN_BUTTON(row.strength), 1);
    // Enter starts the run from here, too
    gtk_entry_set_activates_default(GTK_ENTRY(row.strength), TRUE);
    gtk_widget_set_tooltip_text(row.strength, _("How strongly the subject acts; 1: as learned."));
    if (g_utf8_strlen(name, -1) > NAME_CHARACTERS) {
        toolkit_ellipsize(label, NAME_CHARACTERS);
    }
    // vectors of a word have no strength but in a prompt's brackets
    const char *rest, *option = brought_among_subjects(name, &rest);
    if (g_strcmp0(option, "--embedding") == 0) {
        gtk_widget_set_no_show_all(row.strength, TRUE);
        gtk_widget_set_tooltip_text(row.tick, _("Write its name where the prompt shall mean it."));
    }
    gtk_container_add(GTK_CONTAINER(row.tick), toolkit_row(6, row.image, label, NULL));
    g_signal_connect_swapped(row.tick, "toggled", G_CALLBACK(on_row), s);
    g_signal_connect_swapped(row.strength, "value-changed", G_CALLBACK(on_row), s);
    g_array_append_val(s->rows, row);
    return toolkit_row(6, toolkit_grows(row.tick), row.strength, NULL);
}

static GtkWidget *make_list(struct subjects *s, char **names)
{
    GtkWidget *list = toolkit_column(2, NULL), *scrolled = toolkit_scrolled(list);
    const int n = (int)g_strv_length(names), height = MAX(picture_side() + AROUND, ROW_LEAST);

    for (char **name = names; *name != NULL; name++) {
        toolkit_add(list, make_row(s, *name), NULL);
    }
    gtk_widget_set_size_request(scrolled, -1, n > ROWS ? ROWS * height + PEEK : n * height);
    return scrolled;
}

/* Names, each with when its file was written: one that was learned again has a new picture.
 * g_strfreev it. */
static char **list_files(char **names)
{
    char **files = g_new0(char *, g_strv_length(names) + 1);

    for (int i = 0; names[i] != NULL; i++) {
        g_autofree char *path = paths_subject(names[i], NULL);
        const gint64 written = path != NULL ? folder_written(path) : -1;
        files[i] = g_strdup_printf("%s %" G_GINT64_FORMAT, names[i], written);
    }
    return files;
}

// the list is made anew
static void fill(struct subjects *s, char **names)
{
    g_autofree char *told = g_strjoinv("; ", names);

    g_cancellable_cancel(s->stop);
    g_object_unref(s->stop);
    s->stop = g_cancellable_new();
    s->asked = 0;
    g_clear_pointer(&s->list, gtk_widget_destroy);
    g_array_set_size(s->rows, 0);
    if (names[0] != NULL) {
        s->list = make_list(s, names);
        toolkit_add(s->box, s->list, NULL);
        gtk_widget_show_all(s->list);
        ask_next(s);
    }
    toolkit_tell("subjects: there are %s", told);
}

// what was learned, then what was brought along
static char **list_names(const struct subjects *s)
{
    g_auto(GStrv) subjects = s->listed & LISTED_SUBJECTS ? paths_subjects() : g_new0(char *, 1);
    g_auto(GStrv) brought = s->listed & LISTED_BROUGHT ? brought_names() : g_new0(char *, 1);
    g_autoptr(GStrvBuilder) all = g_strv_builder_new();

    g_strv_builder_addv(all, (const char **)subjects);
    g_strv_builder_addv(all, (const char **)brought);
    return g_strv_builder_end(all);
}

void dialog_subjects_renew(GtkWidget *entry)
{
    struct subjects *s = g_object_get_data(G_OBJECT(entry), "svdiff-subjects");
    g_auto(GStrv) names = list_names(s);
    g_auto(GStrv) files = list_files(names);

    if (!g_strv_equal((const char *const *)files, (const char *const *)s->there)) {
        g_strfreev(s->there);
        s->there = g_steal_pointer(&files);
        fill(s, names);
        on_entry(s);
    }
}

GtkWidget *dialog_subjects_new(GtkWidget *entry, unsigned listed)
{
    struct subjects *s = g_new0(struct subjects, 1);

    s->entry = entry;
    s->listed = listed;
    s->box = toolkit_column(4, entry, NULL);
    s->there = g_new0(char *, 1);
    s->rows = g_array_new(FALSE, FALSE, sizeof(struct row));
    g_array_set_clear_func(s->rows, (GDestroyNotify)clear_row);
    s->stop = g_cancellable_new();
    g_signal_connect_swapped(entry, "changed", G_CALLBACK(on_entry), s);
    g_object_set_data(G_OBJECT(entry), "svdiff-subjects", s);
    // twice: found by the entry, freed with the box that holds all of it
    g_object_set_data_full(G_OBJECT(s->box), "svdiff-subjects", s, (GDestroyNotify)free_subjects);
    dialog_subjects_renew(entry);
    return s->box;
}
