# SPDX-License-Identifier: MIT
# sdboot. `make help` lists the targets.

PYTHON := /usr/bin/python3
# Tools that Debian 13 no longer has, see tools/setup.sh.
export PATH := $(PATH):$(CURDIR)/build/hfsutils/usr/bin
BOARD := build/sim/board
# Power cuts in each scenario on both filesystems, with the options $(1).
cuts = for fs in fat littlefs; do for scenario in update confirm expire rollback corrupt; do \
	$(PYTHON) tests/cuts/cuts.py --fs $$fs --scenario $$scenario $(1) || exit 1; done; done
# Options of the interactive board, see docs/GUIDE.md.
PIN ?=
CARD ?=
FLASH ?=
URL ?=
FAIL ?=
PTY ?=
FILES ?=
TO ?= /
# The board of `make install`.
PORT ?=
ARCH ?=
BOOT ?=
FORCE ?=

all: board

# The lines below that say "## what it is for".
help:
	@tools/help.sh

setup: ## install what is needed and get MicroPython (MPY_DIR=... uses yours)
	@tools/setup.sh

board: setup ## build the simulated board
	@[ -x $(BOARD) ] || echo "board: building MicroPython for the simulated board, about half a minute"
	@$(MAKE) --no-print-directory -C sim

# What goes on a board with stock firmware: build/native/ARCH. CROSS= names another toolchain than
# Debian's, for one ARCH.
NATIVE := xtensawin rv32imc armv7m armv6m x64
toolchain_xtensawin := xtensa
toolchain_rv32imc := riscv
toolchain_armv7m := arm
toolchain_armv6m := arm
native_archs := $(if $(ARCH),$(ARCH),$(NATIVE))

native: ## the package for stock firmware: build/native/ARCH, for all or ARCH=xtensawin
	@tools/setup.sh native $(if $(CROSS),,$(foreach arch,$(native_archs),$(toolchain_$(arch))))
	@$(MAKE) --no-print-directory -s -C sim mpy-cross
	@for arch in $(native_archs); do \
		$(MAKE) --no-print-directory -C micropython/native ARCH=$$arch $(if $(CROSS),CROSS=$(CROSS)) || exit 1; done

# Real MicroPython for other processors, under QEMU: build/emu/{mps2,virt-rv32,xtensa}/board.
emu: ## build the emulated boards: armv7m, rv32imc, xtensawin under QEMU
	@tools/setup.sh native xtensa riscv arm qemu
	@$(MAKE) --no-print-directory -C emu

test-emu: board emu ## the emulated boards: flash, card, pins, timers, power cuts
	@$(PYTHON) -m unittest discover -s tests/emu

cli: setup ## the host tool: build/cli/sdboot packs, signs, publishes and checks releases
	@$(MAKE) --no-print-directory -s -C cli

test-cli: cli board ## the host tool, with AddressSanitizer
	@$(MAKE) --no-print-directory -s -C cli SANITIZE=1
	@$(MAKE) --no-print-directory -j2 -O test-cli-release test-cli-rest

# Passwords take their time: those tests have a processor of their own.
test-cli-release:
	@$(cli_tests) test_cli
test-cli-rest:
	@$(cli_tests) $(filter-out test_cli,$(patsubst tests/cli/%.py,%,$(wildcard tests/cli/test_*.py)))
cli_tests = cd tests/cli && SDBOOT_TOOL=$(CURDIR)/build/cli-asan/sdboot ASAN_OPTIONS=detect_leaks=0 \
	$(PYTHON) -m unittest

test-cli-valgrind: cli ## the host tool, a part of that under valgrind
	@$(PYTHON) -m unittest discover -s tests/cli -p valgrind.py

PREFIX ?= /usr/local
install-host: cli ## the host tool, its manual pages and completion below PREFIX=/usr/local
	@cli/dist/install.sh build/cli/sdboot "$(DESTDIR)$(PREFIX)"

deb: cli ## a Debian package of it, build/deb/sdboot_..., for the Debian that runs here
	@cli/dist/deb.sh $(CURDIR)/build/cli/sdboot $(CURDIR)/build/deb

test-deb: cli ## the Debian package is made, installed and run in clean chroots of Debian 12 and 13 (as root)
	@tests/cli/chroots.sh bookworm trixie

