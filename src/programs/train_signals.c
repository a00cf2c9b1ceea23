/* The signals are blocked in all threads and waited for by one of their own: handlers would be replaced by
 * those that a driver's compiler brings. */
#include "programs/train_signals.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

static sigset_t set;
static atomic_bool caught;

static void *await(void *unused)
{
    int number;
    (void)unused;
    while (sigwait(&set, &number) != 0)
        ;
    atomic_store(&caught, true);
    while (sigwait(&set, &number) != 0)
        ;
    _exit(128 + number);
}

bool laip_catch_signals(laip_error *error)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
    struct sigaction before;
    pthread_t thread;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaddset(&set, numbers[i]);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (pthread_create(&thread, NULL, await, NULL) != 0)
        return laip_failure(error, "no thread could be started to wait for signals");
    pthread_detach(thread);
    return true;
}

bool laip_signal_caught(void)
{
    return atomic_load(&caught);
}
