/* svdiff: the command. The first word says what to do; each command has a file of its own. */
#include "engine/command/command.h"
#include "engine/command/nearest_word.h"
#include "engine/command/interruption.h"
#include "engine/command/stay.h"
#include "engine/command/typed_words.h"

#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// in the order of the help
static const struct command_kind *const commands[] = {
    &command_learn,      &command_generate, &command_edit, &command_convert,  &command_compare,
    &command_directions, &command_evaluate, &command_info, &command_spectrum, &command_bench,
};

static void print_help(FILE *to)
{
    fprintf(to, "Usage: svdiff COMMAND [options]\n\n"
                "Learns a subject from a few pictures and paints it anywhere (SVDiff).\n\n");
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        fprintf(to, "  %-10s %s\n", commands[i]->word, commands[i]->purpose);
    }
    fprintf(to, "\n'svdiff COMMAND --help' tells more; 'svdiff --version' the version.\n");
}

static int run(const struct command_kind *kind, const struct caller *caller, int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) words = typed_words(argc, argv, &error);

    if (words == NULL) {
        fprintf(stderr, "%s\n", error->message);
        return error->code == SVDIFF_ERROR_USAGE ? COMMAND_USAGE : COMMAND_FAILED;
    }
    // GOption moves pointers about: the strings stay with `words`
    g_autofree char **copy = g_memdup2(words, (g_strv_length(words) + 1) * sizeof *copy);
    return command_run(kind, caller, (int)g_strv_length(words), copy);
}

// argv[0]: what to do
static int run_command(const struct caller *caller, int argc, char **argv)
{
    const char *words[G_N_ELEMENTS(commands) + 1] = {NULL};

    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        words[i] = commands[i]->word;
        if (strcmp(argv[0], words[i]) == 0) {
            return run(commands[i], caller, argc, argv);
        }
    }
    const char *near = nearest_word(argv[0], words);
    // the nearest word, where one is near
    fprintf(stderr, "There is no command '%s'%s%s; 'svdiff --help' lists them.\n", argv[0],
            near != NULL ? ", is it " : "", near != NULL ? near : "");
    return COMMAND_USAGE;
}

// whether this CPU has all of AVX-512 that OpenBLAS's SkylakeX kernels use
static bool has_avx512(void)
{
#ifdef __x86_64__
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
#else
    return false;
#endif
}

/* What libraries read from the environment when they are loaded, unless it is set already; the
 * program begins once more with it.
 *  - libgomp: threads wait a few microseconds for the next parallel loop and then sleep; longer
 *    spinning starves them where other programs work;
 *  - OpenBLAS: takes AVX2 kernels on CPUs that are newer than it, and is twice as slow with them.
 */
static void set_environment(char **argv)
{
    if (g_getenv("GOMP_SPINCOUNT") != NULL || g_getenv("OMP_WAIT_POLICY") != NULL) {
        return;
    }
    g_setenv("GOMP_SPINCOUNT", "1000", TRUE);
    if (has_avx512()) {
        g_setenv("OPENBLAS_CORETYPE", "SkylakeX", FALSE);
    }
    // where this is not possible the work is slower and otherwise the same
    execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    set_environment(argv);
    setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C"); // 7.5 is 7.5 everywhere
    report_silence_logs();
    if (argc < 2) {
        print_help(stderr);
        return COMMAND_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("svdiff %s\n", SVDIFF_VERSION);
        return COMMAND_DONE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout);
        return COMMAND_DONE;
    }
    interruption *stop = interruption_start(&error);
    if (stop == NULL) {
        fprintf(stderr, "%s\n", error->message);
        return COMMAND_FAILED;
    }
    if (strcmp(argv[1], "stay") == 0 && argc > 4) { // of plug-ins, not of people
        return stay_run(argv[2], (pid_t)g_ascii_strtoll(argv[3], NULL, 10), run_command, stop,
                        argc - 4, argv + 4);
    }
    return run_command(&(struct caller){.stop = stop}, argc - 1, argv + 1);
}
