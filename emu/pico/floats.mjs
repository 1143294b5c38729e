// SPDX-License-Identifier: MIT
// The floating-point functions of the RP2040's boot ROM (datasheet, section 2.8.3.2): a table of
// them for single precision and one for double, by the same offsets.

const scratch = new DataView(new ArrayBuffer(8));
const [INT_MIN, INT_MAX, UINT_MAX] = [-(2 ** 31), 2 ** 31 - 1, 2 ** 32 - 1];
const [LONG_MIN, LONG_MAX] = [-(2n ** 63n), 2n ** 63n - 1n];
const ULONG_MAX = 2n ** 64n - 1n;

// How a number lies in registers: `words` of them, read and written from register n on.
const single = {
  words: 1,
  read(r, n) {
    scratch.setUint32(0, r[n]);
    return scratch.getFloat32(0);
  },
  write(r, value) {
    scratch.setFloat32(0, value);
    r[0] = scratch.getUint32(0);
  },
};

const double = {
  words: 2,
  read(r, n) {
    scratch.setUint32(4, r[n]);
    scratch.setUint32(0, r[n + 1]);
    return scratch.getFloat64(0);
  },
  write(r, value) {
    scratch.setFloat64(0, value);
    r[0] = scratch.getUint32(4);
    r[1] = scratch.getUint32(0);
  },
};

function clamp(value, low, high) {
  return Number.isNaN(value) ? 0 : Math.min(Math.max(Math.floor(value), low), high);
}

function clampLong(value, low, high) {
  if (Number.isNaN(value)) return 0n;
  if (!Number.isFinite(value)) return value < 0 ? low : high;
  const whole = BigInt(Math.floor(value));
  return whole < low ? low : whole > high ? high : whole;
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

// {offset in the table: function} on the registers `r`.
function table(r, own, other) {
  const a = () => own.read(r, 0);
  const b = () => own.read(r, own.words);
  const give = (value) => own.write(r, value);
  const bits = () => 2 ** (r[own.words] | 0); // of a fraction, behind one number
  const long = () => (BigInt(r[1] | 0) << 32n) | BigInt(r[0]);
  const giveLong = (value) => {
    r[0] = Number(value & 0xffffffffn);
    r[1] = Number((value >> 32n) & 0xffffffffn);
  };
  return {
    0x00: () => give(a() + b()),
    0x04: () => give(a() - b()),
    0x08: () => give(a() * b()),
    0x0c: () => give(a() / b()),
    0x18: () => give(Math.sqrt(a())),
    0x1c: () => (r[0] = clamp(a(), INT_MIN, INT_MAX)),
    0x20: () => (r[0] = clamp(a() * bits(), INT_MIN, INT_MAX)),
    0x24: () => (r[0] = clamp(a(), 0, UINT_MAX)),
    0x28: () => (r[0] = clamp(a() * bits(), 0, UINT_MAX)),
    0x2c: () => give(r[0] | 0),
    0x30: () => give((r[0] | 0) / 2 ** r[1]),
    0x34: () => give(r[0]),
    0x38: () => give(r[0] / 2 ** r[1]),
    0x3c: () => give(Math.cos(a())),
    0x40: () => give(Math.sin(a())),
    0x44: () => give(Math.tan(a())),
    0x4c: () => give(Math.exp(a())),
    0x50: () => give(Math.log(a())),
    0x54: () => (r[0] = compare(a(), b())),
    0x58: () => give(Math.atan2(a(), b())),
    0x5c: () => give(Number(long())),
    0x60: () => give(Number(long()) / 2 ** r[2]),
    0x64: () => give(Number(BigInt.asUintN(64, long()))),
    0x68: () => give(Number(BigInt.asUintN(64, long())) / 2 ** r[2]),
    0x6c: () => giveLong(clampLong(a(), LONG_MIN, LONG_MAX)),
    0x70: () => giveLong(clampLong(a() * bits(), LONG_MIN, LONG_MAX)),
    0x74: () => giveLong(clampLong(a(), 0n, ULONG_MAX)),
    0x78: () => giveLong(clampLong(a() * bits(), 0n, ULONG_MAX)),
    0x7c: () => other.write(r, a()),
  };
}

export const TABLE_SIZE = 0x80;
export const singleTable = (registers) => table(registers, single, double);
export const doubleTable = (registers) => table(registers, double, single);
