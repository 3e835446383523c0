/* Learns a subject from its pictures and paints it in the snow.
 *
 *   cc -std=c17 fox.c $(pkg-config --cflags --libs svdiff) -o fox
 *   ./fox 1.png 2.png 3.png            makes fox.safetensors and fox.png */
#include <stdio.h>
#include <svdiff.h>

static bool take(void *user, int index, uint64_t seed, const svdiff_picture *p, GError **error)
{
    return svdiff_picture_write("fox.png", p, error);
}

int main(int argc, char **argv)
{
    const char *const *pictures = (const char *const *)argv + 1;
    const struct svdiff_subject fox = {.prompt = "a photo of a [V] fox", .images = pictures};
    const struct svdiff_scaled_subject learned = {.file = "fox.safetensors", .scale = 1};
    g_autofree char *prompt = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(svdiff) s = svdiff_open(NULL, &error);
    struct svdiff_learn_options learn = svdiff_learn_defaults(s);
    learn.subjects = &fox;
    learn.n_subjects = 1;
    learn.output = learned.file;
    if (s != NULL && svdiff_learn(s, &learn, NULL, NULL, &error)) {
        prompt = svdiff_subject_prompt("a fox in the snow", &learned, 1, &error);
    }
    struct svdiff_generate_options paint = svdiff_generate_defaults(s);
    paint.prompt = prompt;
    paint.subjects = &learned;
    paint.n_subjects = 1;
    if (prompt == NULL || !svdiff_generate(s, &paint, take, NULL, NULL, &error)) {
        fprintf(stderr, "%s\n", error->message);
        return 1;
    }
}
