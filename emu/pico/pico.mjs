// SPDX-License-Identifier: MIT
// A Raspberry Pi Pico: rp2040js with a boot ROM, firmware and filesystem in its flash, a card on
// SPI, a serial line. Resets by software (machine.reset(), watchdog) are carried out here.
import { ConsoleLogger, GPIOPinState, LogLevel, Simulator, USBCDC } from 'rp2040js';
import { installRom } from './rom.mjs';

const XIP = 0x10000000;
const FLASH_SIZE = 2 << 20;
const FILESYSTEM = 0xa0000; // MicroPython's, up to the end of the flash
const RESET_FORCED = 2; // WATCHDOG.REASON
const UART_FIFO = 32;
const SLOWER = 8; // than the chip, about
const UART_TX = 1 << 5; // interrupt

export const FILESYSTEM_SIZE = FLASH_SIZE - FILESYSTEM;

/** Connects `card` to SPI number `spi` with chip select at GPIO `cs`. A byte takes its time on the
 * bus. If it were answered at once, as rp2040js does by itself, a DMA transfer would stall: a channel
 * that has moved a byte asks for the next by an alarm in 0 ns, and an alarm goes before others of the
 * same time (SimulationClock.linkAlarm), so that the sending channel never lets the receiving one run.
 * What holds it back on the chip is a full FIFO, which is never full then; the receiver's is after 8
 * bytes, the others are lost, and its channel waits for them for ever. */
function connectCard(mcu, card, spi, cs, spend) {
  const bus = mcu.spi[spi];
  let answer = 0xff;
  const shifted = mcu.clock.createAlarm(() => bus.completeTransmit(answer));
  bus.onTransmit = (value) => {
    answer = card.transfer(value, bus.clockFrequency);
    const ns = (bus.dataBits * 1e9) / bus.clockFrequency;
    spend(ns);
    shifted.schedule(ns);
  };
  card.select(false);
  mcu.gpio[cs].addListener((state) => card.select(state === GPIOPinState.Low));
}

/** USB's other end. The device's reads wait until there is something, as on a real line: rp2040js's
 * own USBCDC answers each at once with nothing, which keeps the firmware busy for ever. */
function connectUsb(mcu, send) {
  const cdc = new USBCDC(mcu.usbCtrl);
  const host = { connected: false, asked: 0, send };
  const typed = [];
  cdc.onSerialData = (data) => data.forEach((byte) => send(byte));
  cdc.onDeviceConnected = () => (host.connected = true);
  const answer = () => {
    if (!host.asked || !typed.length) return;
    const data = Uint8Array.from(typed.splice(0, host.asked));
    host.asked = 0;
    mcu.usbCtrl.endpointReadDone(cdc.outEndpoint, data);
  };
  mcu.usbCtrl.onEndpointRead = (endpoint, size) => {
    if (endpoint !== cdc.outEndpoint) return;
    host.asked = size;
    answer();
  };
  host.type = (bytes) => {
    typed.push(...bytes);
    answer();
  };
  host.room = () => (host.connected && typed.length === 0 ? 64 : 0);
  return host;
}

/** The UART's other end: what MicroPython says after os.dupterm(machine.UART(0, ...)). Bytes leave
 * at once, so that there is no interrupt for room in the FIFO; rp2040js's never ends. */
function connectUart(mcu, send) {
  const uart = mcu.uart[0];
  uart.checkInterrupts = () => {
    const wanted = uart.interruptStatus & uart.interruptMask & ~UART_TX;
    mcu.setInterrupt(uart.irq, wanted !== 0);
  };
  uart.onByte = send;
  return {
    type: (bytes) => bytes.forEach((byte) => uart.feedByte(byte)),
    room: () => (uart.rxFIFO.empty ? UART_FIFO / 2 : 0),
  };
}

/** options: firmware (bytes of a .uf2), filesystem (bytes), card and spi, cs (if there is one),
 * pins {number: level}, serial ("usb" or "uart"), send(byte), sample(pc) every 1000 instructions
 * or none. */
