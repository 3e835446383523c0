/* Signals taken by a thread that waits; see interruption.h. */
#include "engine/command/interruption.h"

#include "engine/base/error.h"
#include "engine/group/group.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct interruption {
    sigset_t awaited;
    atomic_bool asked;
    int fd; // of an event
};

// what a fault raises in the thread that caused it, and abort
static const int of_faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};

static bool is_ignored(int number)
{
    struct sigaction now;

    return sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

/* nohup lets SIGHUP be ignored: it stays so. mpirun, asked to stop, sends SIGCONT, a second later
 * SIGTERM, and SIGKILL on its heels: what there is to write needs that second. */
static sigset_t choose_awaited(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    if (!is_ignored(SIGHUP)) {
        sigaddset(&set, SIGHUP);
    }
    if (group_size() > 1) {
        sigaddset(&set, SIGCONT);
    }
    return set;
}

/* Of the thread that calls and of all that it starts from here on: OpenMP's, the libraries'. None
 * of them is interrupted in a system call. */
static void block_all(void)
{
    sigset_t set;

    sigfillset(&set);
    for (size_t i = 0; i < G_N_ELEMENTS(of_faults); i++) {
        sigdelset(&set, of_faults[i]);
    }
    pthread_sigmask(SIG_SETMASK, &set, NULL);
}

// as if nobody waited for it
static void end_process(int number)
{
    sigset_t set;

    signal(number, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, number);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    raise(number);
}

static void *wait_for_signals(void *user)
{
    struct interruption *i = user;
    const uint64_t one = 1;
    bool first = true;
    int number;

    pthread_sigmask(SIG_SETMASK, &i->awaited, NULL); // all others may come here
    while (sigwait(&i->awaited, &number) == 0) {
        // somebody who asks twice does not want to wait
        if (!first) {
            end_process(number);
        }
        first = first && number == SIGCONT; // which mpirun sends before any other
        atomic_store(&i->asked, true);
        // wakes who polls it; that it is full already is as good
        (void)!write(i->fd, &one, sizeof one);
    }
    return NULL;
}

// never freed: its thread waits as long as the process
interruption *interruption_start(GError **error)
{
    struct interruption *i = g_new0(struct interruption, 1);
    pthread_t thread;

    i->awaited = choose_awaited();
    i->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    block_all();
    const int failed = i->fd < 0 ? errno : pthread_create(&thread, NULL, wait_for_signals, i);
    if (failed != 0) {
        error_failed(error, "The thread that waits for signals cannot be started: %s.",
                     g_strerror(failed));
        g_free(i);
        return NULL;
    }
    pthread_detach(thread);
    return i;
}

bool interruption_asked(const interruption *i)
{
    return atomic_load(&i->asked);
}

void interruption_ask(interruption *i)
{
    atomic_store(&i->asked, true);
}

int interruption_fd(const interruption *i)
{
    return i->fd;
}
