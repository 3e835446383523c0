/* svdiff info: what a file or folder is. */
#include "engine/command/command.h"

#include "engine/base/error.h"
#include "engine/base/machine.h"
#include "engine/model/checkpoint.h"
#include "engine/model/default_model.h"
#include "engine/model/model_kind.h"
#include "engine/session/session.h"
#include "engine/options/option_rows.h"
#include "engine/subject/subject_file.h"
#include "engine/subject/thumbnail.h"

#include <stdio.h>
#include <string.h>

struct info {
    struct command common;
    char *path;
    const char *preview_file; // --preview
    struct model_info model;
    picture *preview; // of a subject; NULL without one
};

static const struct option rows[] = {
    OTHER(OPTION_FILE, "preview", offsetof(struct info, preview_file), NULL, "FILE",
          "write the small picture that a subject carries (.png)"),
};
static const struct option_table table = {"info", sizeof(struct info), rows, G_N_ELEMENTS(rows)};

// all texts but the picture, which nobody reads as text
static JsonObject *list_metadata(const char *path)
{
    JsonObject *all = json_object_new();
    g_autoptr(safetensors) file =
        g_file_test(path, G_FILE_TEST_IS_REGULAR) ? safetensors_open(path, NULL) : NULL;

    for (const char *const *key = file != NULL ? safetensors_metadata_keys(file) : NULL;
         key != NULL && *key != NULL; key++) {
        // it stands in "preview"
        if (strcmp(*key, THUMBNAIL_KEY) != 0) {
            json_object_set_string_member(all, *key, safetensors_metadata(file, *key));
        }
    }
    return all;
}

// what the model predicts, for those that the engine can use
static const char *prediction_of(const char *path)
{
    static const char *const words[] = {"epsilon", "v_prediction", "sample"};
    g_autoptr(checkpoint) c = checkpoint_open(path, NULL);

    return c != NULL ? words[checkpoint_schedule_config(c)->prediction_type] : NULL;
}

// of those that the engine can open; warnings were told by the command that needs it
static void add_options(JsonObject *to, const char *path)
{
    const struct svdiff_options o = {.model = path};
    g_autoptr(svdiff) s = svdiff_open(&o, NULL);

    if (s != NULL) {
        command_add_options(to, s);
    }
}

// which model a subject was learned with
static void add_base(JsonObject *to, const struct info *i)
{
    const bool subject = i->model.kind == MODEL_KIND_SUBJECT;
    g_autoptr(subject_file) s = subject ? subject_open(i->path, NULL) : NULL;

    json_object_set_string_member(to, "base", s != NULL ? subject_metadata(s, "base_hash") : NULL);
}

// what the subjects are in plain words; none for what is no subject
static JsonArray *list_things(const struct info *i)
{
    const bool subject = i->model.kind == MODEL_KIND_SUBJECT;
    g_auto(GStrv) things = subject ? svdiff_subject_things(i->path, NULL) : NULL;
    JsonArray *list = json_array_new();

    for (char **thing = things; thing != NULL && *thing != NULL; thing++) {
        json_array_add_string_element(list, *thing);
    }
    return list;
}

// its size and a PNG in base64, or null
static void add_preview(JsonObject *to, const picture *preview)
{
    g_autoptr(GBytes) png = preview != NULL ? picture_to_png(preview, NULL) : NULL;

    if (png == NULL) {
        json_object_set_null_member(to, "preview");
        return;
    }
    JsonObject *all = json_object_new();
    // small enough to travel in a line
    g_autofree char *text = g_base64_encode(g_bytes_get_data(png, NULL), g_bytes_get_size(png));
    json_object_set_int_member(all, "width", preview->width);
    json_object_set_int_member(all, "height", preview->height);
    json_object_set_string_member(all, "png", text);
    json_object_set_object_member(to, "preview", all);
}

// "cuda:0", its name, its compute capability, and bytes of its memory
static JsonObject *describe_device(int number, const struct kernels_cuda_device *d)
{
    g_autofree char *word = g_strdup_printf("cuda:%d", number);
    g_autofree char *capability = g_strdup_printf("%d.%d", d->major, d->minor);
    JsonObject *one = json_object_new();

    json_object_set_string_member(one, "device", word);
    json_object_set_string_member(one, "name", d->name);
    json_object_set_string_member(one, "capability", capability);
    json_object_set_double_member(one, "memory", (double)d->bytes);
    return one;
}