export class Pico {
  constructor(options) {
    this.options = options;
    this.flash = new Uint8Array(FLASH_SIZE).fill(0xff);
    loadUf2(this.flash, options.firmware);
    if (options.filesystem) this.flash.set(options.filesystem, FILESYSTEM);
    this.stats = { resets: 0, instructions: 0, flashErases: 0, flashPrograms: 0 };
    this.spent = { total: 0, bus: 0, sleep: 0, flash: 0, rom: 0 }; // ns
    this.asksForReset = false;
    this.bootloader = false;
    this.paced = false; // sleep takes time
    this.asleepSince = 0; // ms of the PC, 0: it is not
    this.reset(0);
  }

  get filesystem() {
    return this.mcu.flash.subarray(FILESYSTEM, FLASH_SIZE);
  }

  get nanos() {
    return this.spent.total + this.clock.nanos;
  }

  // A new chip with the old one's flash.
  reset(reason) {
    const { card, spi, cs, pins, serial, send } = this.options;
    if (this.mcu) {
      this.flash.set(this.mcu.flash.subarray(0, FLASH_SIZE));
      this.spent.total += this.clock.nanos;
    }
    const simulator = new Simulator();
    this.mcu = simulator.rp2040;
    this.clock = simulator.clock;
    this.mcu.logger = new ConsoleLogger(LogLevel.Error);
    installRom(this.mcu, (ns) => this.spendInRom(ns), (what) => this.romEvent(what));
    this.mcu.flash.set(this.flash);
    const watchdog = this.mcu.peripherals[0x40058];
    watchdog.reason = reason;
    watchdog.onWatchdogTrigger = () => (this.asksForReset = true);
    for (const pin of this.mcu.gpio) pin.setInputValue((pins?.[pin.index] ?? 1) !== 0);
    if (card) connectCard(this.mcu, card, spi, cs, (ns) => (this.spent.bus += ns));
    this.line = (serial === 'usb' ? connectUsb : connectUart)(this.mcu, send);
    this.mcu.core.PC = XIP; // where the ROM finds the second stage of the boot
    this.asksForReset = false;
  }

  spendInRom(ns) {
    this.clock.tick(ns);
    this.spent.rom += ns;
  }

  romEvent(what) {
    if (what === 'erase') this.stats.flashErases++;
    if (what === 'program') this.stats.flashPrograms++;
    if (what === 'bootloader') this.bootloader = true;
  }

  // Somebody at the other end of the line is waited for: a limit to that must not pass at once. The
  // chip runs at an eighth of its speed here, so it sleeps eight times as long.
  maySleep(ns) {
    const now = performance.now();
    this.asleepSince ||= now;
    if ((now - this.asleepSince) * 1e6 < ns * SLOWER) return false;
    this.asleepSince = 0;
    return true;
  }

  /** Runs `count` instructions, or until the chip waits for ever. True if it is asleep then. */
  run(count) {
    const { core } = this.mcu;
    const { sample } = this.options;
    const { clock } = this;
    let cycle = 1e9 / this.mcu.clkSys;
    for (let i = 0; i < count; i++) {
      if (core.waiting) {
        if (!clock.nextAlarm) return true;
        const ns = clock.nanosToNextAlarm;
        if (this.paced && !this.maySleep(ns)) return true;
        this.spent.sleep += ns;
        clock.tick(ns);
      } else {
        this.asleepSince = 0;
        clock.tick(core.executeInstruction() * cycle);
        if (i % 1000 === 0) {
          cycle = 1e9 / this.mcu.clkSys;
          sample?.(core.PC);
        }
        this.stats.instructions++;
      }
      if (this.asksForReset) {
        this.stats.resets++;
        this.reset(RESET_FORCED);
        return false;
      }
      if (this.bootloader) return false;
    }
    return core.waiting;
  }
}

function loadUf2(flash, image) {
  const view = new DataView(image.buffer, image.byteOffset, image.length);
  for (let at = 0; at + 512 <= image.length; at += 512) {
    if (view.getUint32(at, true) !== 0x0a324655) throw new Error('the firmware is no .uf2 file');
    const address = view.getUint32(at + 12, true) - XIP;
    const n = view.getUint32(at + 16, true);
    if (address >= 0 && address + n <= flash.length) {
      flash.set(image.subarray(at + 32, at + 32 + n), address);
    }
  }
}
