/* What the procedures share; see call.h. */
#include "plugin/call.h"
#include "plugin/brought.h"
#include "plugin/info.h"
#include "plugin/task.h"
#include "plugin/words.h"

#include "engine/base/error.h"

#include <math.h>
#include <string.h>

// a procedure fills the task with what it reads of the image now: the rest is done without it
task *call_prepare(const struct call *c, GError **error)
{
    static bool (*const fill[])(const struct call *c, task *t, GError **error) = {
        [PROCEDURE_LEARN] = call_learn,     [PROCEDURE_GENERATE] = call_generate,
        [PROCEDURE_CREATE] = call_generate, [PROCEDURE_COMPOSE] = call_compose,
        [PROCEDURE_EDIT] = call_edit,       [PROCEDURE_CONVERT] = call_convert,
    };
    g_autoptr(task) t = task_create(c->values);

    return fill[c->values->procedure->id](c, t, error) ? g_steal_pointer(&t) : NULL;
}

bool call_run(const struct call *c, struct call_result *result, GError **error)
{
    g_autoptr(task) t = call_prepare(c, error);

    *result = (struct call_result){0};
    // an estimate ends before anything is put into the image
    return t != NULL && task_work(t, c, error) &&
           (c->estimate != NULL || task_insert(t, result, error));
}

void call_result_clear(struct call_result *result)
{
    g_free(result->file);
    g_free(result->layers);
    *result = (struct call_result){0};
}

void call_estimate_clear(struct call_estimate *e)
{
    g_clear_pointer(&e->marked, g_array_unref);
    g_clear_pointer(&e->device, g_free);
    g_clear_object(&e->squares);
}

// in place; the order stays
void call_result_drop_gone(struct call_result *result)
{
    int n = 0;

    for (int i = 0; i < result->n_layers; i++) {
        if (host_layer_exists(result->layers[i])) {
            result->layers[n++] = result->layers[i];
        }
    }
    result->n_layers = n;
}

/* GIMP's menus let these entries be chosen with no image, with no layer, and with a channel active:
 * an entry that is grey says nothing of what is missing. */
bool call_check_layers(const struct call *c, GError **error)
{
    if (!host_image_exists(c->image)) {
        return error_usage(error, _("There is no image; open one and choose a layer of it."));
    }
    if (c->n_layers == 0) {
        return error_usage(error, _("No layer is chosen; click one in GIMP's list of layers."));
    }
    for (int i = 0; i < c->n_layers; i++) {
        if (!host_is_layer_of(c->layers[i], c->image)) {
            return error_usage(
                error,
                _("What is chosen is not a layer of the image; choose a layer, no channel."));
        }
    }
    return true;
}

// by a person, with a dialog; scripts name what they mean
static bool is_looked_at(const struct call *c)
{
    return c->shows || c->estimate != NULL;
}

bool call_check_palette(const struct call *c, GError **error)
{
    const int n = is_looked_at(c) && host_image_exists(c->image) ? host_palette_size(c->image) : 0;

    return n == 0 ||
           error_usage(
               error,
               _("The image is indexed: what is painted could have only its %d colours. A copy "
                 "of it in RGB is offered for them."),
               n);
}

bool call_check_shown(const struct call *c, GError **error)
{
    if (!call_check_layers(c, error)) {
        return false;
    }
    for (int i = 0; i < c->n_layers && is_looked_at(c); i++) {
        if (!host_is_shown(c->layers[i])) {
            g_autofree char *name = host_item_name(c->layers[i]);
            return error_usage(
                error, _("The layer “%s” is hidden; show it, or choose the one that is meant."),
                name);
        }
    }
    return true;
}

// takes the value; the words are those of a command line, one an element
static void push(GPtrArray *arguments, const char *option, char *value)
{
    g_ptr_array_add(arguments, g_strdup(option));
    g_ptr_array_add(arguments, value);
}

void call_add_int(GPtrArray *arguments, const char *option, int number)
{
    if (number > 0) {
        push(arguments, option, g_strdup_printf("%d", number));
    }
}

void call_add_number(GPtrArray *arguments, const char *option, double number)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    if (number > 0) {
        push(arguments, option, g_strdup(g_ascii_dtostr(text, sizeof text, number)));
    }
}

