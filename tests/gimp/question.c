/* Asks a GIMP at work, or the windows of it and of its plug-ins, and prints the answer. The tests
 * look again and again until they see what they wait for: a look must cost nothing.
 *
 *   question script PORT EXPRESSION       what a Scheme expression gives, by the Script-Fu server at
 *                                         this port; ends with 1 where it fails
 *   question widgets WORD...              all lines that widgets.c answers
 *   question place TYPE NAME WINDOW [N]   the first such widget (the Nth): X Y WIDTH HEIGHT; ends
 *                                         with 1 where there is none
 *
 * $SVDIFF_WIDGETS is the folder with the sockets of widgets.c, one a process. */
#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCRIPT_S  300 // seconds that an expression may take
#define WIDGETS_S 5   // and a process that is asked for its windows, which may be busy
#define HEAD      4   // bytes before the text of an answer: 'G', 1 where it failed, its length

// a connection to which this was sent, or NULL
static GSocket *send_to(GSocketAddress *address, guint seconds, const char *text, gsize length)
{
    g_autoptr(GSocket) s = g_socket_new(g_socket_address_get_family(address), G_SOCKET_TYPE_STREAM,
                                        G_SOCKET_PROTOCOL_DEFAULT, NULL);

    if (s == NULL) {
        return NULL;
    }
    g_socket_set_timeout(s, seconds);
    bool sent = g_socket_connect(s, address, NULL, NULL);
    while (sent && length > 0) {
        const gssize n = g_socket_send(s, text, length, NULL, NULL);
        sent = n > 0;
        text += MAX(n, 0);
        length -= (gsize)MAX(n, 0);
    }
    return sent ? g_steal_pointer(&s) : NULL;
}

// appends what comes next; false at the end, or when nothing came in time
static bool receive(GSocket *s, GString *to)
{
    char part[65536];
    const gssize n = g_socket_receive(s, part, sizeof part, NULL, NULL);

    g_string_append_len(to, part, MAX(n, 0));
    return n > 0;
}

/* ---- Script-Fu ---- */

// of all of an answer, as far as its head says it
static gsize whole(const GString *answer)
{
    const guint8 *head = (const guint8 *)answer->str;

    return answer->len < HEAD ? HEAD : HEAD + 256 * (gsize)head[2] + head[3];
}

static int ask_script(const char *port, const char *expression)
{
    g_autoptr(GSocketAddress) address =
        g_inet_socket_address_new_from_string("127.0.0.1", (guint)atoi(port));
    g_autoptr(GString) request = g_string_new("G"), answer = g_string_new(NULL);
    const gsize length = strlen(expression);

    if (length > G_MAXUINT16) {
        fputs("The expression is too long for the server.\n", stderr);
        return 1;
    }
    g_string_append_c(request, (char)(length >> 8));
    g_string_append_c(request, (char)(length & 255));
    g_string_append(request, expression);
    g_autoptr(GSocket) s = send_to(address, SCRIPT_S, request->str, request->len);
    while (s != NULL && answer->len < whole(answer) && receive(s, answer)) {
    }
    if (answer->len < whole(answer)) {
        fputs("GIMP closed the connection.\n", stderr);
        return 1;
    }
    puts(answer->str + HEAD);
    return answer->str[1] != 0;
}

/* ---- widgets ---- */

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// the sockets, in the same order at every look
static GPtrArray *list_sockets(void)
{
    const char *folder = g_getenv("SVDIFF_WIDGETS");
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = folder != NULL ? g_dir_open(folder, 0, NULL) : NULL;

    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        g_ptr_array_add(paths, g_build_filename(folder, name, NULL));
    }
    g_ptr_array_sort(paths, compare);
    return paths;
}

// what all processes answer; nothing of one that ended or is busy
static GString *ask_widgets(const char *const *words)
{
    g_autoptr(GPtrArray) paths = list_sockets();
    g_autofree char *line = g_strjoinv("\t", (char **)words);
    g_autofree char *request = g_strconcat(line, "\n", NULL);
    GString *all = g_string_new(NULL);

    for (guint i = 0; i < paths->len; i++) {
        g_autoptr(GSocketAddress) address = g_unix_socket_address_new(paths->pdata[i]);
        g_autoptr(GSocket) s = send_to(address, WIDGETS_S, request, strlen(request));
        g_autoptr(GString) answer = g_string_new(NULL);
        while (s != NULL && receive(s, answer)) {
        }
        g_string_append(all, answer->str);
    }
    return all;
}

static int print_widgets(const char *const *words)
{
    g_autoptr(GString) all = ask_widgets(words);

    fputs(all->str, stdout);
    return 0;
}

// words: TYPE NAME WINDOW [N]
static int print_place(const char *const *words)
{
    const char *const question[] = {"find", words[0], words[1], words[2], NULL};
    const long n = words[3] != NULL ? atol(words[3]) : 1;
    g_autoptr(GString) all = ask_widgets(question);
    g_auto(GStrv) lines = g_strsplit(all->str, "\n", -1); // with an empty one at the end
    int x, y, width, height;

    if (n < 1 || n >= (long)g_strv_length(lines) ||
        sscanf(lines[n - 1], "%d %d %d %d", &x, &y, &width, &height) != 4) {
        return 1;
    }
    printf("%d %d %d %d\n", x, y, width, height);
    return 0;
}

int main(int argc, char **argv)
{
    const char *const *words = (const char *const *)argv + 2;
    const char *what = argc > 1 ? argv[1] : "";

    if (argc == 4 && strcmp(what, "script") == 0) {
        return ask_script(argv[2], argv[3]);
    }
    if (argc > 2 && strcmp(what, "widgets") == 0) {
        return print_widgets(words);
    }
    if ((argc == 5 || argc == 6) && strcmp(what, "place") == 0) {
        return print_place(words);
    }
    fputs("question script PORT EXPRESSION | widgets WORD... | place TYPE NAME WINDOW [N]\n",
          stderr);
    return 2;
}
