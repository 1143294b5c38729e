// SPDX-License-Identifier: MIT
// The emulated Pico's command line, much like that of emu/board.py; --help tells.
import fs from 'fs';
import { parseArgs } from 'util';
import { FILESYSTEM_SIZE, Pico } from './pico.mjs';
import { SECTOR, SdCard } from './sdcard.mjs';

const HELP = `An emulated Raspberry Pi Pico: real firmware, its flash and its card in image files.

usage: node board.mjs --firmware UF2 [options]

The serial line is stdin and stdout; the end of the input at the REPL switches the board off.

  --serial uart|usb     UART 0, once boot.py has called os.dupterm() (default), or USB, which the
                        firmware starts after boot.py only
  --card IMG            image of the card: SPI 1, clock 10, mosi 11, miso 12, cs 13
  --card-spi N,CS       another SPI and another pin
  --card-sdsc           it is one of up to 2 GB, with byte addresses
  --card-init-fails N   the first N initialisations of the card time out
  --card-bad LBA[-LBA]  these sectors can't be read; repeatable
  --card-ro             the card can't be written
  --card-command-us N   what a command that reads or writes takes the card (400)
  --flash IMG           image of the internal filesystem (1408 KiB); without it, blank
  --pin N=0|1           level from outside at GPIO N; repeatable. Others read 1
  --cut N               power fails at the N-th sector written to the card, resets included: N-1
                        are written, exit status 75
  --max-resets N        more than N resets end the run with status 76
  --seconds N           of the board's time; then it is switched off, exit status 77 (1000)
  --stats FILE          counters as "name value" lines, written at the end
  --trace FILE          a line for each command of the card: r|w lba sectors
  --profile FILE        "address count" lines: where the program was, every 1000 instructions
`;
const EXIT = { cut: 75, resets: 76, seconds: 77, broken: 78 };
const SLICE = 200000; // instructions between looks at the serial line
const LIST = { type: 'string', multiple: true, default: [] };
const TEXT = { type: 'string' };
const FLAG = { type: 'boolean' };
const OPTIONS = {
  'card-bad': LIST,
  'card-command-us': { type: 'string', default: '400' },
  'card-init-fails': { type: 'string', default: '0' },
  'card-ro': FLAG,
  'card-sdsc': FLAG,
  'card-spi': { type: 'string', default: '1,13' },
  'max-resets': TEXT,
  card: TEXT,
  cut: TEXT,
  firmware: TEXT,
  flash: TEXT,
  help: FLAG,
  pin: LIST,
  profile: TEXT,
  seconds: { type: 'string', default: '1000' },
  serial: { type: 'string', default: 'uart' },
  stats: TEXT,
  trace: TEXT,
};

class Ended extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

// A card image on disk, read and written sector by sector.
class CardFile {
  constructor(path) {
    this.file = fs.openSync(path, 'r+');
    this.sectors = Math.floor(fs.fstatSync(this.file).size / SECTOR);
  }

  read(lba) {
    const data = new Uint8Array(SECTOR);
    fs.readSync(this.file, data, 0, SECTOR, lba * SECTOR);
    return data;
  }

  write(lba, data) {
    fs.writeSync(this.file, data, 0, SECTOR, lba * SECTOR);
  }
}

function ranges(list) {
  return list.map((text) => {
    const [first, last] = text.split('-').map(Number);
    return [first, last ?? first];
  });
}

class Board {
  constructor(options) {
    this.options = options;
    this.output = [];
    this.tail = ''; // what it said last
    this.typed = [];
    this.samples = new Map();
    this.trace = [];
    this.left = options.cut === undefined ? Infinity : Number(options.cut);
    const [spi, cs] = options['card-spi'].split(',').map(Number);
    this.card = options.card && this.makeCard();
    this.pico = new Pico({
      firmware: fs.readFileSync(options.firmware),
      filesystem: readFilesystem(options.flash),
      card: this.card,
      spi,
      cs,
      pins: Object.fromEntries(options.pin.map((text) => text.split('=').map(Number))),
      serial: options.serial,
      send: (byte) => this.said(byte),
      sample: options.profile && ((pc) => this.samples.set(pc, (this.samples.get(pc) ?? 0) + 1)),
    });
  }