void call_add_text(GPtrArray *arguments, const char *option, const char *text)
{
    if (text[0] != '\0') {
        push(arguments, option, g_strdup(text));
    }
}

/* Only what differs from the default is said: what the default is depends on the model, and the
 * worker knows it. */
static void add_value(GPtrArray *arguments, const char *option, const values *v, size_t i)
{
    const struct argument *p = &v->procedure->arguments[i];
    const struct value *value = &v->items[i];

    if (p->kind == ARGUMENT_INT) {
        call_add_int(arguments, option, (int)value->number);
    } else if (p->kind == ARGUMENT_NUMBER) {
        call_add_number(arguments, option, value->number);
    } else if (p->kind != ARGUMENT_CHOICE || strcmp(value->text, "auto") != 0) {
        call_add_text(arguments, option, value->text);
    }
}

void call_add_values(GPtrArray *arguments, const values *v, ...)
{
    va_list names;

    va_start(names, v);
    for (const char *name; (name = va_arg(names, const char *)) != NULL;) {
        g_autofree char *option = g_strconcat("--", name, NULL);
        add_value(arguments, option, v, procedure_index(v->procedure, name));
    }
    va_end(names);
}

void call_add_seed(GPtrArray *arguments, int seed)
{
    push(arguments, "--seed", g_strdup_printf("%d", seed));
}

bool call_add_picture(GPtrArray *arguments, const char *option, const scratch *folder,
                      const char *name, picture *p, GError **error)
{
    g_autoptr(picture) taken = p;
    g_autofree char *file = scratch_file(folder, name);

    call_add_text(arguments, option, file);
    return taken != NULL && picture_exchange_write(file, taken, error);
}

void call_add_pictures(GPtrArray *arguments, const struct call *c, const scratch *folder)
{
    push(arguments, "--output", scratch_pattern(folder, "picture-%04d.tif"));
    if (c->shows) { // one file, written again and again
        push(arguments, "--preview", scratch_pattern(folder, "preview.png"));
    }
}

void call_add_subjects(GPtrArray *arguments, const char *subjects)
{
    g_auto(GStrv) list = svdiff_subject_list(subjects);

    for (char **part = list; *part != NULL; part++) {
        const char *rest, *option = brought_among_subjects(*part, &rest);
        call_add_text(arguments, option != NULL ? option : "--subject",
                      option != NULL ? rest : *part);
    }
}

void call_add_adapters(GPtrArray *arguments, const char *adapters)
{
    g_auto(GStrv) list = svdiff_subject_list(adapters);

    for (char **part = list; *part != NULL; part++) {
        const char *rest = *part, *option = brought_option(*part, &rest);
        // there are no subjects among these
        call_add_text(arguments, option != NULL ? option : "--lora", rest);
    }
}

// 31 bits: a GIMP keeps it as a whole number of 32, and -1 asks for another one
int call_seed(const values *v)
{
    const int seed = values_int(v, "seed");

    return seed >= 0 ? seed : (int)(g_random_int() & G_MAXINT32);
}

// a value of the latents stands for 8 pixels a side
static bool check_side(const values *v, const char *name, GError **error)
{
    const int size = values_int(v, name);

    return size <= 0 || size % 8 == 0 ||
           error_usage(error, _("%s is %d; it must be divisible by 8, such as %d or %d."), name,
                       size, MAX(8, size / 8 * 8), size / 8 * 8 + 8);
}

bool call_check_size(const values *v, GError **error)
{
    return check_side(v, "width", error) && check_side(v, "height", error);
}

// at least one value of the latents
static int round_to_8(double size)
{
    return MAX(8, (int)lround(size / 8) * 8);
}

/* A model paints best at its own number of pixels: the shape is the area's, the size the model's,
 * and the result is scaled to the area. */
void call_size(const values *v, const struct host_area *area, int *width, int *height)
{
    // width times height stays side times side
    const double shape = area != NULL ? sqrt((double)area->width / area->height) : 1;

    *width = MAX(0, values_int(v, "width"));
    *height = MAX(0, values_int(v, "height"));
    const int side = area != NULL && *width == 0 && *height == 0
                         ? info_side(info_of(values_text(v, "model")))
                         : 0;
    if (side > 0) {
        *width = round_to_8(side * shape);
        *height = round_to_8(side / shape);
    }
}