// what --device can be on this machine; "no_cuda": why no CUDA device is among them
static void add_devices(JsonObject *to)
{
    g_autoptr(GError) none = NULL;
    int count;
    g_autofree struct kernels_cuda_device *devices = session_cuda_devices(&count, &none);
    JsonArray *list = json_array_new();
    JsonObject *cpu = json_object_new();

    json_object_set_string_member(cpu, "device", "cpu");
    json_object_set_int_member(cpu, "processors", machine_processors());
    json_object_set_double_member(cpu, "memory", (double)machine_available_memory());
    json_array_add_object_element(list, cpu);
    for (int i = 0; i < count; i++) {
        json_array_add_object_element(list, describe_device(i, &devices[i]));
    }
    json_object_set_array_member(to, "devices", list);
    json_object_set_string_member(to, "no_cuda", none != NULL ? none->message : NULL);
}

// in the order in which a person would ask; null where there is nothing to say
static JsonObject *describe(const struct info *i)
{
    const struct model_info *m = &i->model;
    // only whole models have a prediction and options; "things" and "base" are of subjects
    const bool model = m->kind == MODEL_KIND_FOLDER || m->kind == MODEL_KIND_CHECKPOINT;
    JsonObject *all = json_object_new();

    json_object_set_string_member(all, "kind", model_kind_word(m->kind));
    json_object_set_string_member(all, "format", m->format);
    json_object_set_int_member(all, "tensors", m->tensors);
    json_object_set_int_member(all, "values", m->values);
    json_object_set_int_member(all, "bytes", m->bytes);
    json_object_set_string_member(all, "family", m->family);
    json_object_set_string_member(all, "family_name", model_family_name(m->family));
    json_object_set_string_member(all, "prediction", model ? prediction_of(i->path) : NULL);
    add_base(all, i);
    if (model) {
        add_options(all, i->path);
    }
    json_object_set_array_member(all, "things", list_things(i));
    add_preview(all, i->preview);
    json_object_set_object_member(all, "metadata", list_metadata(i->path));
    return all;
}

static void tell(struct info *i)
{
    const struct model_info *m = &i->model;
    g_autoptr(GString) text = g_string_new(NULL);

    // a line for people; programs read the same as JSON
    g_string_printf(text,
                    "%s: %s, %s%s%s, %" G_GINT64_FORMAT " tensors, %" G_GINT64_FORMAT
                    " values, %" G_GINT64_FORMAT " bytes",
                    i->path, model_kind_word(m->kind), m->format != NULL ? m->format : "unknown",
                    m->family != NULL ? ", " : "", m->family != NULL ? m->family : "", m->tensors,
                    m->values, m->bytes);
    if (i->preview != NULL) {
        g_string_append_printf(text, ", a preview of %d x %d pixels", i->preview->width,
                               i->preview->height);
    }
    report_note(i->common.report, "%s", text->str);
}

// a damaged one is worth a warning, or the error where it is what was asked for
static bool read_preview(struct info *i, GError **error)
{
    // a subject without one is no problem
    g_autoptr(GError) problem = NULL;

    // other files may have a text of that name
    if (i->model.kind == MODEL_KIND_SUBJECT) {
        i->preview = svdiff_subject_preview(i->path, &problem);
    }
    if (i->preview == NULL && i->preview_file != NULL) {
        if (problem == NULL) {
            return error_failed(error,
                                "%s carries no preview; subjects that svdiff learn wrote have one.",
                                i->path);
        }
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    if (problem != NULL) {
        report_warning(i->common.report, "%s", problem->message);
    }
    g_autoptr(output_guard) guard = command_guard(NULL);
    // both files of a folder
    command_guard_subject(guard, i->path);
    return i->preview_file == NULL ||
           (output_guard_writes(guard, "--preview", i->preview_file, error) &&
            picture_write(i->preview_file, i->preview, NULL, 0, error));
}

static bool run(void *command, char *const *words, GError **error)
{
    struct info *i = command;

    if (words[0] != NULL && words[1] != NULL) {
        return error_usage(
            error, "Name one file or folder: svdiff info PATH; or none for the model that ships.");
    }
    // hub folders and the model that ships have places of their own
    i->path = model_place(words[0], error);
    if (i->path == NULL ||
        (i->preview_file != NULL && !picture_check_name(i->preview_file, error)) ||
        !model_kind_examine(i->path, &i->model, error) || !read_preview(i, error)) {
        return false;
    }
    tell(i);
    g_autoptr(JsonObject) result = describe(i);
    // asked of no file in particular: what is here
    if (words[0] == NULL) {
        add_devices(result);
    }
    return report_result(i->common.report, result, NULL, error);
}

static void finish(void *command)
{
    struct info *i = command;

    picture_free(i->preview);
    g_free(i->path);
}

const struct command_kind command_info = {
    .word = "info",
    .purpose = "what a model, a subject or a LoRA file is",
    .summary = "Says what a model, a subject, a LoRA or another file is; without one, the model "
               "that ships. Without one --json also lists the devices that can be computed on.",
    .usage = "[PATH]",
    .size = sizeof(struct info),
    .table = &table,
    .run = run,
    .finish = finish};