demo: board ## set everything up, then show a board's first day
	@$(PYTHON) tools/demo.py

picture: board ## docs/demo.svg, drawn from what the demo prints
	@$(PYTHON) tools/picture.py

# Without CARD= the board that `make demo` has left, or one with a blank card.
run: board ## the board in this terminal: CARD=img|none PIN=18=0 FAIL=w9+ URL=http://... PTY=1
	@$(PYTHON) tools/run.py $(if $(CARD),--card "$(CARD)") $(if $(FLASH),--flash "$(FLASH)") \
		$(if $(PIN),--pin "$(PIN)") $(if $(URL),--url "$(URL)") $(if $(FAIL),--fail "$(FAIL)") \
		$(if $(PTY),--pty)

put: board ## files onto its card while it is off: FILES="main.py app" TO=/
	@$(PYTHON) tools/cardfiles.py put $(if $(CARD),--card "$(CARD)") --to "$(TO)" $(FILES)

ls: board ## what is on its card
	@$(PYTHON) tools/cardfiles.py ls $(if $(CARD),--card "$(CARD)")

test-run: board mpremote ## `make run` in a terminal and on a serial port, with the real mpremote
	@$(PYTHON) -m unittest discover -s tests/run

test-examples: board ## examples/, each on the simulated board
	@$(PYTHON) -m unittest discover -s tests/examples

test-servers: board ## updates from nginx, Apache, lighttpd, BusyBox, Caddy and Python's http.server
	@tools/setup.sh servers
	@$(PYTHON) -m unittest discover -s tests/servers

# What a release of sdboot consists of. ARCH=x64 for one processor, KEY= a secret key of minisign,
# URL= where it will be published, for mpremote before 1.25.
DIST := $(if $(ARCH),$(ARCH),$(filter-out x64,$(NATIVE)))
KEY ?=
dist: cli ## build/dist: source, packages for boards and mip, SHA256SUMS; KEY=sdboot.key signs
	@for arch in $(DIST); do $(MAKE) --no-print-directory native ARCH=$$arch || exit 1; done
	@rm -rf build/deb; SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(MAKE) --no-print-directory deb >/dev/null
	@$(PYTHON) tools/dist.py $(DIST) $(if $(KEY),--key "$(KEY)") $(if $(URL),--url "$(URL)")

test-dist: board cli mpremote ## what `make dist` makes is complete, the same when made again, and installs
	@tools/setup.sh dist
	@$(MAKE) --no-print-directory -C sim BARE=1
	@$(PYTHON) -m unittest discover -s tests/dist

test-types: setup ## stubs/ say what the package is; the examples pass mypy
	@tools/setup.sh types
	@$(PYTHON) -m unittest discover -s tests/types

test-docs: board cli ## every command in the documentation
	@tools/setup.sh types
	@$(PYTHON) -m unittest discover -s tests/docs

test: test-unit test-sim test-board test-cuts test-faults ## what to run after a change: the core, the simulated board, cuts and faults in samples
	@echo "make test: all passed"

test-unit: setup
	@$(MAKE) --no-print-directory -s -j2 -O -C tests/unit check

test-unit-whole: setup ## the same with every cut and every bit where `make test` has samples
	@EXHAUSTIVE=1 $(MAKE) --no-print-directory -s -j2 -O -C tests/unit check

test-sim: board
	@$(MAKE) --no-print-directory -C sim BARE=1
	@$(PYTHON) tools/suites.py tests/sim

test-board: board cli
	@$(PYTHON) tools/suites.py tests/board

# The same with AddressSanitizer and UBSan in MicroPython and in sdboot.
test-asan: board ## the board's tests with AddressSanitizer and UBSan
	@$(MAKE) --no-print-directory -C sim SANITIZE=1
	@SDBOOT_BOARD=$(CURDIR)/build/sim-asan/board $(PYTHON) tools/suites.py tests/board

# The board's power is cut at every 5th sector of what it writes here, at every one in `make cuts`.
test-cuts: board
	@$(call cuts,--every 5)

cuts: board ## the board's power cut at every sector of an update, and again while it recovers
	@$(call cuts,--again)

# Every 50th command of the card fails here, every one in `make faults`.
test-faults: board
	@$(PYTHON) tests/faults/faults.py --every 50

