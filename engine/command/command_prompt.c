/* What a person should know of a prompt before it is drawn: parts that look like more than words.
 */
#include "engine/command/command.h"

#include "engine/text/prompt_marks.h"

void command_tell_prompt(struct command *c, const char *what, const char *text,
                         const char *placeholder, bool plain)
{
    g_autofree char *mark = prompt_mark_placeholder(text);
    g_autofree char *weight = plain ? prompt_mark_weight(text) : NULL;
    g_autofree char *lora = prompt_mark_lora(text);

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
