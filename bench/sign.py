# SPDX-License-Identifier: MIT
"""Instructions of one check of an Ed25519 signature, counted in qemu-user: `make bench-sign`."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "build" / "sign"
SOURCES = [ROOT / "tests" / "sign" / "count.c", ROOT / "micropython" / "sign" / "ed25519.c"]
# As micropython/native/Makefile compiles them. Thumb code of a Cortex-M runs on a Cortex-A.
ARM = ("arm-none-eabi-gcc", "--specs=nosys.specs", "-mthumb")
RISCV = ("riscv64-unknown-elf-gcc", "-mabi=ilp32", "-Wl,--defsym=__flash=0x10000")
RISCV += ("-Wl,--defsym=__flash_size=0x100000,--defsym=__ram=0x200000,--defsym=__ram_size=0x100000",)
MACHINES = {
    "armv7m": ((*ARM, "-mcpu=cortex-m3"), ("qemu-arm", "-cpu", "cortex-a15")),
    "armv6m": ((*ARM, "-mcpu=cortex-m0"), ("qemu-arm", "-cpu", "cortex-a15")),
    "rv32imc": ((*RISCV, "-march=rv32imc"), ("qemu-riscv32",)),
}


def build(compiler, check, program):
    specs = []
    if compiler[0].startswith("riscv"):
        asked = [compiler[0], "--print-file-name=picolibc.specs"]
        specs = ["-specs=" + subprocess.run(asked, check=True, stdout=-1, text=True).stdout.strip()]
    subprocess.run(
        [*compiler, *specs, "-w", "-Oz", "-std=gnu99", "-nostartfiles", "-DCHECK=%d" % check]
        + ["-I%s" % ROOT, "-I%s/micropython/sign" % ROOT, "-isystem", "%s/build/tinyssh" % ROOT]
        + ["-o", program, *SOURCES],
        check=True,
    )


def instructions(emulator, program):
    # A line for each instruction.
    command = [*emulator, "-singlestep", "-d", "nochain,exec", "-D", "/dev/stdout", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        count = sum(line.startswith(b"Trace") for line in process.stdout)
    if process.returncode:
        sys.exit("bench-sign: %s: the signature is not accepted" % program)
    return count


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for name, (compiler, emulator) in MACHINES.items():
        counts = []
        for check in (0, 1):
            program = OUT / ("count-%s-%d" % (name, check))
            build(compiler, check, program)
            counts.append(instructions(emulator, program))
        print("%-8s %10d instructions a check" % (name, counts[1] - counts[0]), flush=True)


if __name__ == "__main__":
    main()
