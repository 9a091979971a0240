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
  readIpv4,
  readPort,
  startsWord,
  wordEnd,
  wordStart,
} from "./proc-fields.js";
import type { Connection } from "./connections.js";
import type { Network } from "./ip-network.js";

/** The endpoints of a connection, in the order of the columns. */
export type ConnectionEnd = typeof CLIENT | typeof VIRTUAL | typeof SERVER;
export const CLIENT = 0;
export const VIRTUAL = 1;
export const SERVER = 2;

/** Receives bytes. */
interface ByteSink {
  bytes(source: Uint8Array, at: number, end: number): unknown;
}

/** How many names of protocols and states are cached as strings */
const KNOWN_WORDS = 64;
/**
 * The usual format of state and expiry, `%-11s %7u`: the columns of the state with its space, and
 * of the expiry
 */
const STATE_COLUMNS = 12;
const EXPIRES_COLUMNS = 7;

/**
 * Reads the lines of /proc/net/ip_vs_conn, of which there may be millions. The reader is at one
 * line at a time and decodes only the fields that are asked for: usually a field or two decide
 * whether a connection is of interest.
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
  #stateAt = 0;
  /** Whether the line has the usual length, and therefore the usual columns */
  #short = false;
  #end = 0;
  readonly #words: string[] = [];

  /** Sets the lines to read. @param lines whole lines; the last line feed may be missing */
  load(lines: Buffer): void {
    this.#bytes = lines;
    this.#end = -1;
  }

  /**
   * Moves to the next line that has the form of a connection. Skips the title and all other lines.
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

  /**
   * Finds the fields and the end of the line that begins here.
   *
   * @returns whether all fields are present
   */
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
    this.#stateAt = stateAt;
    const usual = stateAt + STATE_COLUMNS + EXPIRES_COLUMNS;
    // Searching for the end takes longer than everything else, so try the usual length first.
    const short = bytes[usual] === LINE_FEED && isDigit(bytes[usual - 1]);
    this.#short = short;
    this.#end = short ? usual : lineEnd(bytes, stateAt);
    return short || isDigit(bytes[this.#expiresAt]);
  }

  /** The position of an endpoint's address. */
  #from(end: ConnectionEnd): number {
    if (end === CLIENT) return this.#clientAt;
    return behindPort(end === VIRTUAL ? this.#clientEnd : this.#virtualEnd);
  }

  #to(end: ConnectionEnd): number {
    if (end === CLIENT) return this.#clientEnd;
    return end === VIRTUAL ? this.#virtualEnd : this.#serverEnd;
  }

  /** The transport protocol's name; `IP` for templates of firewall marks. */
  get protocol(): string {
    return this.#word(this.#at, wordEnd(this.#bytes, this.#at));
  }

  /** The address of an endpoint; undefined if it is malformed. */
  address(end: ConnectionEnd): Address | undefined {
    return readAddress(this.#bytes, this.#from(end), this.#to(end));
  }

  /** An IPv4 address as a 32-bit number; NaN if it is malformed. */
  ipv4(end: ConnectionEnd): number {
    return readIpv4(this.#bytes, this.#from(end), this.#to(end));
  }

  /**
   * The port of an endpoint; negative if it is malformed. The expiry is negative, too, if it is
   * malformed.
   */
  port(end: ConnectionEnd): number {
    return readPort(this.#bytes, this.#to(end) + 1);
  }

  get client(): Address | undefined {
    return this.address(CLIENT);
  }

  get clientPort(): number {
    return readPort(this.#bytes, this.#clientEnd + 1);
  }

  get virtual(): Address | undefined {
    return this.address(VIRTUAL);
  }

  get virtualPort(): number {
    return readPort(this.#bytes, this.#virtualEnd + 1);
  }

  get server(): Address | undefined {
    return this.address(SERVER);
  }

  get serverPort(): number {
    return readPort(this.#bytes, this.#serverEnd + 1);
  }

  get state(): string {
    return this.#word(this.#stateAt, this.#stateEnd);
  }

  get expiresSeconds(): number {
    return readDecimal(this.#bytes, this.#expiresAt);
  }

  /** Writes the protocol's name. */
  writeProtocol(out: ByteSink): void {
    out.bytes(this.#bytes, this.#at, wordEnd(this.#bytes, this.#at));
  }

  writeState(out: ByteSink): void {
    out.bytes(this.#bytes, this.#stateAt, this.#stateEnd);
  }

  protocolIs(word: string): boolean {
    return startsWord(word, this.#bytes, this.#at);
  }

  stateIs(word: string): boolean {
    return startsWord(word, this.#bytes, this.#stateAt);
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

  /** A key for the client's address: equal for equal addresses, fast to create and to look up. */
  get clientKey(): number | string {
    return this.#key(CLIENT, false);
  }

  /** A key for the virtual address and port. */
  get virtualKey(): number | string {
    return this.#key(VIRTUAL, true);
  }

  get serverKey(): number | string {
    return this.#key(SERVER, true);
  }

  #key(end: ConnectionEnd, withPort: boolean): number | string {
    return keyOf(this.#bytes, this.#from(end), this.#to(end), withPort);
  }

  /** Decodes the whole line. @returns undefined if a field is malformed */
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
    return { ...connection, ...this.persistence };
  }

  /** Decodes what follows the expiry: the persistence engine and its data. */
  get persistence(): Pick<Connection, "persistenceEngine" | "persistenceData"> {
    const at = wordEnd(this.#bytes, this.#expiresAt);
    if (at === this.#end) return {};
    const text = this.#bytes.toString("latin1", at, this.#end);
    const [engine, ...data] = text.split(" ").filter((word) => word !== "");
    return engine === undefined
      ? {}
      : { persistenceEngine: engine, persistenceData: data.join(" ") };
  }

  get #stateEnd(): number {
    return wordEnd(this.#bytes, this.#stateAt);
  }

  get #expiresAt(): number {
    const at = this.#short ? this.#stateAt + STATE_COLUMNS : this.#stateEnd;
    return wordStart(this.#bytes, at);
  }

  /** A word as a string, from a cache: there are few different words. */
  #word(at: number, end: number): string {
    for (const word of this.#words)
      if (word.length === end - at && startsWord(word, this.#bytes, at))
        return word;
    const word = this.#bytes.toString("latin1", at, end);
    if (this.#words.length < KNOWN_WORDS) this.#words.push(word);
    return word;
  }
}
