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

static bool run(const char *const *pictures, GError **error)
{
    const struct svdiff_subject fox = {.prompt = "a photo of a [V] fox", .images = pictures};
    const struct svdiff_scaled_subject learned = {"fox.safetensors", 1};
    g_autoptr(svdiff) s = svdiff_open(&(struct svdiff_options){0}, error);
    if (s == NULL) {
        return false;
    }
    struct svdiff_learn_options learn = svdiff_learn_defaults(s);
    learn.subjects = &fox;
    learn.n_subjects = 1;
    learn.output = learned.file;
    struct svdiff_generate_options paint = svdiff_generate_defaults(s);
    paint.subjects = &learned;
    paint.n_subjects = 1;
    if (!svdiff_learn(s, &learn, NULL, NULL, error)) {
        return false;
    }
    g_autofree char *prompt = svdiff_subject_prompt("a fox in the snow", &learned, 1, error);
    paint.prompt = prompt;
    return prompt != NULL && svdiff_generate(s, &paint, take, NULL, NULL, error);
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    if (argc > 1 && run((const char *const *)argv + 1, &error)) {
        return 0;
    }
    fprintf(stderr, "%s\n", error != NULL ? error->message : "Name the pictures of a fox.");
    return 1;
}
