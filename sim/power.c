// SPDX-License-Identifier: MIT
// Power and resets: the state that outlives a hard reset, the end of the run.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "board.h"

#define POWER_ENV "SIM_BOARD_STATE"
#define POWER_OWN_MAX 16

// The terminal's own mode outlives a reset too.
struct power_shared {
    struct sim_state board;
    struct termios tty_saved;
};

struct sim_state *sim;
static struct power_shared *power_shared;
static int power_state_fd = -1;
static int power_own[POWER_OWN_MAX];
static int power_own_count;

static void power_message(const char *text) {
    ssize_t ret = write(STDERR_FILENO, text, strlen(text));
    ret = write(STDERR_FILENO, "\n", 1);
    (void)ret;
}

void sim_power_say(const char *text) {
    ssize_t ret = write(STDOUT_FILENO, text, strlen(text));
    (void)ret;
}

static void power_terminal(bool raw) {
    if (!sim->tty) {
        return;
    }
    struct termios mode = power_shared->tty_saved;
    if (raw) {
        // Characters pass one by one and unchanged, Ctrl-C too: the board decides what they mean.
        mode.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INPCK | ISTRIP | IXON);
        mode.c_cflag = (mode.c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
        mode.c_lflag = 0;
        mode.c_oflag &= ~(tcflag_t)OPOST;
        mode.c_cc[VMIN] = 1;
        mode.c_cc[VTIME] = 0;
    }
    tcsetattr(STDIN_FILENO, TCSANOW, &mode);
}

int sim_memory_file(const char *name) {
    return memfd_create(name, MFD_CLOEXEC);
}

void sim_power_on(void) {
    const char *inherited = getenv(POWER_ENV);
    bool first = sim_host || inherited == NULL;
    power_state_fd = first ? sim_memory_file("board") : atoi(inherited);
    if (power_state_fd < 0 || (first && ftruncate(power_state_fd, sizeof(*power_shared)) != 0)) {
        fputs("board: no shared memory\n", stderr);
        exit(2);
    }
    power_shared =
        mmap(NULL, sizeof(*power_shared), PROT_READ | PROT_WRITE, MAP_SHARED, power_state_fd, 0);
    if (power_shared == MAP_FAILED) {
        fputs("board: no shared memory\n", stderr);
        exit(2);
    }
    sim = &power_shared->board;
    sim_own_fd(power_state_fd);
    if (first) {
        sim->cause = SIM_PWRON;
        sim->flash_fd = -1;
        sim->card_fd = -1;
        sim_clock_set_ns(-1);
    }
    if (sim_host) {
        return;
    }
    unsetenv(POWER_ENV);
    signal(SIGPIPE, SIG_IGN);
    if (first && isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &power_shared->tty_saved) == 0) {
        sim->tty = true;
        sim_power_say(
            "Simulated ESP32 board. Ctrl-] leaves it, Ctrl-\\ pulls its card out and puts it "
            "back.\r\n");
    }
    power_terminal(true);
    sim_power_say(sim_stats_cause());
}

void sim_own_fd(int fd) {
    if (fd >= 0 && power_own_count < POWER_OWN_MAX) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        power_own[power_own_count++] = fd;
    }
}

static bool power_owns(int fd) {
    for (int i = 0; i < power_own_count; i++) {
        if (power_own[i] == fd) {
            return true;
        }
    }
    return fd <= STDERR_FILENO;
}

// Calls `what` for each open file descriptor that belongs to the program on the board.
static void power_each_foreign_fd(void (*what)(int fd)) {
    DIR *dir = opendir("/proc/self/fd");
    if (dir == NULL) {
        return;
    }
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        int fd = atoi(entry->d_name);
        if (entry->d_name[0] != '.' && fd != dirfd(dir) && !power_owns(fd)) {
            what(fd);
        }
    }
    closedir(dir);
}

static void power_close(int fd) {
    close(fd);
}

static void power_close_at_exec(int fd) {
    fcntl(fd, F_SETFD, FD_CLOEXEC);
}

// Sockets die with the interpreter that opened them.
void sim_close_foreign_fds(void) {
    power_each_foreign_fd(power_close);
}

void sim_power_off(int status, const char *message) {
    power_terminal(false);
    if (message != NULL) {
        power_message(message);
    }
    sim_stats_write();
    _exit(status);
}

// Has the copy of the board its own state.
static bool power_state_copy(void) {
    int fd = sim_memory_file("board");
    if (fd < 0 || ftruncate(fd, sizeof(*power_shared)) != 0) {
        return false;
    }
    struct power_shared *copy =
        mmap(NULL, sizeof(*copy), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (copy == MAP_FAILED) {
        return false;
    }
    *copy = *power_shared;
    power_shared = copy;
    power_state_fd = fd;
    sim = &copy->board;
    sim_own_fd(fd);
    return true;
}

int sim_fork(void) {
    sim_irq_disable();
    pid_t pid = fork();
    if (pid != 0) {
        sim_irq_enable();
        int status;
        while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        }
        return pid < 0 ? 2 : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    if (!power_state_copy()) {
        sim_power_off(2, "board: no shared memory");
    }
    sim_card_copy();
    sim_irq_start_again();
    return -1;
}

void sim_count_soft_reset(void) {
    sim->resets_soft++;
    sim->cause = SIM_SOFT;
    sim_stats_check_resets();
}

// May be called by any thread.
void sim_hard_reset(enum sim_cause cause) {
    sim->cause = cause;
    sim->resets_hard++;
    sim_stats_check_resets();
    char number[16];
    snprintf(number, sizeof(number), "%d", power_state_fd);
    setenv(POWER_ENV, number, 1);
    power_each_foreign_fd(power_close_at_exec);
    fcntl(power_state_fd, F_SETFD, 0);
    if (sim->flash_fd >= 0) {
        fcntl(sim->flash_fd, F_SETFD, 0);
    }
    if (sim->card_fd >= 0) {
        fcntl(sim->card_fd, F_SETFD, 0);
    }
    signal(SIGUSR1, SIG_IGN); // one on its way would meet a process that does not know it yet
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execv("/proc/self/exe", sim_argv);
    sim_power_off(2, "board: the reset failed");
}
