/* svdiff convert: subjects to other formats and back. */
#include "engine/command.h"

#include "engine/subject_file.h"

#include <string.h>

static const char summary[] = "Writes a subject in another format:\n\n"
                              "  svdiff convert INPUT --to subject --output FILE.safetensors\n"
                              "  svdiff convert INPUT --to svdiff-pytorch --output FOLDER";

struct convert {
    struct command common;
    char *to, *output;
};

static bool to_folder(struct convert *c, const struct subject *s, GError **error)
{
    struct subject_left_out out = {0};

    if (!subject_write_folder(s, c->output, &out, error)) {
        return false;
    }
    if (out.tensors > 0) {
        report_warning(c->common.report,
                       "%d element-wise shifts of norms (%" G_GINT64_FORMAT
                       " values, %.2g %% of the change) have no place in svdiff-pytorch's files.",
                       out.tensors, out.values, 100 * out.share);
    }
    return true;
}

static bool run(struct convert *c, char **arguments, GError **error)
{
    if (arguments[0] == NULL || arguments[1] != NULL || c->output == NULL || c->to == NULL) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "Say what to convert, --to what, and --output where; see --help.");
        return false;
    }
    const bool folder = strcmp(c->to, "svdiff-pytorch") == 0;
    if (!folder && strcmp(c->to, "subject") != 0) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                    "--to is '%s'; it can be subject or svdiff-pytorch.", c->to);
        return false;
    }
    g_autoptr(subject_file) s = subject_open(arguments[0], error);
    if (s == NULL) {
        return false;
    }
    return folder ? to_folder(c, s, error) : subject_write(s, c->output, error);
}

int command_convert(int argc, char **argv)
{
    struct convert c = {0};
    const GOptionEntry entries[] = {
        {"to", 0, 0, G_OPTION_ARG_FILENAME, &c.to, "subject or svdiff-pytorch", "FORMAT"},
        {"output", 0, 0, G_OPTION_ARG_FILENAME, &c.output, "file, or folder for svdiff-pytorch",
         "PATH"},
        G_OPTION_ENTRY_NULL};
    char **arguments = NULL;
    GError *error = NULL;
    int code = command_begin(&c.common, &argc, &argv, entries, summary, "INPUT", NULL, &arguments);

    if (code == COMMAND_DONE && !run(&c, arguments, &error)) {
        code = command_fail(&c.common, error);
    } else if (code == COMMAND_DONE) {
        report_files(c.common.report, (const char *const[]){c.output, NULL});
    }
    g_free(c.to);
    g_free(c.output);
    return command_end(&c.common, code);
}