# One in 17 of them is in `make test`.
programs: board ## databases, recordings, removals, releases on cards of 7 kinds, 64 MiB to 32 GiB
	@cd tests/board && PROGRAMS=all $(PYTHON) -m unittest test_programs

faults: board ## each command of the card fails in each operation: told, or done (20 minutes)
	@$(PYTHON) tests/faults/faults.py

# The core with real FatFs and littlefs, cut at every write; REPLAY=token repeats one failure.
torture: setup ## the core with real FatFs, cut at every write in every order (20 minutes)
	@$(MAKE) --no-print-directory -C tests/torture run

memory: board ## every call of the API with 64 KiB down to 2 KiB of memory left, in one piece and in many
	@EXHAUSTIVE=1 $(PYTHON) tools/suites.py $(addprefix tests/board/test_heap.Heap.,test_in_one_piece test_in_pieces)

liar: board ## a server that lies, and cuts at every byte: a table of cases and what came of each
	@cd tests/board && EXHAUSTIVE=1 $(PYTHON) -m unittest test_liar

coverage: setup ## lines and branches of core/ that its unit tests run
	@EXHAUSTIVE=1 $(MAKE) --no-print-directory -s -j2 -C tests/unit OUT=$(CURDIR)/build/coverage SANITIZE="--coverage -O0" check >/dev/null 2>&1
	@$(PYTHON) tools/coverage.py build/coverage/core

torture-slice: setup ## a part of `make torture`
	@$(MAKE) --no-print-directory -C tests/torture slice

torture-mutants: setup ## broken cores must be caught
	@$(MAKE) --no-print-directory -C tests/torture mutants

bench-card: board ## sectors and commands written by updates and by programs, exact counts
	@$(PYTHON) bench/card.py
	@echo
	@$(PYTHON) bench/patterns.py

# PEER= is a checkout of the original, the Python scripts that sdboot takes the place of.
PEER ?=
bench: board cli ## an update beside one by the original, PEER=folder: time, instructions, card, network, heap
	@tools/setup.sh bench
	@$(PYTHON) bench/versus.py $(if $(PEER),--peer "$(PEER)") $(if $(ONLY),--only $(ONLY))

# PRICES="REQUESTS GB": what 10,000 requests and a GB cost at whoever serves the fleet.
BOARDS ?= 500
bench-fleet: board cli ## BOARDS=500 clients against one nginx: rollout, power failure of all, cost of a million
	@$(PYTHON) bench/fleet.py --boards $(BOARDS) \
		$(if $(PRICES),--price-requests $(word 1,$(PRICES)) --price-gb $(word 2,$(PRICES)))

bench-swap: board ## the boots of an update and of the way back, 100, 400 and 1,000 files outside app/
	@$(PYTHON) bench/outside.py

bench-steps: board ## the longest step of an update, the card's commands in it
	@$(PYTHON) bench/steps.py

bench-update: board cli ## bytes on the wire and sectors on the card of an update, by what has changed
	@$(PYTHON) bench/update.py

fuzz: setup ## the parsers under libFuzzer, SECONDS=5 each
	@$(MAKE) --no-print-directory -C tests/fuzz check
	@$(MAKE) --no-print-directory -s -C tests/fuzz-cli check

lint: setup ## clang-format, cppcheck, warnings of gcc and clang as errors, the rooms of core/
	@tools/lint.sh

# On a real board. ARCH= makes sure of its architecture, BOOT= has the arguments of sdboot.boot(),
# FORCE=1 replaces a boot.py of your own.
install uninstall: mpremote ## PORT=/dev/ttyUSB0: the package on a board with stock MicroPython
	@[ -n "$(PORT)" ] || { echo "make $@: say where the board is: make $@ PORT=/dev/ttyUSB0"; exit 1; }
	@$(PYTHON) tools/install.py $@ --port "$(PORT)" $(if $(ARCH),--arch "$(ARCH)") \
		$(if $(BOOT),--boot '$(BOOT)') $(if $(FORCE),--force)

# RELEASES= is a folder that `sdboot release` has filled.
RELEASES ?= www
push: mpremote ## PORT=/dev/ttyUSB0 RELEASES=www: updates a board over USB, as from a server
	@[ -n "$(PORT)" ] || { echo "make push: say where the board is: make push PORT=/dev/ttyUSB0"; exit 1; }
	@$(PYTHON) tools/push.py --port "$(PORT)" $(if $(FORCE),--force) "$(RELEASES)"

