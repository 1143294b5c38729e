// SPDX-License-Identifier: MIT
// The simulated ESP32 board: what its parts share.
#ifndef SIM_BOARD_H
#define SIM_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_PINS 40
#define SIM_TIMERS 4
#define SIM_BAD_RANGES 16
#define SIM_SECTOR 512u
#define SIM_UART_RING 1024

#define SIM_EXIT_CUT 75    // the power cut asked for with --cut
#define SIM_EXIT_RESETS 76 // more resets than --max-resets

// options.c
struct sim_options {
    const char *card, *flash, *stats, *trace;
    size_t heap;
    int8_t pin[SIM_PINS]; // level that the outside world drives: 0, 1, or -1 for nothing
    uint64_t cut;         // 0: never
    uint64_t flash_cut;   // 0: never
    uint32_t card_init_fails;
    struct {
        uint32_t first, last;
    } bad[SIM_BAD_RANGES];
    int bad_count;
    bool card_read_only;
    int64_t max_resets; // -1: any number
    uint8_t unique_id[6];
    int32_t wifi_delay_ms; // -1: never connects
    bool clock_set;        // the clock runs with the host's instead of starting at 2000-01-01
    uint32_t command_us, read_kbs, write_kbs;
};

extern struct sim_options sim_opt;
extern bool sim_host; // unix MicroPython for tools (--host): no board around it
extern char **sim_argv;

void sim_options_default(void);
// Takes the option `name`, which has no "--" before it. NULL, or what `value` should be but is not,
// or SIM_OPTION_UNKNOWN. `value` must stay.
const char *sim_option(const char *name, const char *value);
extern const char SIM_OPTION_UNKNOWN[];

// cmdline.c
void sim_options_parse(int argc, char **argv); // exits with status 2 on a mistake

// Reset causes, numbered as machine.*_RESET on ESP32.
enum sim_cause { SIM_PWRON = 1, SIM_HARD, SIM_WDT, SIM_DEEPSLEEP, SIM_SOFT };

// What outlives a hard reset, which replaces the process: shared memory on an inherited fd.
struct sim_state {
    uint32_t cause;
    uint64_t resets_hard, resets_soft;
    uint64_t card_inits, card_read_commands, card_read_sectors;
    uint64_t card_write_commands, card_write_sectors, card_sync, card_ns;
    uint64_t flash_writes, flash_erases;
    uint64_t pins_shared; // bit n: GPIO n was used as a Pin and by a card slot at the same time
    int64_t clock_ns;     // the board's time since 1970 less the host's monotonic clock
    int flash_fd;         // flash without --flash
    int card_fd;          // after sim_fork(): the copy of the card, else -1
    bool card_out;        // pulled out of its slot, see sim_card_pull()
    bool card_waits;      // put back: it answers nothing before it is initialised
    bool tty;
    bool uart_eof;
    uint32_t uart_head, uart_tail;
    uint8_t uart_ring[SIM_UART_RING];
};

extern struct sim_state *sim;

// power.c
void sim_power_on(void);
int sim_memory_file(const char *name); // forgotten at the end
void sim_own_fd(int fd);               // survives a soft reset
void sim_close_foreign_fds(void);
void sim_count_soft_reset(void);
int sim_fork(void); // -1 in the copy of the board that it makes, else the exit status of that one
_Noreturn void sim_hard_reset(enum sim_cause cause);
void sim_power_say(const char *text); // on the serial line, from outside the firmware
_Noreturn void sim_power_off(int status, const char *message);

// stats.c
void sim_stats_write(void);
void sim_stats_check_resets(void); // against --max-resets
const char *sim_stats_cause(void); // what the serial line shows at a reset

// boot.c: the life of the interpreter, soft resets included.
_Noreturn void sim_boot(char *heap, char *stack_top, size_t stack);

// irq.c: a thread that stands for the hardware beside the processor.
void sim_irq_start(void);
void sim_irq_start_again(void);    // after fork(), which copies no threads
void sim_irq_wait(int timeout_ms); // sleeps until an interrupt; other threads run meanwhile
uint64_t sim_now_ns(void);         // monotonic
void sim_irq_disable(void);
void sim_irq_enable(void);
void sim_irq_changed(void); // events.c has changed what is to be waited for

// events.c
bool sim_events_timers(uint64_t now, uint64_t *next); // runs those that are due: was there one?
void sim_events_watchdog(uint64_t now, uint64_t *next);
void sim_timer_set(int id, uint64_t period_ns, bool repeat, void *callback, void *arg);
void sim_timer_stop(int id);
void sim_timer_stop_all(void);
uint64_t sim_timer_elapsed_ns(int id);
void sim_wdt_set(uint64_t timeout_ns);
void sim_wdt_feed(void);
uint32_t sim_uart_room(void);
void sim_uart_received(uint8_t c, int interrupt); // `interrupt`: what Ctrl-C is, -1: nothing
bool sim_uart_any(void);
int sim_uart_get(void); // next character, -1 if there is none
bool sim_uart_eof(void);
extern volatile int sim_interrupt_char;

// card.c: the card in the slot. Errors are ESP-IDF's codes.
#define ESP_OK 0
#define ESP_FAIL (-1)
#define ESP_ERR_INVALID_ARG 0x102
#define ESP_ERR_INVALID_STATE 0x103
#define ESP_ERR_INVALID_SIZE 0x104
#define ESP_ERR_TIMEOUT 0x107
#define ESP_ERR_INVALID_RESPONSE 0x108
#define ESP_ERR_INVALID_CRC 0x109

void sim_card_open(void);
bool sim_card_pull(void); // out of the slot, or back in: returns whether it is out now
int sim_card_init(void);
uint32_t sim_card_sectors(void);
int sim_card_read(uint32_t lba, uint32_t count, uint8_t *buf);
int sim_card_write(uint32_t lba, uint32_t count, const uint8_t *buf);
void sim_card_copy(void); // goes on with a copy of the image, which is forgotten at the end
// Has the N-th command from now on fail, or from power-on on: "rN" for a read, "wN" for a write,
// followed by "+" for all after it too, by "/" for a write that is half done. "" for no failures.
// Returns false if it is none of these.
bool sim_card_fail(const char *what, bool from_now);
void check_esp_err(int code); // raises OSError as ports/esp32 does

// flash.c
void sim_flash_open(void);

// host.c: files of the machine on which the board runs; -1 or false: failed.
enum sim_file_mode { SIM_FILE_READ, SIM_FILE_UPDATE, SIM_FILE_CREATE, SIM_FILE_APPEND };
int sim_file_open(const char *path, enum sim_file_mode mode);
void sim_file_close(int file);
int64_t sim_file_size(int file);
bool sim_file_copy(int from, int to); // what is no hole
bool sim_file_read(int file, uint64_t offset, void *buf, size_t len);
bool sim_file_write(int file, uint64_t offset, const void *buf, size_t len);
const uint8_t *sim_file_map(int file, size_t len); // shows what is written later; NULL: can't
bool sim_file_append(int file, const char *text);
int64_t sim_host_clock_ns(void); // since 1970

// pin.c
void sim_pin_use(int pin, bool by_card, bool used);
uint64_t sim_pins_of_card(void);
void sim_pins_reset(void);

// clock.c
int64_t sim_clock_ns(void); // nanoseconds since 1970
void sim_clock_set_ns(int64_t ns);

#endif
