/* Threads that meet as processes do: what each gives comes to all, to the first, or from the first, and whoever leaves
 * or waits in vain ends it for all. */
#include "engine/group/group_local.h"

#include <glib.h>

enum { SIZE = 3, VALUES = 1000, TURNS = 100 };

struct member {
    svdiff_group *group;
    int turns; // that it takes part in
    int met;   // of them
};

static int value_of(int rank, int turn, int i)
{
    return 7 * rank + 3 * turn + i;
}

// one of each kind; false where the group parted
static bool meet_once(struct member *m, int turn, int *mine, int *all)
{
    svdiff_group *g = m->group;

    for (int i = 0; i < VALUES; i++) {
        mine[i] = value_of(g->rank, turn, i);
    }
    if (!g->everyone(g, mine, all, VALUES * sizeof *mine)) {
        return false;
    }
    for (int k = 0; k < SIZE * VALUES; k++) {
        g_assert_cmpint(all[k], ==, value_of(k / VALUES, turn, k % VALUES));
        all[k] = -1;
    }
    if (!g->gather(g, mine, g->rank == 0 ? all : NULL, VALUES * sizeof *mine)) {
        return false;
    }
    for (int k = 0; k < SIZE * VALUES && g->rank == 0; k++) {
        g_assert_cmpint(all[k], ==, value_of(k / VALUES, turn, k % VALUES));
    }
    if (!g->broadcast(g, mine, VALUES * sizeof *mine)) {
        return false;
    }
    for (int i = 0; i < VALUES; i++) {
        g_assert_cmpint(mine[i], ==, value_of(0, turn, i));
    }
    return true;
}

static void *take_part(void *user)
{
    struct member *m = user;
    g_autofree int *mine = g_new(int, VALUES), *all = g_new(int, SIZE *VALUES);

    while (m->met < m->turns && meet_once(m, m->met, mine, all)) {
        m->met++;
    }
    svdiff_group_leave(m->group);
    return NULL;
}

static bool never(void *user)
{
    return false;
}

// the last of them comes to so many turns; few: it is not even there, and the first waits in vain
static void run(int last, bool few, struct member *members)
{
    svdiff_group *groups[SIZE];
    GThread *threads[SIZE];
    const int n = few ? SIZE - 1 : SIZE;

    group_local_create(SIZE, groups);
    groups[0]->patience = few ? never : NULL;
    for (int i = 0; i < n; i++) {
        members[i] = (struct member){.group = groups[i], .turns = i == SIZE - 1 ? last : TURNS};
        threads[i] = g_thread_new("member", take_part, &members[i]);
    }
    for (int i = 0; i < n; i++) {
        g_thread_join(threads[i]);
    }
    if (few) {
        svdiff_group_leave(groups[SIZE - 1]);
    }
}

static void test_all(void)
{
    struct member members[SIZE];

    run(TURNS, false, members);
    for (int i = 0; i < SIZE; i++) {
        g_assert_cmpint(members[i].met, ==, TURNS);
    }
}

// one leaves: the others have met it as often as it came
static void test_early(void)
{
    struct member members[SIZE];

    run(TURNS / 2, false, members);
    for (int i = 0; i < SIZE; i++) {
        g_assert_cmpint(members[i].met, ==, TURNS / 2);
    }
}

static void test_patience(void)
{
    struct member members[SIZE];

    run(0, true, members);
    for (int i = 0; i < SIZE - 1; i++) {
        g_assert_cmpint(members[i].met, ==, 0);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/group-local/all", test_all);
    g_test_add_func("/group-local/early", test_early);
    g_test_add_func("/group-local/patience", test_patience);
    return g_test_run();
}
