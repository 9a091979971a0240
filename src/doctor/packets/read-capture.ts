import { decodePacket, type DecodeOptions } from "./decode-packet.js";
import type { CapturedPacket, CapturePoint } from "./packet.js";

/** The link-layer headers of `-i any`. @see https://www.tcpdump.org/linktypes.html */
const LINUX_SLL = 113;
const LINUX_SLL2 = 276;

const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
/** No record of a capture with a snapshot length of 200 bytes is longer; more means that the stream is broken. */
const MOST_RECORD_BYTES = 4096;

/** The magic number of a capture file says the order of its bytes and the unit of its times. */
const MAGIC = {
  microseconds: 0xa1b2c3d4,
  nanoseconds: 0xa1b23c4d,
} as const;

interface Format {
  readonly isLittleEndian: boolean;
  readonly fractionsPerMillisecond: number;
  readonly linkType: number;
}

/** Reads the packets of a capture, chunk by chunk, as tcpdump writes them (`-w -`). */
export class CaptureReader {
  /** Packets that are malformed, or of which too little was captured */
  skipped = 0;
  /** Why the stream cannot be read on; undefined if it can */
  fault: string | undefined;
  readonly #options: DecodeOptions;
  readonly #onPacket: (packet: CapturedPacket, point: CapturePoint) => void;
  #rest: Uint8Array = new Uint8Array(0);
  #format: Format | undefined;

  constructor(
    options: DecodeOptions,
    onPacket: (packet: CapturedPacket, point: CapturePoint) => void,
  ) {
    this.#options = options;
    this.#onPacket = onPacket;
  }

  /** Whether the stream is a capture. */
  get hasBegun(): boolean {
    return this.#format !== undefined;
  }

  /** Adds the next bytes of the stream. */
  read(chunk: Uint8Array): void {
    if (this.fault !== undefined) return;
    // Not a Buffer, whose slice() does not copy.
    const plain = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length);
    const bytes = this.#rest.length === 0 ? plain : joined(this.#rest, plain);
    let at = 0;
    if (!this.#format) {
      if (bytes.length < FILE_HEADER_BYTES) {
        this.#rest = bytes;
        return;
      }
      const format = readFormat(bytes);
      if (typeof format === "string") {
        this.fault = format;
        return;
      }
      this.#format = format;
      at = FILE_HEADER_BYTES;
    }
    at = this.#readRecords(bytes, at, this.#format);
    // A copy, so that the whole chunk can be released.
    this.#rest = bytes.slice(at);
  }

  #readRecords(bytes: Uint8Array, from: number, format: Format): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const { isLittleEndian, fractionsPerMillisecond } = format;
    let at = from;
    while (at + RECORD_HEADER_BYTES <= bytes.length) {
      const length = view.getUint32(at + 8, isLittleEndian);
      if (length > MOST_RECORD_BYTES) {
        this.fault = `a record of ${length} bytes`;
        return bytes.length;
      }
      const begin = at + RECORD_HEADER_BYTES;
      if (begin + length > bytes.length) break;
      const time =
        view.getUint32(at, isLittleEndian) * 1000 +
        view.getUint32(at + 4, isLittleEndian) / fractionsPerMillisecond;
      const whole = view.getUint32(at + 12, isLittleEndian);
      const frame = bytes.subarray(begin, begin + length);
      this.#readFrame(frame, whole, time, format);
      at = begin + length;
    }
    return at;
  }

  #readFrame(
    frame: Uint8Array,
    wholeBytes: number,
    time: number,
    { linkType }: Format,
  ): void {
    const link = linkType === LINUX_SLL2 ? readSll2(frame) : readSll(frame);
    if (!link) {
      this.skipped++;
      return;
    }
    if (link.direction === "other") return;
    const packet = decodePacket(
      frame.subarray(link.headerBytes),
      this.#options,
      wholeBytes - link.headerBytes,
    );
    if (!packet) {
      this.skipped++;
      return;
    }
    const { device, direction, sender } = link;
    this.#onPacket(packet, { time, device, direction, sender });
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

/** @returns what is wrong, if it is no capture that can be read */
function readFormat(bytes: Uint8Array): Format | string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const isLittleEndian of [true, false]) {
    const magic = view.getUint32(0, isLittleEndian);
    const isFine = magic === MAGIC.nanoseconds;
    if (!isFine && magic !== MAGIC.microseconds) continue;
    // The upper bits say how frames end.
    const linkType = view.getUint32(20, isLittleEndian) & 0xffff;
    if (linkType !== LINUX_SLL && linkType !== LINUX_SLL2)
      return `link type ${linkType}`;
    return {
      isLittleEndian,
      fractionsPerMillisecond: isFine ? 1e6 : 1000,
      linkType,
    };
  }
  return "no capture";
}

interface LinkHeader {
  readonly headerBytes: number;
  readonly device: number;
  /** Of a frame for another machine: `other` */
  readonly direction: "in" | "out" | "other";
  readonly sender: Uint8Array | undefined;
}

const ETHERNET_BYTES = 6;
const FOR_ANOTHER_HOST = 3;
const SENT_HERE = 4;

/** @see https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html */
function readSll2(frame: Uint8Array): LinkHeader | undefined {
  if (frame.length < 20) return undefined;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  return {
    headerBytes: 20,
    device: view.getUint32(4),
    ...senderOf(view.getUint8(10), view.getUint8(11), frame.subarray(12, 20)),
  };
}

const VLAN_TAGS: ReadonlySet<number> = new Set([0x8100, 0x88a8]);

/** @see https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html */
function readSll(frame: Uint8Array): LinkHeader | undefined {
  if (frame.length < 16) return undefined;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const link = {
    headerBytes: 16,
    device: 0,
    ...senderOf(view.getUint16(0), view.getUint16(4), frame.subarray(6, 14)),
  };
  // The interface of the VLAN has the same packet without its tag.
  return VLAN_TAGS.has(view.getUint16(14))
    ? { ...link, direction: "other" }
    : link;
}

function senderOf(
  type: number,
  length: number,
  address: Uint8Array,
): Pick<LinkHeader, "direction" | "sender"> {
  if (type === SENT_HERE) return { direction: "out", sender: undefined };
  return {
    direction: type === FOR_ANOTHER_HOST ? "other" : "in",
    sender:
      length === ETHERNET_BYTES && address.subarray(0, 6).some((one) => one > 0)
        ? address.subarray(0, ETHERNET_BYTES)
        : undefined,
  };
}
