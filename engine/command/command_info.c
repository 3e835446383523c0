/* svdiff info: what a file or folder is. */
#include "engine/command/command.h"

#include "engine/base/error.h"
#include "engine/model/checkpoint.h"
#include "engine/model/default_model.h"
#include "engine/model/model_kind.h"
#include "engine/options/option_rows.h"
#include "engine/subject/subject_file.h"
#include "engine/subject/thumbnail.h"

#include <stdio.h>
#include <string.h>

static const char summary[] =
    "Says what a model, a subject, a LoRA or another file is; without one, the model that ships.";

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

static void add_text(JsonBuilder *j, const char *name, const char *value)
{
    json_builder_set_member_name(j, name);
    if (value != NULL) {
        json_builder_add_string_value(j, value);
    } else {
        json_builder_add_null_value(j);
    }
}

static void add_number(JsonBuilder *j, const char *name, int64_t value)
{
    json_builder_set_member_name(j, name);
    json_builder_add_int_value(j, value);
}

// all texts but the picture, which nobody reads as text
static void add_metadata(JsonBuilder *j, const char *path)
{
    struct safetensors *file =
        g_file_test(path, G_FILE_TEST_IS_REGULAR) ? safetensors_open(path, NULL) : NULL;

    json_builder_set_member_name(j, "metadata");
    json_builder_begin_object(j);
    for (const char *const *key = file != NULL ? safetensors_metadata_keys(file) : NULL;
         key != NULL && *key != NULL; key++) {
        if (strcmp(*key, THUMBNAIL_KEY) != 0) {
            add_text(j, *key, safetensors_metadata(file, *key));
        }
    }
    json_builder_end_object(j);
    safetensors_close(file);
}

// what the model predicts, for those that the engine can use
static const char *prediction_of(const char *path)
{
    static const char *const words[] = {"epsilon", "v_prediction", "sample"};
    struct checkpoint *c = checkpoint_open(path, NULL);
    const char *word = c != NULL ? words[checkpoint_schedule_config(c)->prediction_type] : NULL;

    checkpoint_close(c);
    return word;
}

// of those that the engine can open; warnings were told by the command that needs it
static void add_options(JsonBuilder *j, const char *path)
{
    const struct svdiff_options o = {.model = path};
    g_autoptr(svdiff) s = svdiff_open(&o, NULL);

    if (s != NULL) {
        command_add_options(j, s);
    }
}

static const char *base_of(const char *path, char **owned)
{
    struct subject *s = subject_open(path, NULL);

    *owned = s != NULL ? g_strdup(subject_metadata(s, "base_hash")) : NULL;
    subject_free(s);
    return *owned;
}

// what the subjects are in plain words; none for what is no subject
static void add_things(JsonBuilder *j, const struct info *i)
{
    const bool subject = i->model.kind == MODEL_KIND_SUBJECT;
    g_auto(GStrv) things = subject ? svdiff_subject_things(i->path, NULL) : NULL;

    json_builder_set_member_name(j, "things");
    json_builder_begin_array(j);
    for (char **thing = things; thing != NULL && *thing != NULL; thing++) {
        json_builder_add_string_value(j, *thing);
    }
    json_builder_end_array(j);
}

static void add_preview(JsonBuilder *j, const picture *preview)
{
    g_autoptr(GBytes) png = preview != NULL ? picture_to_png(preview, NULL) : NULL;

    json_builder_set_member_name(j, "preview");
    if (png == NULL) {
        json_builder_add_null_value(j);
        return;
    }
    json_builder_begin_object(j);
    add_number(j, "width", preview->width);
    add_number(j, "height", preview->height);
    g_autofree char *text = g_base64_encode(g_bytes_get_data(png, NULL), g_bytes_get_size(png));
    add_text(j, "png", text);
    json_builder_end_object(j);
}

static JsonNode *describe(const struct info *i)
{
    const struct model_info *m = &i->model;
    g_autoptr(JsonBuilder) j = json_builder_new();
    g_autofree char *base = NULL;
    const bool model = m->kind == MODEL_KIND_FOLDER || m->kind == MODEL_KIND_CHECKPOINT;

    json_builder_begin_object(j);
    add_text(j, "kind", model_kind_word(m->kind));
    add_text(j, "format", m->format);
    add_number(j, "tensors", m->tensors);
    add_number(j, "values", m->values);
    add_number(j, "bytes", m->bytes);
    add_text(j, "family", m->family);
    add_text(j, "family_name", model_family_name(m->family));
    add_text(j, "prediction", model ? prediction_of(i->path) : NULL);
    add_text(j, "base", m->kind == MODEL_KIND_SUBJECT ? base_of(i->path, &base) : NULL);
    if (model) {
        add_options(j, i->path);
    }
    add_things(j, i);
    add_preview(j, i->preview);
    add_metadata(j, i->path);
    json_builder_end_object(j);
    return json_builder_get_root(j);
}

static void tell(struct info *i)
{
    const struct model_info *m = &i->model;
    g_autoptr(GString) text = g_string_new(NULL);

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
    g_autoptr(GError) problem = NULL;

    if (i->model.kind == MODEL_KIND_SUBJECT) {
        i->preview = svdiff_subject_preview(i->path, &problem);
    }
    if (i->preview == NULL && i->preview_file != NULL) {
        if (problem != NULL) {
            g_propagate_error(error, g_steal_pointer(&problem));
        } else {
            g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED,
                        "%s carries no preview; subjects that svdiff learn wrote have one.",
                        i->path);
        }
        return false;
    }
    if (problem != NULL) {
        report_warning(i->common.report, "%s", problem->message);
    }
    g_autoptr(output_guard) guard = command_guard(NULL);
    command_guard_subject(guard, i->path);
    return i->preview_file == NULL ||
           (output_guard_writes(guard, "--preview", i->preview_file, error) &&
            picture_write(i->preview_file, i->preview, NULL, 0, error));
}

static bool run(struct info *i, char **arguments, GError **error)
{
    if (arguments[0] != NULL && arguments[1] != NULL) {
        return error_usage(
            error, "Name one file or folder: svdiff info PATH; or none for the model that ships.");
    }
    i->path = model_place(arguments[0], error);
    if (i->path == NULL ||
        (i->preview_file != NULL && !picture_check_name(i->preview_file, error)) ||
        !model_kind_examine(i->path, &i->model, error) || !read_preview(i, error)) {
        return false;
    }
    tell(i);
    g_autoptr(JsonNode) json = describe(i);
    return report_result(i->common.report, json, NULL, error);
}

int command_info(const struct caller *caller, int argc, char **argv)
{
    static const struct command_line line = {
        .summary = summary, .usage = "[PATH]", .table = &table};
    struct info i = {.common.caller = caller};
    char **arguments = NULL;
    GError *error = NULL;
    int code = command_begin(&i.common, &argc, &argv, &line, NULL, &arguments);

    if (code == COMMAND_DONE && !run(&i, arguments, &error)) {
        code = command_fail(&i.common, error);
    }
    picture_free(i.preview);
    g_free(i.path);
    return command_end(&i.common, code);
}
