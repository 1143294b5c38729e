// SPDX-License-Identifier: MIT
// The hardware beside the processor (events.c) as one thread. It schedules callbacks as an
// interrupt handler of a real board does, whatever the interpreter is doing.
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "py/mphal.h"
#include "py/runtime.h"
#include "shared/readline/readline.h"
#include "shared/runtime/pyexec.h"

#include "board.h"

#define IRQ_LEAVE 0x1d // Ctrl-]
#define IRQ_CARD 0x1c  // Ctrl-\, as SIGUSR2: pulls the card out, puts it back

static pthread_mutex_t irq_mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_t irq_main_thread;
static bool irq_running;
static int irq_wake_fd = -1; // wakes this thread: something changed
static int irq_main_fd = -1; // wakes the interpreter: something happened
static volatile sig_atomic_t irq_off_signal;
static volatile sig_atomic_t irq_card_signal;
volatile int sim_interrupt_char = -1;

uint64_t sim_now_ns(void) {
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

void sim_irq_disable(void) {
    pthread_mutex_lock(&irq_mutex);
}

void sim_irq_enable(void) {
    pthread_mutex_unlock(&irq_mutex);
}

static void irq_signal(int fd) {
    uint64_t one = 1;
    ssize_t ret = write(fd, &one, sizeof(one));
    (void)ret;
}

void sim_irq_changed(void) {
    irq_signal(irq_wake_fd);
}

static void irq_clear(int fd) {
    uint64_t n;
    ssize_t ret = read(fd, &n, sizeof(n));
    (void)ret;
}

static void irq_nothing(int signum) {
    (void)signum;
}

// The power switch, from outside the process.
static void irq_switch_off(int signum) {
    irq_off_signal = signum;
    irq_signal(irq_wake_fd);
}

static void irq_card_moves(int signum) {
    irq_card_signal = signum;
    irq_signal(irq_wake_fd);
}

static void irq_pull_card(void) {
    bool out = sim_card_pull();
    sim_power_say(out ? "\r\nboard: the card is out of its slot\r\n"
                      : "\r\nboard: the card is in its slot\r\n");
}

// Interrupts wake the first thread only: they must not be taken from it by another.
static void irq_sleep(int timeout_ms) {
    if (!irq_running || !pthread_equal(pthread_self(), irq_main_thread)) {
        struct timespec ts = {timeout_ms / 1000, timeout_ms % 1000 * 1000000L};
        nanosleep(&ts, NULL);
        return;
    }
    struct pollfd p = {irq_main_fd, POLLIN, 0};
    if (poll(&p, 1, timeout_ms) > 0) {
        irq_clear(irq_main_fd);
    }
}

void sim_irq_wait(int timeout_ms) {
    MP_THREAD_GIL_EXIT();
    irq_sleep(timeout_ms);
    MP_THREAD_GIL_ENTER();
}

// Serial input

bool sim_uart_eof(void) {
    return sim->uart_eof;
}

static void irq_uart_receive(void) {
    uint8_t buf[SIM_UART_RING];
    ssize_t n = read(STDIN_FILENO, buf, sim_uart_room());
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
        return;
    }
    if (n <= 0) {
        sim->uart_eof = true;
    }
    for (ssize_t i = 0; i < n; i++) {
        if (sim->tty && buf[i] == IRQ_LEAVE) {
            sim_power_off(0, "\nboard: switched off");
        }
        if (sim->tty && buf[i] == IRQ_CARD) {
            irq_pull_card();
            continue;
        }
        sim_uart_received(buf[i], sim_interrupt_char);
    }
    irq_signal(irq_main_fd);
}

// The thread

static int irq_timeout_ms(uint64_t now, uint64_t next) {
    if (next == UINT64_MAX) {
        return -1;
    }
    uint64_t ms = next <= now ? 0 : (next - now + 999999u) / 1000000u;
    return ms > 60000 ? 60000 : (int)ms;
}

static void *irq_thread(void *arg) {
    (void)arg;
    for (;;) {
        uint64_t now = sim_now_ns();
        uint64_t next = UINT64_MAX;
        sim_events_watchdog(now, &next);
        if (irq_off_signal != 0) {
            sim_power_off(128 + irq_off_signal, "board: switched off by a signal");
        }
        if (irq_card_signal != 0) {
            irq_card_signal = 0;
            irq_pull_card();
        }
        bool room = false;
        if (pthread_mutex_trylock(&irq_mutex) == 0) {
            if (sim_events_timers(now, &next)) {
                irq_signal(irq_main_fd);
            }
            room = !sim->uart_eof && sim_uart_room() != 0;
            bool pending = MP_STATE_VM(sched_state) == MP_SCHED_PENDING;
            pthread_mutex_unlock(&irq_mutex);
            if (pending) {
                // The interpreter may be inside a system call: get it out, until it has looked.
                pthread_kill(irq_main_thread, SIGUSR1);
                next = now + 5000000u < next ? now + 5000000u : next;
            }
        } else {
            next = now + 1000000u; // interrupts are off
        }
        struct pollfd p[2] = {{irq_wake_fd, POLLIN, 0}, {room ? STDIN_FILENO : -1, POLLIN, 0}};
        if (poll(p, 2, irq_timeout_ms(now, next)) <= 0) {
            continue;
        }
        if (p[0].revents != 0) {
            irq_clear(irq_wake_fd);
        }
        if (p[1].revents != 0) {
            sim_irq_disable();
            irq_uart_receive();
            sim_irq_enable();
        }
    }
    return NULL;
}

void sim_irq_start(void) {
    irq_main_thread = pthread_self();
    irq_wake_fd = eventfd(0, EFD_NONBLOCK);
    irq_main_fd = eventfd(0, EFD_NONBLOCK);
    sim_own_fd(irq_wake_fd);
    sim_own_fd(irq_main_fd);
    struct sigaction sa = {.sa_handler = irq_nothing};
    sigaction(SIGUSR1, &sa, NULL);
    sa.sa_handler = irq_switch_off;
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGHUP, &sa, NULL);
    sa.sa_handler = irq_card_moves;
    sigaction(SIGUSR2, &sa, NULL);
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pthread_t thread;
    if (pthread_create(&thread, NULL, irq_thread, NULL) != 0) {
        sim_power_off(2, "board: no thread for the interrupts");
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    irq_running = true;
}

void sim_irq_start_again(void) {
    irq_mutex = (pthread_mutex_t)PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
    sim_irq_start();
}