# The system's mpremote, or Debian's package unpacked below build/.
mpremote:
	@command -v mpremote >/dev/null || [ -d build/mpremote ] || \
		tools/suite.sh deb bookworm-backports build/mpremote micropython-mpremote python3-serial

# Firmware of a Raspberry Pi Pico with sdboot in it: the CMake build of MicroPython.
rp2: board ## firmware for a Raspberry Pi Pico with sdboot built in
	@tools/setup.sh arm rp2
	@tools/rp2.sh out

# That firmware, and stock firmware with the native package on its flash, on an emulated RP2040.
# Each half of the tests has a processor of its own. The first is a slice; the whole cuts the power at
# each write, and has all tests on both firmwares.
pico: board mpremote
	@tools/setup.sh arm rp2 pico
	@tools/rp2.sh
	@$(MAKE) --no-print-directory -s native ARCH=armv6m
	@$(MAKE) --no-print-directory -C emu/pico

test-pico: pico ## real firmware of a Raspberry Pi Pico, emulated, with an SD card on SPI
	@$(MAKE) --no-print-directory -j2 -O test-pico-1 test-pico-2

test-pico-whole: pico ## the same, with the power cut at every write, on stock firmware and ours (hours)
	@PICO=all $(MAKE) --no-print-directory -j2 -O test-pico-1 test-pico-2

pico_tests_1 := test_pico_boot test_pico_update.UpdateBuiltIn \
	test_pico_update.Collector test_pico_update.CollectorBuiltIn
pico_tests_2 := test_pico_update.Update test_pico_install
test-pico-1 test-pico-2: test-pico-%:
	@cd tests/pico && $(PYTHON) -m unittest $(pico_tests_$*)

bench-pico: pico ## what a boot and an update take an emulated Pico
	@$(PYTHON) bench/pico.py

# Firmware with everything of sdboot in it boots with an empty flash.
test-frozen: board ## firmware with sdboot built in and frozen
	@$(MAKE) --no-print-directory -C sim FROZEN=1
	@$(PYTHON) -m unittest discover -s tests/frozen

test-threads: board ## several threads on one card: a board with _thread
	@$(MAKE) --no-print-directory -C sim THREAD=1
	@SDBOOT_BOARD=$(CURDIR)/build/sim-thread/board $(PYTHON) tools/suites.py \
		$(addprefix tests/board/,test_threads test_transaction test_transaction_ends)

test-keep: board ## a binding that loses what it needs to the garbage collector must be caught
	@$(MAKE) --no-print-directory -C sim MUTANT=keep
	@$(PYTHON) -m unittest discover -s tests/mutants

# The native modules on four instruction sets; on those with 32 bits with a heap of 96 KiB. All of
# the board's tests run on x64, the others boot, update, swap, roll back and cut power.
EMULATED := xtensawin rv32imc armv7m
native_board_xtensawin := emu/xtensa
native_board_rv32imc := emu/virt-rv32
native_board_armv7m := emu/mps2
native_board_x64 := sim-bare
native_tests := test_boot test_ota test_staged test_rollback test_trial_options test_verify \
	test_transaction test_transaction_ends test_signed
native_slice := test_boot.Root test_ota.Interface test_transaction.TooBig test_rollback.Bad \
	test_signed.KeyOnFlash
native_env = SDBOOT_BOARD=$(CURDIR)/build/$(native_board_$*)/board \
	SDBOOT_PACKAGE=$(CURDIR)/build/native/$*/lib/sdboot

test-native: board emu ## the native modules on emulated Xtensa, RISC-V and Arm, and on x64
	@$(MAKE) --no-print-directory native ARCH=
	@$(MAKE) --no-print-directory -C sim BARE=1
	@$(MAKE) --no-print-directory -j2 -O test-native-x64 $(EMULATED:%=test-native-%)

test-native-slice: board emu ## a part of `make test-native` on each of them
	@for arch in x64 $(EMULATED); do $(MAKE) --no-print-directory native ARCH=$$arch || exit 1; done
	@$(MAKE) --no-print-directory -C sim BARE=1
	@$(MAKE) --no-print-directory -j2 -O test-native-slice-x64 $(EMULATED:%=test-native-slice-%)

