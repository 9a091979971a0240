import type { Address } from "./address.js";
import {
  addressEnd,
  behindPort,
  endsPort,
  isDigit,
  isIn,
  keyOf,
  LINE_FEED,
  lineEnd,
  readAddress,
  readDecimal,
  readPort,
  startsWord,
  wordEnd,
  wordStart,
} from "./connection-fields.js";
import type { Connection } from "./connections.js";
import type { Network } from "./network.js";

/** How many protocols and states are made into strings once */
const KNOWN_WORDS = 64;
/** The state with the blank behind it, and the expiry, as they are mostly printed: `%-11s %7u` */
const STATE_COLUMNS = 12;
const EXPIRES_COLUMNS = 7;

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
