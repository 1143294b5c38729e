// SPDX-License-Identifier: MIT
// An SD card in SPI mode (SD Physical Layer Simplified Specification 6.00, chapter 7), with what a
// driver gets wrong easily: 74 clocks before the first command, at most 400 kHz until the card is
// ready, CRCs, busy and waiting times, sector or byte addresses.

export const SECTOR = 512;
const START = 0xfe; // before a block of data, also of CMD24
const START_MULTI = 0xfc; // of CMD25
const STOP_TRAN = 0xfd;
const ACCEPTED = 0x05;
const CRC_ERROR = 0x0b;
const WRITE_ERROR = 0x0d;
const ECC_FAILED = 0x05; // error token in the place of a block that can't be read
const R1_IDLE = 1;
const R1_ILLEGAL = 4;
const R1_CRC = 8;
const R1_PARAMETER = 0x40;
const SLOW_HZ = 400e3;
const POLLS_UNTIL_READY = 3; // of ACMD41
const BLOCK_NS = 20e3; // between the blocks of one command

function crc7(data) {
  let crc = 0;
  for (let byte of data) {
    for (let i = 0; i < 8; i++) {
      crc = (crc << 1) ^ ((byte ^ crc) & 0x80 ? 0x12 : 0);
      byte <<= 1;
    }
    crc &= 0xff;
  }
  return crc | 1;
}

const CRC16 = Uint16Array.from({ length: 256 }, (_, n) => {
  let crc = n << 8;
  for (let i = 0; i < 8; i++) crc = (crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0);
  return crc;
});

export function crc16(data) {
  let crc = 0;
  for (const byte of data) crc = ((crc << 8) & 0xffff) ^ CRC16[(crc >> 8) ^ byte];
  return crc;
}

export class SdCard {
  /** `storage` has sectors, read(lba) and write(lba, data). Options: sdsc (byte addresses, version
   * 1.x of the commands), initFails (so many initialisations time out), bad (lba) => is it
   * unreadable, readOnly, commandUs (what a command that reads or writes takes), now() in ns,
   * trace(command letter, lba, sectors), beforeWrite(), each sector's. */
  constructor(storage, options) {
    this.storage = storage;
    this.options = options;
    this.stats = { inits: 0, readCommands: 0, readSectors: 0, writeCommands: 0, writeSectors: 0 };
    this.stats.busyBytes = 0; // clocked while the host waited for the card
    this.initFails = options.initFails ?? 0;
    this.powerOn();
  }

  powerOn() {
    this.clocks = 0; // of 8 bits, seen before the first command
    this.selected = false;
    this.ready = false; // in SPI mode
    this.idle = true;
    this.checked = false; // CRCs, by CMD59
    this.polls = 0;
    this.application = false; // was the last command CMD55?
    this.busyUntil = 0;
    this.out = []; // bytes that the host will see next
    this.command = [];
    this.reading = null; // { lba, multi, at }: a block comes at time `at`
    this.writing = null; // { lba, multi, data }: data is null until a start token
  }

  // Like most cards it goes on with what it was doing when it is selected again: micropython-lib's
  // sdcard.py lets go of it between a command and its data.
  select(on) {
    if (!on) this.command = [];
    this.selected = on;
  }

  /** A byte from the host at a clock of `hz`; returns the card's. */
  transfer(byte, hz) {
    if (!this.selected) {
      this.clocks++;
      return 0xff;
    }
    const answer = this.answer();
    const data = this.writing?.data || (this.writing && (byte & 0xc0) !== 0x40);
    if (data && !this.command.length) {
      this.takeData(byte);
    } else if (this.command.length || (byte & 0xc0) === 0x40) {
      this.command.push(byte);
      if (this.command.length === 6) {
        this.execute(this.command, hz);
        this.command = [];
      }
    }
    return answer;
  }

