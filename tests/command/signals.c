/* A library to be preloaded: a handler, as profilers install it, that runs five thousand times a
 * second on the stack of whichever thread takes a signal of the process. At the end it says on
 * standard error how often it ran. A thread whose stack pointer is not one at that moment has its
 * memory overwritten. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

#define PERIOD_US 200

static volatile sig_atomic_t count;

static void on_alarm(int number)
{
    count++;
}

__attribute__((constructor)) static void begin(void)
{
    const struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    const struct itimerval timer = {{0, PERIOD_US}, {0, PERIOD_US}};

    if (getenv("GOMP_SPINCOUNT") != NULL) { // else the program begins once more, without handlers
        sigaction(SIGALRM, &action, NULL);
        setitimer(ITIMER_REAL, &timer, NULL);
    }
}

__attribute__((destructor)) static void end(void)
{
    const struct itimerval never = {0};

    setitimer(ITIMER_REAL, &never, NULL);
    fprintf(stderr, "the handler ran %d times\n", (int)count);
}
