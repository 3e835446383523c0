/* A number as a field; see dialog_number.h. Slider and digits follow each other; the slider has the
 * range that is sensible, the digits all that is allowed. */
#include "plugin/dialog_number.h"

#include "plugin/dialog_toolkit.h"
#include "plugin/words.h"

#include <math.h>
#include <string.h>

#define DIGITS      6   // behind the point that count
#define SIZE_STEP   8   // pixels
#define SIZE_LEAP   64  // and of models for large pictures
#define SIZE_LARGE  256 // pixels
#define SLIDER_SIDE 120 // pixels

struct number {
    const struct argument *argument;       // of the table, which stays
    GtkWidget *row, *spin, *slider, *tick; // slider and tick: NULL where there is none
    double own;                            // NAN: not known
    double shown;                          // what show() wrote last
    bool is_own;
    bool setting; // by the program, not by a person
    void (*changed)(void *user);
    void *user;
};

// the field's state hangs on its spin button, and goes with it
static struct number *number_of(GtkWidget *spin)
{
    return g_object_get_data(G_OBJECT(spin), "svdiff-number");
}

static double value_of(const struct number *n)
{
    return gtk_spin_button_get_value(GTK_SPIN_BUTTON(n->spin));
}

// a multiple of 8 is what the model can draw; rounded, since the worker would refuse it
static double allowed(const struct argument *p, double value)
{
    return p->look != LOOK_SIZE ? value
                                : CLAMP(round(value / SIZE_STEP) * SIZE_STEP, SIZE_STEP, p->high);
}

static double step_of(const struct argument *p)
{
    return p->look == LOOK_SIZE         ? SIZE_STEP
           : p->step > 0                ? p->step
           : p->kind == ARGUMENT_NUMBER ? 0.01
                                        : 1;
}

// the least that can be typed: what is less stands for the model's own, or for one
static double least_of(const struct argument *p)
{
    return p->standard < 0              ? 0
           : p->look == LOOK_SIZE       ? SIZE_STEP
           : p->kind == ARGUMENT_NUMBER ? pow(10, -DIGITS)
                                        : 1;
}

// The digits that stand there, also while the cursor is still in them. They are read as GTK reads
// them and left alone: what was set while a person types would stand before the next digit.
static double typed_in(const struct number *n)
{
    const struct argument *p = n->argument;
    const char *text = toolkit_text(n->spin);
    char *end;
    const double value = g_strtod(text, &end);

    return end == text || *end != '\0' ? value_of(n)
                                       : allowed(p, CLAMP(value, least_of(p), p->high));
}

// whether a person is typing another number than the one that was shown
static bool is_typing(const struct number *n)
{
    return gtk_widget_has_focus(n->spin) && typed_in(n) != n->shown;
}

/* ---- showing ---- */

// sizes near that of the model, others as the table says
static void set_slider_range(struct number *n)
{
    const struct argument *p = n->argument;
    double from = p->from, to = p->to, step = step_of(p);

    // from half to twice: a model draws well near the size that it was trained with
    if (p->look == LOOK_SIZE && !isnan(n->own)) {
        step = n->own > SIZE_LARGE ? SIZE_LEAP : SIZE_STEP;
        from = MAX(SIZE_STEP, n->own / 2);
        to = n->own * 2;
    }
    // GTK complains of an empty range
    gtk_range_set_range(GTK_RANGE(n->slider), from, MAX(to, from + step));
    gtk_range_set_increments(GTK_RANGE(n->slider), step, 4 * step);
}

// digits without zeros behind; nothing for a number that is not known
static gboolean on_output(const struct number *n)
{
    const int digits = n->argument->kind == ARGUMENT_NUMBER ? DIGITS : 0;
    GString *text = g_string_new(NULL);

    if (!n->is_own || !isnan(n->own)) {
        // in the person's language, with a comma where it has one: it is read back the same way
        g_string_printf(text, "%.*f", digits, value_of(n));
        while (digits > 0 && g_str_has_suffix(text->str, "0")) {
            g_string_truncate(text, text->len - 1);
        }
        if (digits > 0 && !g_ascii_isdigit(text->str[text->len - 1])) {
            g_string_truncate(text, text->len - 1); // the point, or comma
        }
    }
    // a text that is set again loses the place of the cursor
    if (strcmp(text->str, toolkit_text(n->spin)) != 0) {
        toolkit_set_text(n->spin, text->str);
    }
    g_string_free(text, TRUE);
    return TRUE;
}

static void show(struct number *n, double value)
{
    // shows may nest, as setting one part makes the others tell
    const bool before = n->setting;

    n->setting = true;
    gtk_spin_button_set_value(GTK_SPIN_BUTTON(n->spin), value);
    n->shown = value;
    on_output(n); // the same number may be shown as another
    if (n->slider != NULL) {
        gtk_range_set_value(GTK_RANGE(n->slider), value);
    }
    if (n->tick != NULL) {
        gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(n->tick), n->is_own);
    }
    n->setting = before;
}

