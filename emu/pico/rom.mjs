// SPDX-License-Identifier: MIT
// A boot ROM for rp2040js, which comes without one. Each function is BKPT n; BX LR: the emulator
// calls back at BKPT, and what the function does happens here. Firmware finds them as in the real
// ROM (datasheet, section 2.8): by two letters, through the tables and the lookup function that the
// halfwords at 0x14, 0x16 and 0x18 point to.
import { TABLE_SIZE, doubleTable, singleTable } from './floats.mjs';

const SIZE = 16384;
const CODE = 0x100; // where the functions begin
const MAGIC = 0x0201754d; // "Mu", 1, version 2: the ROM of chip revision B1
const FLOATS = { SF: 0x3000, SD: 0x3100 };
const DATA_TABLE = 0x3200;
const FUNCTION_TABLE = 0x3280;

// What a call takes, in cycles: about what the datasheet says for floats and what the loops of the
// real ROM cost. Flash: typical values of a W25Q16JV.
const FLOAT_CYCLES = 70;
const BIT_CYCLES = 15;
const ALIGNED_BYTE = 1;
const BYTE = 7;
const ERASE_NS = 45e6; // a sector of 4096 bytes
const PROGRAM_NS = 0.4e6; // a page of 256 bytes

const code = (name) => name.charCodeAt(0) | (name.charCodeAt(1) << 8);

function reversed(value) {
  let out = 0;
  for (let i = 0; i < 32; i++) out = (out << 1) | ((value >>> i) & 1);
  return out >>> 0;
}

function ones(value) {
  let n = 0;
  for (; value; value &= value - 1) n++;
  return n;
}

/** Installs the ROM. `spend(ns)` lets time pass, `event(what)` hears of "erase", "program" and
 * "bootloader". */
export function installRom(mcu, spend, event) {
  const r = mcu.core.registers;
  const rom = new DataView(new ArrayBuffer(SIZE));
  const hooks = [];
  let free = CODE;

  // Adds a function and returns its address.
  function define(action) {
    const address = free;
    rom.setUint16(address, 0xbe00 | hooks.length, true); // BKPT n
    rom.setUint16(address + 2, 0x4770, true); // BX LR
    free += 4;
    hooks.push(action);
    return address | 1;
  }

  const cycles = (n) => spend((n * 1e9) / mcu.clkSys);
  const bytes = (n, ...addresses) =>
    cycles(20 + n * (addresses.some((a) => a & 3) ? BYTE : ALIGNED_BYTE));
  const copy = () => {
    const [to, from, n] = r;
    for (let i = 0; i < n; i++) mcu.writeUint8(to + i, mcu.readUint8(from + i));
    bytes(n, to, from);
  };
  const fill = () => {
    const [to, value, n] = r;
    for (let i = 0; i < n; i++) mcu.writeUint8(to + i, value & 0xff);
    bytes(n, to);
  };
  const bits = (f) => () => {
    r[0] = f(r[0]);
    cycles(BIT_CYCLES);
  };
  const functions = {
    MC: copy,
    C4: copy,
    MS: fill,
    S4: fill,
    P3: bits(ones),
    R3: bits(reversed),
    L3: bits(Math.clz32),
    T3: bits((v) => (v ? 31 - Math.clz32(v & -v) : 32)),
    IF: () => {}, // connect the flash, leave and enter execute in place: always on here
    EX: () => {},
    FC: () => {},
    CX: () => {},
    RE: () => {
      const [at, n] = r;
      mcu.flash.fill(0xff, at, at + n);
      spend((n / 4096) * ERASE_NS);
      event('erase');
    },
    RP: () => {
      const [at, from, n] = r;
      for (let i = 0; i < n; i++) mcu.flash[at + i] &= mcu.readUint8(from + i);
      spend((n / 256) * PROGRAM_NS);
      event('program');
    },
    UB: () => event('bootloader'),
  };

  const functionTable = Object.entries(functions).map(([name, f]) => [code(name), define(f)]);
  const lookup = define(() => {
    const [start, wanted] = r;
    const found = start === FUNCTION_TABLE ? functionTable : dataTable;
    r[0] = found.find(([name]) => name === (wanted & 0xffff))?.[1] ?? 0;
  });
  const dataTable = Object.entries(FLOATS).map(([name, at]) => {
    const actions = (name === 'SF' ? singleTable : doubleTable)(r);
    for (let offset = 0; offset < TABLE_SIZE; offset += 4) {
      const action =
        actions[offset] ??
        (() => {
          throw new Error(`the boot ROM has no function 0x${offset.toString(16)} in ${name}`);
        });
      const address = define(() => {
        action();
        cycles(FLOAT_CYCLES);
      });
      rom.setUint32(at + offset, address, true);
    }
    rom.setUint8(at - 2, TABLE_SIZE / 4); // the SDK looks here for the table's size
    return [code(name), at];
  });
  [
    [FUNCTION_TABLE, functionTable],
    [DATA_TABLE, dataTable],
  ].forEach(([at, table]) =>
    table.forEach(([name, address], i) => {
      rom.setUint16(at + 4 * i, name, true);
      rom.setUint16(at + 4 * i + 2, address, true);
    }),
  );

  rom.setUint32(0, 0x20041f00, true); // stack
  rom.setUint32(0x10, MAGIC, true);
  rom.setUint16(0x14, FUNCTION_TABLE, true);
  rom.setUint16(0x16, DATA_TABLE, true);
  rom.setUint16(0x18, lookup, true);
  mcu.loadBootrom(new Uint32Array(rom.buffer));
  mcu.onBreak = (n) => {
    if (mcu.core.PC >= SIZE) throw new Error(`breakpoint at 0x${mcu.core.PC.toString(16)}`);
    hooks[n]();
  };
}
