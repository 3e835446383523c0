/* Prints the procedures and their arguments for people, from the one table, as Markdown; with
 * --fields only which names the dialogs show first, a procedure and a name a line. */
#include "plugin/procedures.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

static const char *kind_word(enum argument_kind kind)
{
    const char *const words[] = {[ARGUMENT_INT] = "whole number", [ARGUMENT_NUMBER] = "number",
                                 [ARGUMENT_TEXT] = "text",        [ARGUMENT_CHOICE] = "choice",
                                 [ARGUMENT_FILE] = "file",        [ARGUMENT_CHANNEL] = "channel"};

    return words[kind];
}

// what is allowed, for those kinds that have bounds
static void print_values(const struct argument *p)
{
    g_auto(GStrv) words = g_strsplit(p->choices != NULL ? p->choices : "", "|", -1);

    if (p->kind == ARGUMENT_INT || p->kind == ARGUMENT_NUMBER) {
        printf("%.10g to %.10g", p->low, p->high);
    } else if (p->kind == ARGUMENT_CHOICE) {
        g_autofree char *list = g_strjoinv(", ", words);
        printf("%s", list);
    }
}

static void print_argument(const struct argument *p)
{
    const bool number =
        p->kind != ARGUMENT_TEXT && p->kind != ARGUMENT_CHOICE && p->kind != ARGUMENT_FILE;

    printf("| `%s` | %s | ", p->name, kind_word(p->kind));
    print_values(p);
    if (number) {
        printf(" | %.10g", p->standard);
    } else {
        printf(" | %s", p->standard_text != NULL ? p->standard_text : "");
    }
    printf(" | %s |\n", p->text);
}

static void print_procedure(const struct procedure *p)
{
    printf("### %s\n\n%s\n\n", p->name, p->help);
    printf("Arguments after `run-mode`%s; gives back %s.\n\n",
           p->input == INPUT_NONE ? ""
           : p->input == INPUT_LAYERS
               ? ", `image` and the layers (in GIMP 2.10 their number and an array)"
               : ", `image` and the layer",
           p->result == RESULT_FILE ? "the path of the file" : "the new layers");
    printf("| argument | kind | values | default | meaning |\n");
    printf("| --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < procedure_scripted(p); i++) {
        print_argument(&p->arguments[i]);
    }
    printf("\n");
}

// tests hold the help pages against it: each names the fields that are seen first
static void print_fields(const struct procedure *p)
{
    for (size_t i = 0; i < p->n_arguments; i++) {
        if (!p->arguments[i].advanced && !p->arguments[i].hidden) {
            printf("%s\t%s\n", p->name, p->arguments[i].label);
        }
    }
}

int main(int argc, char **argv)
{
    const bool fields = argc > 1 && strcmp(argv[1], "--fields") == 0;
    size_t n;
    const struct procedure *all = procedures_all(&n);

    for (size_t i = 0; i < n; i++) {
        (fields ? print_fields : print_procedure)(&all[i]);
    }
    return 0;
}
