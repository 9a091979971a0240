import type { Address } from "./address.js";
import type { Connection } from "./connections.js";
import type { Network } from "./network.js";

const LINE_FEED = 0x0a;
const BLANK = 0x20;
const COLON = 0x3a;
const DIGIT_0 = 0x30;
/** `0A090001`, or `2001:0db8:0000:0000:0000:0000:0000:0001` with all its digits */
const IPV4_COLUMNS = 8;
const IPV6_COLUMNS = 39;
const PORT_COLUMNS = 4;
/** How many protocols and states are made into strings once */
const KNOWN_WORDS = 64;

/** The value of a hexadecimal digit by its character, -1 for what is none. */
const DIGITS = Int8Array.from({ length: 256 }, (_, code) => {
  const digit = Number.parseInt(String.fromCharCode(code), 16);
  return Number.isNaN(digit) ? -1 : digit;
});

/**
 * Goes through the lines of /proc/net/ip_vs_conn, of which there may be millions. It stands on one at a
 * time, and of that reads what is asked for: whether a connection is of interest can mostly be told by a
 * field or two, and nothing is made of the others.
 *
 *     reader.load(lines);
 *     while (reader.next()) if (reader.state === "SYN_RECV") show(reader.connection());
 *
 * @see ip_vs_conn_seq_show() in net/netfilter/ipvs/ip_vs_conn.c
 */
export class ConnectionReader {
  #bytes: Buffer = Buffer.alloc(0);
  /** Where the next line begins */
  #next = 0;
  #protocolAt = 0;
  #protocolEnd = 0;
  #clientAt = 0;
  #clientEnd = 0;
  #virtualEnd = 0;
  #serverEnd = 0;
  #stateEnd = 0;
  #expiresEnd = 0;
  readonly #words: string[] = [];

  /** Gives it lines to go through. @param lines whole ones; the last line feed may be missing */
  load(lines: Buffer): void {
    this.#bytes = lines;
    this.#next = 0;
  }

  /**
   * Goes on to the next line that has the form of a connection, past the title and whatever else.
   *
   * @returns false if there is none
   */
  next(): boolean {
    while (this.#next < this.#bytes.length) {
      const at = this.#next;
      const found = this.#find(at);
      this.#next = nextLine(this.#bytes, found ? this.#expiresEnd : at);
      if (found) return true;
    }
    return false;
  }