/* ---- what a person does ---- */

static void say(const struct number *n)
{
    toolkit_tell("number: %s %s%s%s", n->argument->name, toolkit_text(n->spin),
                 n->is_own ? ", " : "", n->is_own ? n->argument->own : "");
}

static void tell(const struct number *n)
{
    say(n);
    if (n->changed != NULL) {
        n->changed(n->user);
    }
}

static void take(struct number *n, double value)
{
    n->is_own = false;
    show(n, allowed(n->argument, value));
    tell(n);
}

static void on_spin(struct number *n)
{
    // GTK begins again with what was set while it told
    if (!n->setting && value_of(n) != n->shown) {
        take(n, value_of(n));
    }
}

static void on_slider(struct number *n)
{
    GtkAdjustment *at = gtk_range_get_adjustment(GTK_RANGE(n->slider));
    const double value = gtk_adjustment_get_value(at);
    const double step = gtk_adjustment_get_step_increment(at);

    if (!n->setting) {
        take(n, round(value / step) * step);
    }
}

static void on_tick(struct number *n)
{
    if (n->setting) {
        return;
    }
    n->is_own = gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(n->tick));
    // without a tick the number stays what was shown: a person begins from there
    show(n, n->is_own && !isnan(n->own) ? n->own : value_of(n));
    tell(n);
}

/* ---- making ---- */

static void add_spin(struct number *n)
{
    const struct argument *p = n->argument;
    const double step = step_of(p);

    n->spin = gtk_spin_button_new_with_range(least_of(p), p->high, step);
    // arrows, and Page Up and Down
    gtk_spin_button_set_increments(GTK_SPIN_BUTTON(n->spin), step, 8 * step);
    gtk_spin_button_set_digits(GTK_SPIN_BUTTON(n->spin), p->kind == ARGUMENT_NUMBER ? DIGITS : 0);
    toolkit_set_entry(n->spin, 7);
    g_signal_connect_swapped(n->spin, "output", G_CALLBACK(on_output), n);
    g_signal_connect_swapped(n->spin, "value-changed", G_CALLBACK(on_spin), n);
}

static void add_slider(struct number *n)
{
    n->slider = toolkit_slider(0, 1, 1);
    gtk_widget_set_size_request(n->slider, SLIDER_SIDE, -1);
    gtk_widget_set_can_focus(n->slider, FALSE); // for the mouse; the digits have the keys
    set_slider_range(n);
    toolkit_add(n->row, toolkit_grows(n->slider), NULL);
    g_signal_connect_swapped(n->slider, "value-changed", G_CALLBACK(on_slider), n);
}

GtkWidget *dialog_number_new(const struct argument *p)
{
    struct number *n = g_new0(struct number, 1);

    *n = (struct number){.argument = p, .own = p->own_number > 0 ? p->own_number : NAN};
    n->row = toolkit_row(6, NULL);
    add_spin(n);
    // sizes have a range once the model is known
    if (p->to > p->from || p->look == LOOK_SIZE) {
        add_slider(n);
    }
    toolkit_add(n->row, n->slider == NULL ? toolkit_grows(n->spin) : n->spin, NULL);
    if (p->own != NULL) {
        n->tick = gtk_check_button_new_with_label(_(p->own));
        toolkit_add(n->row, n->tick, NULL);
        g_signal_connect_swapped(n->tick, "toggled", G_CALLBACK(on_tick), n);
    }
    g_object_set_data_full(G_OBJECT(n->spin), "svdiff-number", n, g_free);
    return n->spin;
}

GtkWidget *dialog_number_widget(GtkWidget *number)
{
    return number_of(number)->row;
}

/* ---- values ---- */

// what stands for the model's own, where it is known
static void tell_own(const struct number *n)
{
    if (n->is_own && !isnan(n->own)) {
        say(n);
    }
}

void dialog_number_set(GtkWidget *number, double value)
{
    struct number *n = number_of(number);

    // 0 and -1 stand for the default, but for seeds 0 is a number like others
    n->is_own = n->argument->own != NULL && value <= 0 && value <= n->argument->standard;
    show(n, n->is_own && !isnan(n->own) ? n->own : value);
    tell_own(n);
}

double dialog_number_get(GtkWidget *number)
{
    const struct number *n = number_of(number);

    return is_typing(n) ? typed_in(n) : n->is_own ? n->argument->standard : value_of(n);
}

void dialog_number_own(GtkWidget *number, double value)
{
    struct number *n = number_of(number);
    // the same number again is nothing to tell
    const bool new = isnan(n->own) || n->own != value;

    n->own = value;
    if (n->slider != NULL) {
        n->setting = true;
        set_slider_range(n);
        n->setting = false;
    }
    if (!is_typing(n)) {
        show(n, n->is_own ? value : value_of(n));
    }
    if (new) {
        tell_own(n);
    }
}

void dialog_number_watch(GtkWidget *number, void (*changed)(void *user), void *user)
{
    struct number *n = number_of(number);

    n->changed = changed;
    n->user = user;
}