test-native-x64: test-native-%:
	@$(MAKE) --no-print-directory -C sim BARE=1
	@echo "test-native: $*"
	@$(native_env) $(PYTHON) -m unittest discover -s tests/native
	@$(native_env) $(PYTHON) tools/suites.py tests/board

test-native-slice-x64: test-native-slice-%:
	@echo "test-native: $*"
	@$(native_env) $(PYTHON) -m unittest discover -s tests/native
	@cd tests/board && $(native_env) $(PYTHON) -m unittest $(native_tests) test_journal_log test_delta

$(EMULATED:%=test-native-%): test-native-%:
	@$(call native_emulated,$(native_tests))

$(EMULATED:%=test-native-slice-%): test-native-slice-%:
	@$(call native_emulated,$(native_slice))

native_emulated = echo "test-native: $*, heap of 96 KiB"; \
	$(native_env) $(PYTHON) -m unittest discover -s tests/native && \
	cd tests/board && SDBOOT_OPTIONS="--heap 96K" $(native_env) $(PYTHON) -m unittest $(1)

# The newest MicroPython that Debian has: sdboot built in, and as native modules on stock firmware.
# TESTS=discover runs all of the board's tests on it.
TESTS ?= $(native_tests)
newest_tests = $(if $(filter discover,$(TESTS)),tests/board,$(TESTS:%=tests/board/%))
test-newest: board ## the board's tests on the newest MicroPython in Debian
	@tools/newest.sh
	@$(MAKE) --no-print-directory native ARCH=x64
	@SDBOOT_BOARD=$(CURDIR)/build/newest/board $(PYTHON) tools/suites.py $(newest_tests)
	@SDBOOT_BOARD=$(CURDIR)/build/newest/bare/board SDBOOT_PACKAGE=$(CURDIR)/build/native/x64/lib/sdboot \
		$(PYTHON) tools/suites.py $(newest_tests)

test-sign: setup ## signatures: what is accepted is what libsodium accepts, CASES=100000
	@$(MAKE) --no-print-directory -s -C tests/sign check $(if $(CASES),CASES=$(CASES))

bench-sign: setup ## instructions of one check of a signature, on three instruction sets
	@tools/setup.sh riscv arm qemu
	@$(PYTHON) bench/sign.py

test-upstream: board ## MicroPython's own tests of filesystems and files, over the journal
	@$(PYTHON) -m unittest discover -s tests/upstream

bench-native: board emu ## what native modules cost a board: heap, executable memory, time
	@$(MAKE) --no-print-directory -s native ARCH= >/dev/null
	@$(MAKE) --no-print-directory -C sim BARE=1
	@$(PYTHON) bench/native.py

test-install: board emu mpremote ## installing, on emulated boards
	@for arch in x64 armv7m rv32imc xtensawin; do \
		$(MAKE) --no-print-directory native ARCH=$$arch || exit 1; done
	@$(MAKE) --no-print-directory -C sim BARE=1
	@$(MAKE) --no-print-directory -C tests/install/uart
	@$(PYTHON) tools/suites.py $(install_tests)

# Each waits for its serial line most of the time.
install_tests := $(addprefix tests/install/,test_uart test_emulated.Arm test_emulated.RiscV \
	test_emulated.Xtensa $(addprefix test_install.,Install Installed Refused Unplugged))

clean: ## remove build/
	rm -rf build

.PHONY: all help put ls test-keep test-cli-release test-cli-rest test-cli-valgrind install-host deb test-deb picture dist test-dist coverage test-servers test-types test-docs test-examples test-run test-threads memory bench-pico pico test-pico test-pico-whole test-pico-1 test-pico-2 cli test-cli test-sign test-upstream native test-native test-native-slice test-native-slice-x64 bench-native $(EMULATED:%=test-native-%) $(EMULATED:%=test-native-slice-%) test-native-x64 rp2 test-newest test-frozen install uninstall push mpremote test-install setup board emu test-emu demo run test test-unit test-unit-whole test-sim test-board test-cuts test-faults faults programs test-asan cuts torture torture-slice torture-mutants liar bench bench-fleet bench-card bench-sign bench-steps bench-swap bench-update fuzz lint clean
