/* svdiff info: what a file or folder is. */
#include "engine/command.h"

#include "engine/checkpoint.h"
#include "engine/model_kind.h"
#include "engine/subject_file.h"

#include <stdio.h>

static const char summary[] = "Says what a model, a subject, a LoRA or another file is.";

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

static void add_metadata(JsonBuilder *j, const char *path)
{
    struct safetensors *file =
        g_file_test(path, G_FILE_TEST_IS_REGULAR) ? safetensors_open(path, NULL) : NULL;

    json_builder_set_member_name(j, "metadata");
    json_builder_begin_object(j);
    for (const char *const *key = file != NULL ? safetensors_metadata_keys(file) : NULL;
         key != NULL && *key != NULL; key++) {
        add_text(j, *key, safetensors_metadata(file, *key));
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

static const char *base_of(const char *path, char **owned)
{
    struct subject *s = subject_open(path, NULL);

    *owned = s != NULL ? g_strdup(subject_metadata(s, "base_hash")) : NULL;
    subject_free(s);
    return *owned;
}

static JsonNode *describe(const char *path, const struct model_info *info)
{
    g_autoptr(JsonBuilder) j = json_builder_new();
    g_autofree char *base = NULL;
    const bool model = info->kind == MODEL_KIND_FOLDER || info->kind == MODEL_KIND_CHECKPOINT;

    json_builder_begin_object(j);
    add_text(j, "kind", model_kind_word(info->kind));
    add_text(j, "format", info->format);
    add_number(j, "tensors", info->tensors);
    add_number(j, "values", info->values);
    add_number(j, "bytes", info->bytes);
    add_text(j, "family", info->family);
    add_text(j, "prediction", model ? prediction_of(path) : NULL);
    add_text(j, "base", info->kind == MODEL_KIND_SUBJECT ? base_of(path, &base) : NULL);
    add_metadata(j, path);
    json_builder_end_object(j);
    return json_builder_get_root(j);
}

static void tell(struct command *c, const char *path, const struct model_info *info)
{
    report_note(c->report,
                "%s: %s, %s%s%s, %" G_GINT64_FORMAT " tensors, %" G_GINT64_FORMAT
                " values, %" G_GINT64_FORMAT " bytes",
                path, model_kind_word(info->kind), info->format != NULL ? info->format : "unknown",
                info->family != NULL ? ", " : "", info->family != NULL ? info->family : "",
                info->tensors, info->values, info->bytes);
}

static bool run(struct command *c, char **arguments, GError **error)
{
    struct model_info info;

    if (arguments[0] == NULL || arguments[1] != NULL) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "Name one file or folder: svdiff info PATH.");
        return false;
    }
    if (!model_kind_examine(arguments[0], &info, error)) {
        return false;
    }
    tell(c, arguments[0], &info);
    g_autoptr(JsonNode) json = describe(arguments[0], &info);
    return report_result(c->report, json, NULL, error);
}

int command_info(int argc, char **argv)
{
    struct command c = {0};
    const GOptionEntry entries[] = {G_OPTION_ENTRY_NULL};
    char **arguments = NULL;
    GError *error = NULL;
    int code = command_begin(&c, &argc, &argv, entries, summary, "PATH", NULL, &arguments);

    if (code == COMMAND_DONE && !run(&c, arguments, &error)) {
        code = command_fail(&c, error);
    }
    return command_end(&c, code);
}