  answer() {
    if (this.out.length) return this.out.shift();
    if (this.options.now() < this.busyUntil) {
      this.stats.busyBytes++;
      return 0;
    }
    if (!this.reading) return 0xff;
    if (this.options.now() < this.reading.at) {
      this.stats.busyBytes++;
      return 0xff;
    }
    this.sendSector();
    return this.out.shift();
  }

  // ---- data ------------------------------------------------------------------------------------

  sendBlock(data) {
    const crc = crc16(data);
    this.out.push(START, ...data, crc >> 8, crc & 0xff);
  }

  sendSector() {
    const r = this.reading;
    if (r.lba >= this.storage.sectors || this.options.bad?.(r.lba)) {
      this.out.push(r.lba >= this.storage.sectors ? 0x08 : ECC_FAILED);
      this.endRead();
      this.reading = null;
      return;
    }
    this.stats.readSectors++;
    this.sendBlock(this.storage.read(r.lba++));
    r.count++;
    r.at = this.options.now() + BLOCK_NS;
    if (!r.multi) {
      this.endRead();
      this.reading = null;
    }
  }

  takeData(byte) {
    const w = this.writing;
    if (w.data) {
      w.data.push(byte);
      if (w.data.length === SECTOR + 2) this.store(w);
    } else if (byte === (w.multi ? START_MULTI : START)) {
      w.data = [];
    } else if (byte === STOP_TRAN && w.multi) {
      this.endWrite();
      this.writing = null;
      this.out = [0xff];
      this.busy();
    }
  }

  store(w) {
    const data = Uint8Array.from(w.data.slice(0, SECTOR));
    const crc = (w.data[SECTOR] << 8) | w.data[SECTOR + 1];
    w.data = null;
    this.out = [ACCEPTED];
    if (this.checked && crc !== crc16(data)) {
      this.out = [CRC_ERROR];
    } else if (this.options.readOnly || w.lba >= this.storage.sectors) {
      this.out = [WRITE_ERROR];
    } else {
      this.options.beforeWrite?.();
      this.stats.writeSectors++;
      this.storage.write(w.lba++, data);
      w.count++;
    }
    if (w.multi) {
      this.busyUntil = this.options.now() + BLOCK_NS;
    } else {
      this.endWrite();
      this.writing = null;
      this.busy();
    }
  }

  busy() {
    this.busyUntil = this.options.now() + this.options.commandUs * 1000;
  }

  endRead() {
    if (!this.reading) return;
    this.stats.readCommands++;
    this.options.trace?.('r', this.reading.first, this.reading.count);
  }

  endWrite() {
    if (!this.writing) return;
    this.stats.writeCommands++;
    this.options.trace?.('w', this.writing.first, this.writing.count);
  }

  // ---- commands --------------------------------------------------------------------------------

  execute(command, hz) {
    const n = command[0] & 63;
    const argument = ((command[1] << 24) | (command[2] << 16) | (command[3] << 8) | command[4]) >>> 0;
    const application = this.application;
    this.application = false;
    if (!this.ready && (n !== 0 || this.clocks < 10)) return; // still in SD mode
    if (this.idle && hz > SLOW_HZ) return; // too fast for it to understand
    if (this.reading && n !== 12 && n !== 0) return;
    if ((this.checked || n === 0 || n === 8) && crc7(command.slice(0, 5)) !== command[5]) {
      return this.reply(R1_CRC | this.state());
    }
    const run = (application ? APPLICATION : COMMANDS)[n];
    if (!run || (this.idle && !WHILE_IDLE.has(n))) return this.reply(R1_ILLEGAL | this.state());
    run.call(this, argument);
  }

  state() {
    return this.idle ? R1_IDLE : 0;
  }

  reply(...bytes) {
    this.out = [0xff, ...bytes]; // after one byte of time
  }

  // The sector of an address, or null if there is none.
  sector(address) {
    if (this.options.sdsc && address % SECTOR) return null;
    const lba = this.options.sdsc ? address / SECTOR : address;
    return lba < this.storage.sectors ? lba : null;
  }

