// Power and resets: the state that outlives a hard reset, the end of the run, the counters.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "board.h"

#define POWER_ENV "SIM_BOARD_STATE"
#define POWER_OWN_MAX 16

struct sim_state *sim;
static int power_state_fd = -1;
static int power_own[POWER_OWN_MAX];
static int power_own_count;

static void power_message(const char *text) {
    ssize_t ret = write(STDERR_FILENO, text, strlen(text));
    ret = write(STDERR_FILENO, "\n", 1);
    (void)ret;
}

static void power_say(const char *text) {
    ssize_t ret = write(STDOUT_FILENO, text, strlen(text));
    (void)ret;
}

static void power_terminal(bool raw) {
    if (!sim->tty) {
        return;
    }
    struct termios mode = sim->tty_saved;
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

static void power_say_cause(void) {
    static const char *const names[] = {
        [SIM_PWRON] = "rst:0x1 (POWERON_RESET)",
        [SIM_HARD] = "rst:0xc (SW_CPU_RESET)",
        [SIM_WDT] = "rst:0x8 (TG1WDT_SYS_RESET)",
        [SIM_DEEPSLEEP] = "rst:0x5 (DEEPSLEEP_RESET)",
    };
    power_say(names[sim->cause]);
    power_say(",boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n");
}

void sim_power_on(void) {
    const char *inherited = getenv(POWER_ENV);
    bool first = sim_host || inherited == NULL;
    power_state_fd = first ? memfd_create("board", MFD_CLOEXEC) : atoi(inherited);
    if (power_state_fd < 0 || (first && ftruncate(power_state_fd, sizeof(*sim)) != 0)) {
        fputs("board: no shared memory\n", stderr);
        exit(2);
    }
    sim = mmap(NULL, sizeof(*sim), PROT_READ | PROT_WRITE, MAP_SHARED, power_state_fd, 0);
    if (sim == MAP_FAILED) {
        fputs("board: no shared memory\n", stderr);
        exit(2);
    }
    sim_own_fd(power_state_fd);
    if (first) {
        sim->cause = SIM_PWRON;
        sim->flash_fd = -1;
        sim_clock_set_ns(-1);
    }
    if (sim_host) {
        return;
    }
    unsetenv(POWER_ENV);
    signal(SIGPIPE, SIG_IGN);
    if (first && isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &sim->tty_saved) == 0) {
        sim->tty = true;
        power_say("Simulated ESP32 board. Ctrl-] leaves it.\r\n");
    }
    power_terminal(true);
    power_say_cause();
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

static void power_write_stats(void) {
    if (sim_opt.stats == NULL) {
        return;
    }
    FILE *f = fopen(sim_opt.stats, "w");
    if (f == NULL) {
        power_message("board: the --stats file can't be written");
        return;
    }
#define POWER_STAT(name) fprintf(f, #name " %llu\n", (unsigned long long)sim->name)
    POWER_STAT(card_inits);
    POWER_STAT(card_read_commands);
    POWER_STAT(card_read_sectors);
    POWER_STAT(card_write_commands);
    POWER_STAT(card_write_sectors);
    POWER_STAT(card_sync);
    POWER_STAT(flash_writes);
    POWER_STAT(flash_erases);
    POWER_STAT(resets_hard);
    POWER_STAT(resets_soft);
#undef POWER_STAT
    fprintf(f, "modelled_card_ms %llu\n", (unsigned long long)(sim->card_ns / 1000000));
    fputs("pins_shared", f);
    for (int pin = 0; pin < SIM_PINS; pin++) {
        if (sim->pins_shared >> pin & 1) {
            fprintf(f, " %d", pin);
        }
    }
    fputs("\n", f);
    fclose(f);
}

void sim_power_off(int status, const char *message) {
    power_terminal(false);
    if (message != NULL) {
        power_message(message);
    }
    power_write_stats();
    _exit(status);
}

static void power_check_resets(void) {
    if (sim_opt.max_resets >= 0 &&
        sim->resets_hard + sim->resets_soft > (uint64_t)sim_opt.max_resets) {
        sim_power_off(SIM_EXIT_RESETS, "board: more resets than --max-resets allows");
    }
}

void sim_count_soft_reset(void) {
    sim->resets_soft++;
    sim->cause = SIM_SOFT;
    power_check_resets();
}

// May be called by any thread.
void sim_hard_reset(enum sim_cause cause) {
    sim->cause = cause;
    sim->resets_hard++;
    power_check_resets();
    char number[16];
    snprintf(number, sizeof(number), "%d", power_state_fd);
    setenv(POWER_ENV, number, 1);
    power_each_foreign_fd(power_close_at_exec);
    fcntl(power_state_fd, F_SETFD, 0);
    if (sim->flash_fd >= 0) {
        fcntl(sim->flash_fd, F_SETFD, 0);
    }
    signal(SIGUSR1, SIG_IGN); // one on its way would meet a process that does not know it yet
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execv("/proc/self/exe", sim_argv);
    sim_power_off(2, "board: the reset failed");
}
