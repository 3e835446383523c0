/* What a person should know of a prompt before it is drawn: parts that look like more than words.
 */
#include "engine/command/command.h"

#include "engine/text/prompt_marks.h"
#include "engine/text/prompt_parts.h"

#define SHOWN_BYTES 20 // of a text behind a bracket

// a bracket that has no other; what such programs make of it is no mistake, and seldom meant
static void tell_bracket(struct command *c, const char *what, const char *text)
{
    const char *at = prompt_unbalanced(text);

    if (at == NULL) {
        return;
    }
    const bool opens = *at == '(' || *at == '[';
    // a closing one is seen by what stands before it
    const char *from = opens ? at : MAX(text, at + 1 - SHOWN_BYTES);
    g_autofree char *part = g_strndup(from, opens ? SHOWN_BYTES : (gsize)(at + 1 - from));
    g_autofree char *shown = g_utf8_make_valid(part, -1);
    report_warning(c->report, "'%s' in the %s has a bracket that %s; write \\%c for the character.",
                   shown, what,
                   opens ? "is not closed, and whose weight goes to the end"
                         : "was not opened, and is a character",
                   *at);
}

void command_tell_prompt(struct command *c, const char *what, const char *text,
                         const char *placeholder, bool plain)
{
    g_autofree char *mark = prompt_mark_placeholder(text);
    g_autofree char *weight = plain ? prompt_mark_weight(text) : NULL;
    g_autofree char *lora = prompt_mark_lora(text);

    if (!plain) {
        tell_bracket(c, what, text);
    }
    // prompts of other programs come with habits: each mark is told for itself
    if (mark != NULL && placeholder != NULL) {
        report_warning(c->report,
                       "%s in the %s stands for no subject and is drawn as these "
                       "characters; %s.",
                       mark, what, placeholder);
    }
    if (weight != NULL) {
        report_warning(c->report,
                       "%s in the %s is no weight here and is drawn as these characters; say it in "
                       "words.",
                       weight, what);
    }
    if (lora != NULL) {
        report_warning(c->report,
                       "%s in the %s loads nothing here and is drawn as these characters; leave it "
                       "out, and give learned subjects with --subject.",
                       lora, what);
    }
}