  read(address, multi) {
    const lba = this.sector(address);
    if (lba === null) return this.reply(R1_PARAMETER);
    this.reply(0);
    const at = this.options.now() + this.options.commandUs * 1000;
    this.reading = { first: lba, lba, count: 0, multi, at };
  }

  write(address, multi) {
    const lba = this.sector(address);
    if (lba === null) return this.reply(R1_PARAMETER);
    this.reply(0);
    this.writing = { first: lba, lba, count: 0, multi, data: null };
  }

  // The register that says how large the card is; C_SIZE_MULT is 7 in that of version 1.
  csd() {
    const { sectors } = this.storage;
    let csd;
    if (this.options.sdsc) {
      const long = sectors > 0x200000; // a card of 2 GB has blocks of 1024 bytes
      const size = sectors / 512 / (long ? 2 : 1) - 1;
      csd = [0, 0x26, 0, 0x32, 0x5b, long ? 0x5a : 0x59];
      csd.push(0x80 | ((size >> 10) & 3), (size >> 2) & 0xff, (size & 3) << 6, 3, 0xff);
    } else {
      const size = sectors / 1024 - 1;
      csd = [0x40, 0x0e, 0, 0x32, 0x5b, 0x59, 0];
      csd.push((size >> 16) & 63, (size >> 8) & 0xff, size & 0xff, 0x7f);
    }
    csd.push(0x80, 0x0a, 0x40, 0);
    return Uint8Array.from([...csd, crc7(csd)]);
  }
}

const WHILE_IDLE = new Set([0, 8, 41, 55, 58, 59]);

const COMMANDS = {
  0() {
    this.endRead();
    this.endWrite();
    this.reading = null;
    this.writing = null;
    this.ready = true;
    this.idle = true;
    this.checked = false;
    this.polls = 0;
    this.reply(R1_IDLE);
  },
  8(argument) {
    if (this.initFails > 0) {
      this.initFails--;
      this.out = []; // does not answer
    } else if (this.options.sdsc) {
      this.reply(R1_ILLEGAL | this.state());
    } else {
      this.reply(this.state(), 0, 0, (argument >> 8) & 0xf, argument & 0xff);
    }
  },
  9() {
    this.reply(0, 0xff);
    this.sendBlock(this.csd());
  },
  10() {
    this.reply(0, 0xff);
    this.sendBlock(Uint8Array.from([3, 83, 68, 69, 77, 85, 76, 65, 16, 0, 0, 0, 1, 1, 160, 1]));
  },
  12() {
    this.endRead();
    this.reading = null;
    this.out = [0xff]; // what was on its way
    this.reply(0);
    this.busyUntil = this.options.now() + BLOCK_NS;
  },
  13() {
    this.reply(this.state(), 0);
  },
  16(argument) {
    this.reply(argument === SECTOR ? 0 : R1_PARAMETER);
  },
  17(address) {
    this.read(address, false);
  },
  18(address) {
    this.read(address, true);
  },
  24(address) {
    this.write(address, false);
  },
  25(address) {
    this.write(address, true);
  },
  55() {
    this.application = true;
    this.reply(this.state());
  },
  58() {
    const high = this.options.sdsc || this.idle ? 0x80 : 0xc0;
    this.reply(this.state(), this.idle ? 0 : high, 0xff, 0x80, 0);
  },
  59(argument) {
    this.checked = (argument & 1) === 1;
    this.reply(this.state());
  },
};

const APPLICATION = {
  ...COMMANDS,
  23() {
    this.reply(0);
  },
  41(argument) {
    // A card above 2 GB waits for a host that says it knows such cards.
    const understood = this.options.sdsc || argument & 0x40000000;
    if (understood && ++this.polls >= POLLS_UNTIL_READY) {
      if (this.idle) this.stats.inits++;
      this.idle = false;
    }
    this.reply(this.state());
  },
};