  /** Finds the fields of the line that begins here. @returns whether all are there */
  #find(at: number): boolean {
    const bytes = this.#bytes;
    this.#protocolAt = at;
    this.#protocolEnd = wordEnd(bytes, at);
    this.#clientAt = wordStart(bytes, this.#protocolEnd);
    this.#clientEnd = addressEnd(bytes, this.#clientAt);
    this.#virtualEnd = addressEnd(bytes, behindPort(this.#clientEnd));
    this.#serverEnd = addressEnd(bytes, behindPort(this.#virtualEnd));
    const stateAt = behindPort(this.#serverEnd);
    this.#stateEnd = wordEnd(bytes, stateAt);
    const expiresAt = wordStart(bytes, this.#stateEnd);
    this.#expiresEnd = wordEnd(bytes, expiresAt);
    return (
      this.#protocolEnd > at &&
      endsPort(bytes, this.#clientEnd) &&
      endsPort(bytes, this.#virtualEnd) &&
      endsPort(bytes, this.#serverEnd) &&
      this.#stateEnd > stateAt &&
      this.#expiresEnd > expiresAt
    );
  }

  /** The name of the transport protocol; `IP` for the templates of a firewall mark. */
  get protocol(): string {
    return this.#word(this.#protocolAt, this.#protocolEnd);
  }

  /** Undefined if it is none; so are the other addresses. */
  get client(): Address | undefined {
    return readAddress(this.#bytes, this.#clientAt, this.#clientEnd);
  }

  /** Negative if it is none; so are the other ports and the expiry. */
  get clientPort(): number {
    return readPort(this.#bytes, this.#clientEnd + 1);
  }

  get virtual(): Address | undefined {
    const at = behindPort(this.#clientEnd);
    return readAddress(this.#bytes, at, this.#virtualEnd);
  }

  get virtualPort(): number {
    return readPort(this.#bytes, this.#virtualEnd + 1);
  }

  get server(): Address | undefined {
    const at = behindPort(this.#virtualEnd);
    return readAddress(this.#bytes, at, this.#serverEnd);
  }

  get serverPort(): number {
    return readPort(this.#bytes, this.#serverEnd + 1);
  }

  get state(): string {
    return this.#word(behindPort(this.#serverEnd), this.#stateEnd);
  }

  get expiresSeconds(): number {
    const at = wordStart(this.#bytes, this.#stateEnd);
    return readDecimal(this.#bytes, at, this.#expiresEnd);
  }

  clientIn(network: Network): boolean {
    return isIn(network, this.#bytes, this.#clientAt, this.#clientEnd);
  }

  virtualIn(network: Network): boolean {
    const at = behindPort(this.#clientEnd);
    return isIn(network, this.#bytes, at, this.#virtualEnd);
  }

  serverIn(network: Network): boolean {
    const at = behindPort(this.#virtualEnd);
    return isIn(network, this.#bytes, at, this.#serverEnd);
  }

  /** All that the line says. @returns undefined if a field is at fault */
  connection(): Connection | undefined {
    const { client, clientPort, virtual, virtualPort, server, serverPort } =
      this;
    const { protocol, state, expiresSeconds } = this;
    if (!client || !virtual || !server) return undefined;
    if (clientPort < 0 || virtualPort < 0 || serverPort < 0) return undefined;
    if (expiresSeconds < 0) return undefined;
    const connection = {
      protocol,
      client,
      clientPort,
      virtual,
      virtualPort,
      server,
      serverPort,
      state,
      expiresSeconds,
    };
    const [persistenceEngine, ...data] = this.#rest();
    return persistenceEngine === undefined
      ? connection
      : { ...connection, persistenceEngine, persistenceData: data.join(" ") };
  }

  /** What stands behind the expiry: the persistence engine and its data. */
  #rest(): string[] {
    if (this.#next <= this.#expiresEnd + 1) return [];
    return this.#bytes
      .toString("latin1", this.#expiresEnd, this.#next)
      .split(/[ \n]+/)
      .filter((word) => word !== "");
  }

  /** There are few words, and they come again and again. */
  #word(at: number, end: number): string {
    for (const word of this.#words)
      if (isAt(word, this.#bytes, at, end)) return word;
    const word = this.#bytes.toString("latin1", at, end);
    if (this.#words.length < KNOWN_WORDS) this.#words.push(word);
    return word;
  }
}

/** Where the line behind this place begins. */
function nextLine(bytes: Buffer, at: number): number {
  if (bytes[at] === LINE_FEED) return at + 1; // mostly so, and a call for it would show
  const end = bytes.indexOf(LINE_FEED, at);
  return end < 0 ? bytes.length : end + 1;
}

/** Where the word from here on ends: at a blank, or with the line. */
function wordEnd(bytes: Buffer, at: number): number {
  while (at < bytes.length && bytes[at] !== BLANK && bytes[at] !== LINE_FEED)
    at++;
  return at;
}

function wordStart(bytes: Buffer, at: number): number {
  while (bytes[at] === BLANK) at++;
  return at;
}

function addressEnd(bytes: Buffer, at: number): number {
  const long = bytes[at + PORT_COLUMNS] === COLON;
  return at + (long ? IPV6_COLUMNS : IPV4_COLUMNS);
}

/** Where the word behind an address and its port begins. */
function behindPort(addressEnd: number): number {
  return addressEnd + PORT_COLUMNS + 2;
}

/** Whether an address ends here, and behind it a port where it should. */
function endsPort(bytes: Buffer, addressEnd: number): boolean {
  const portEnd = addressEnd + 1 + PORT_COLUMNS;
  return bytes[addressEnd] === BLANK && bytes[portEnd] === BLANK;
}

function readAddress(
  bytes: Buffer,
  at: number,
  end: number,
): Address | undefined {
  const long = end - at === IPV6_COLUMNS;
  const address = new Uint8Array(long ? 16 : 4);
  for (let i = 0; i < address.length; i++) {
    if (long && i > 0 && i % 2 === 0 && bytes[at++] !== COLON) return undefined;
    const byte = readByte(bytes, at);
    if (byte < 0) return undefined;
    address[i] = byte;
    at += 2;
  }
  return address;
}

/** Whether an address lies in a network. What is no address lies in none. */
function isIn(
  { address, prefixBits }: Network,
  bytes: Buffer,
  at: number,
  end: number,
): boolean {
  const long = end - at === IPV6_COLUMNS;
  if (long !== (address.length === 16)) return false;
  for (let i = 0; i * 8 < prefixBits; i++) {
    const byte = readByte(bytes, at + 2 * i + (long ? i >> 1 : 0));
    const ignored = Math.max(8 * (i + 1) - prefixBits, 0);
    if (byte < 0 || (byte ^ (address[i] ?? 0)) >> ignored !== 0) return false;
  }
  return true;
}

function readPort(bytes: Buffer, at: number): number {
  return (readByte(bytes, at) << 8) | readByte(bytes, at + 2);
}

/** Negative unless both are digits. */
function readByte(bytes: Buffer, at: number): number {
  const high = DIGITS[bytes[at] ?? 0] ?? -1;
  const low = DIGITS[bytes[at + 1] ?? 0] ?? -1;
  return (high << 4) | low;
}

function readDecimal(bytes: Buffer, at: number, end: number): number {
  let value = 0;
  for (; at < end; at++) {
    const digit = (bytes[at] ?? 0) - DIGIT_0;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function isAt(word: string, bytes: Buffer, at: number, end: number): boolean {
  if (word.length !== end - at) return false;
  for (let i = 0; i < word.length; i++)
    if (bytes[at + i] !== word.charCodeAt(i)) return false;
  return true;
}