  makeCard() {
    const { options } = this;
    const bad = ranges(options['card-bad']);
    return new SdCard(new CardFile(options.card), {
      sdsc: options['card-sdsc'],
      initFails: Number(options['card-init-fails']),
      bad: (lba) => bad.some(([first, last]) => lba >= first && lba <= last),
      readOnly: options['card-ro'],
      commandUs: Number(options['card-command-us']),
      now: () => this.pico.nanos,
      trace: options.trace && ((...words) => this.trace.push(words.join(' '))),
      beforeWrite: () => {
        if (--this.left <= 0) throw new Ended(EXIT.cut, 'power has failed');
      },
    });
  }

  said(byte) {
    this.output.push(byte);
    this.tail = (this.tail + String.fromCharCode(byte)).slice(-5);
  }

  flush() {
    if (this.output.length) fs.writeSync(1, Uint8Array.from(this.output));
    this.output.length = 0;
  }

  /** Runs until the board has ended; throws what ended it unless it is the end of the input. */
  async run() {
    const input = { ended: false };
    process.stdin.on('data', (data) => this.typed.push(...data));
    process.stdin.on('end', () => {
      input.ended = true;
      this.pico.paced = false;
    });
    this.pico.paced = this.options.serial === 'usb';
    const limit = Number(this.options.seconds) * 1e9;
    const most = Number(this.options['max-resets'] ?? Infinity);
    for (;;) {
      const room = this.typed.length ? this.pico.line.room() : 0;
      if (room) this.pico.line.type(this.typed.splice(0, room));
      const asleep = this.pico.run(SLICE);
      this.flush();
      if (this.pico.stats.resets > most) throw new Ended(EXIT.resets, 'too many resets');
      if (this.pico.bootloader) throw new Ended(0, 'the bootloader was started');
      if (this.pico.nanos > limit) throw new Ended(EXIT.seconds, 'it runs for too long');
      const idle = asleep && !this.typed.length;
      if (idle && input.ended) {
        if (this.tail.endsWith('\n>>> ')) return;
        if (!this.pico.clock.nextAlarm) throw new Ended(EXIT.seconds, 'it sleeps for ever');
      }
      // Let the input in; a sleeping board must not use up the PC's time or its own.
      await new Promise((go) => (idle ? setTimeout(go, 1) : setImmediate(go)));
    }
  }

  save() {
    const { options, pico, card } = this;
    const counters = {
      instructions: pico.stats.instructions,
      us: Math.round(pico.nanos / 1000),
      us_asleep: Math.round(pico.spent.sleep / 1000),
      us_bus: Math.round(pico.spent.bus / 1000),
      us_rom: Math.round(pico.spent.rom / 1000),
      flash_erases: pico.stats.flashErases,
      flash_writes: pico.stats.flashPrograms,
      resets_hard: pico.stats.resets,
      card_inits: card?.stats.inits ?? 0,
      card_read_commands: card?.stats.readCommands ?? 0,
      card_read_sectors: card?.stats.readSectors ?? 0,
      card_write_commands: card?.stats.writeCommands ?? 0,
      card_write_sectors: card?.stats.writeSectors ?? 0,
      card_busy_bytes: card?.stats.busyBytes ?? 0,
    };
    const lines = (pairs) => pairs.map((words) => words.join(' ') + '\n').join('');
    if (options.stats) fs.writeFileSync(options.stats, lines(Object.entries(counters)));
    if (options.trace) fs.writeFileSync(options.trace, lines(this.trace.map((line) => [line])));
    if (options.flash) fs.writeFileSync(options.flash, pico.filesystem);
    if (options.profile) {
      const found = [...this.samples].map(([pc, count]) => [pc.toString(16), count]);
      fs.writeFileSync(options.profile, lines(found));
    }
  }
}

function readFilesystem(path) {
  if (!path) return null;
  const image = fs.readFileSync(path);
  if (image.length !== FILESYSTEM_SIZE) throw new Ended(2, `${path} is not ${FILESYSTEM_SIZE} bytes`);
  return image;
}

async function main() {
  const options = parseArgs({ options: OPTIONS }).values;
  if (options.help || !options.firmware) {
    process.stdout.write(HELP);
    return options.help ? 0 : 2;
  }
  const board = new Board(options);
  let status = 0;
  try {
    await board.run();
  } catch (error) {
    board.flush();
    process.stderr.write(`board: ${error instanceof Ended ? error.message : error.stack}\n`);
    status = error.status ?? EXIT.broken;
  }
  board.save();
  return status;
}

process.exit(await main());
