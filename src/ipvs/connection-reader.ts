import { parseIpv6, type Address } from "./address.js";
import type { Connection } from "./connections.js";
import type { Network } from "./network.js";

const LINE_FEED = 0x0a;
const BLANK = 0x20;
const COLON = 0x3a;
const PORTS = 0x10000;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
/** `0A090001`, or `2001:0db8:0000:0000:0000:0000:0000:0001` with all its digits */
const IPV4_COLUMNS = 8;
const IPV6_COLUMNS = 39;
const PORT_COLUMNS = 4;
/** The state with the blank behind it, and the expiry, as they are mostly printed: `%-11s %7u` */
const STATE_COLUMNS = 12;
const EXPIRES_COLUMNS = 7;
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
  #at = 0;
  #clientAt = 0;
  #clientEnd = 0;
  #virtualEnd = 0;
  #serverEnd = 0;
  #end = 0;
  readonly #words: string[] = [];

  /** Gives it lines to go through. @param lines whole ones; the last line feed may be missing */
  load(lines: Buffer): void {
    this.#bytes = lines;
    this.#end = -1;
  }

  /**
   * Goes on to the next line that has the form of a connection, past the title and whatever else.
   *
   * @returns false if there is none
   */
  next(): boolean {
    while (this.#end + 1 < this.#bytes.length) {
      const at = this.#end + 1;
      if (this.#find(at)) return true;
      this.#end = lineEnd(this.#bytes, at);
    }
    return false;
  }

  /** Finds the fields of the line that begins here, and its end. @returns whether all are there */
  #find(at: number): boolean {
    const bytes = this.#bytes;
    this.#at = at;
    this.#clientAt = wordStart(bytes, wordEnd(bytes, at));
    this.#clientEnd = addressEnd(bytes, this.#clientAt);
    this.#virtualEnd = addressEnd(bytes, behindPort(this.#clientEnd));
    this.#serverEnd = addressEnd(bytes, behindPort(this.#virtualEnd));
    if (
      !endsPort(bytes, this.#clientEnd) ||
      !endsPort(bytes, this.#virtualEnd) ||
      !endsPort(bytes, this.#serverEnd)
    )
      return false;
    const stateAt = behindPort(this.#serverEnd);
    const usual = stateAt + STATE_COLUMNS + EXPIRES_COLUMNS;
    // To look for the end takes longer than all the rest, and it mostly is where one expects it.
    const short = bytes[usual] === LINE_FEED && isDigit(bytes[usual - 1]);
    this.#end = short ? usual : lineEnd(bytes, stateAt);
    return short || isDigit(bytes[wordStart(bytes, wordEnd(bytes, stateAt))]);
  }

  /** The name of the transport protocol; `IP` for the templates of a firewall mark. */
  get protocol(): string {
    return this.#word(this.#at, wordEnd(this.#bytes, this.#at));
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
    const at = behindPort(this.#serverEnd);
    return this.#word(at, wordEnd(this.#bytes, at));
  }

  get expiresSeconds(): number {
    const at = this.#expiresAt;
    return readDecimal(this.#bytes, at, wordEnd(this.#bytes, at));
  }

  protocolIs(word: string): boolean {
    return startsWord(word, this.#bytes, this.#at);
  }

  stateIs(word: string): boolean {
    return startsWord(word, this.#bytes, behindPort(this.#serverEnd));
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

  /** What tells a client from all others: the same for the same address, quick to make and to look up. */
  get clientKey(): number | string {
    return keyOf(this.#bytes, this.#clientAt, this.#clientEnd, false);
  }

  /** The same for an address with its port. */
  get virtualKey(): number | string {
    const at = behindPort(this.#clientEnd);
    return keyOf(this.#bytes, at, this.#virtualEnd, true);
  }

  get serverKey(): number | string {
    const at = behindPort(this.#virtualEnd);
    return keyOf(this.#bytes, at, this.#serverEnd, true);
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
    const at = wordEnd(this.#bytes, this.#expiresAt);
    if (at === this.#end) return [];
    const text = this.#bytes.toString("latin1", at, this.#end);
    return text.split(" ").filter((word) => word !== "");
  }

  get #expiresAt(): number {
    const stateEnd = wordEnd(this.#bytes, behindPort(this.#serverEnd));
    return wordStart(this.#bytes, stateEnd);
  }

  /** There are few words, and they come again and again. */
  #word(at: number, end: number): string {
    for (const word of this.#words)
      if (word.length === end - at && startsWord(word, this.#bytes, at))
        return word;
    const word = this.#bytes.toString("latin1", at, end);
    if (this.#words.length < KNOWN_WORDS) this.#words.push(word);
    return word;
  }
}

/** Where the line ends. */
function lineEnd(bytes: Buffer, at: number): number {
  const end = bytes.indexOf(LINE_FEED, at);
  return end < 0 ? bytes.length : end;
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

/** The address of a client by its key. */
export function clientOfKey(key: number | string): Address | undefined {
  return typeof key === "number" ? ipv4(key) : parseIpv6(key);
}

/** The address and the port of a service or a server by their key. */
export function endOfKey(
  key: number | string,
): { address: Address; port: number } | undefined {
  if (typeof key === "number")
    return { address: ipv4(Math.floor(key / PORTS)), port: key % PORTS };
  const [text = "", port = ""] = key.split(" ");
  const address = parseIpv6(text);
  return address && { address, port: Number.parseInt(port, 16) };
}

function ipv4(number: number): Address {
  const address = new Uint8Array(4);
  new DataView(address.buffer).setUint32(0, number);
  return address;
}

/** Of IPv4 one number, with the port at most 48 bits long; of IPv6 the text. */
function keyOf(
  bytes: Buffer,
  at: number,
  end: number,
  withPort: boolean,
): number | string {
  if (end - at === IPV6_COLUMNS)
    return bytes.toString("latin1", at, withPort ? behindPort(end) - 1 : end);
  const high = (readByte(bytes, at) << 8) | readByte(bytes, at + 2);
  const low = (readByte(bytes, at + 4) << 8) | readByte(bytes, at + 6);
  const address = (high << 16) | low;
  return withPort
    ? (address >>> 0) * PORTS + readPort(bytes, end + 1)
    : address;
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

function isDigit(byte = 0): boolean {
  return byte >= DIGIT_0 && byte <= DIGIT_9;
}

/** Whether a word and a blank stand here. */
function startsWord(word: string, bytes: Buffer, at: number): boolean {
  for (let i = 0; i < word.length; i++)
    if (bytes[at + i] !== word.charCodeAt(i)) return false;
  return bytes[at + word.length] === BLANK;
}
