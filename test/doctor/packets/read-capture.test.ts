import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { CaptureReader } from "../../../src/doctor/packets/read-capture.js";
import type {
  CapturedPacket,
  CapturePoint,
} from "../../../src/doctor/packets/packet.js";
import { formatAddress } from "../../../src/ipvs/address.js";
import { formatEndpoint } from "../../../src/ipvs/model.js";
import { CAPTURE_SLL, CAPTURE_SLL2 } from "../../fixtures/captures.js";

/** Reads a capture in pieces of a size. @returns a line for each packet, and the reader */
function read(bytes: Uint8Array, size = bytes.length) {
  const lines: string[] = [];
  const reader = new CaptureReader(
    { guePorts: new Set([6080]) },
    (packet, point) => {
      lines.push(lineOf(packet, point));
    },
  );
  for (let at = 0; at < bytes.length; at += size)
    // A Buffer, as a stream has it
    reader.read(Buffer.from(bytes.subarray(at, at + size)));
  return { lines, reader };
}

function lineOf(
  { source, sourcePort, target, targetPort, ...packet }: CapturedPacket,
  { direction, device, sender }: CapturePoint,
): string {
  const { tcp, fragment, error, bytes } = packet;
  return [
    direction,
    device,
    sender?.length ?? "-",
    formatEndpoint(source, sourcePort),
    formatEndpoint(target, targetPort),
    bytes,
    ...(tcp ? [`flags ${tcp.flags} data ${tcp.payloadBytes}`] : []),
    ...(tcp?.maximumSegment ? [`mss ${tcp.maximumSegment}`] : []),
    ...(fragment ? [`first ${fragment.isFirst} last ${fragment.isLast}`] : []),
    ...(error?.about
      ? [
          `${error.name} about ${formatAddress(error.about.source)} ${error.about.targetPort}`,
        ]
      : []),
  ].join(" ");
}

const CONNECTION = [
  "in 2 6 10.1.0.10:46360 10.2.0.11:8080 60 flags 2 data 0 mss 1460",
  "out 2 - 10.2.0.11:8080 10.1.0.10:46360 60 flags 18 data 0 mss 1460",
  "in 2 6 10.1.0.10:46360 10.2.0.11:8080 52 flags 16 data 0",
  "in 2 6 10.1.0.10:46360 10.2.0.11:8080 58 flags 24 data 6",
  "out 2 - 10.2.0.11:8080 10.1.0.10:46360 52 flags 16 data 0",
  "out 2 - 10.2.0.11:8080 10.1.0.10:46360 172 flags 24 data 120",
  "in 2 6 10.1.0.10:46360 10.2.0.11:8080 52 flags 16 data 0",
  "out 2 - 10.2.0.11:8080 10.1.0.10:46360 52 flags 17 data 0",
  "in 2 6 10.1.0.10:46360 10.2.0.11:8080 52 flags 17 data 0",
  "out 2 - 10.2.0.11:8080 10.1.0.10:46360 52 flags 16 data 0",
];

suite("CaptureReader", () => {
  test("CaptureReader reads what tcpdump writes with LINUX_SLL2", () => {
    const { lines, reader } = read(CAPTURE_SLL2);
    assert.deepEqual(lines, [
      ...CONNECTION,
      "in 2 6 10.1.0.10:4000 10.2.0.11:5300 32",
      "out 2 - 10.2.0.11:0 10.1.0.10:0 60 port unreachable about 10.1.0.10 5300",
      "in 2 6 10.1.0.10:4000 10.2.0.11:5301 1500 first true last false",
      "in 2 6 10.1.0.10:0 10.2.0.11:0 548 first false last true",
      "out 2 - 10.2.0.11:0 10.1.0.10:0 576 port unreachable about 10.1.0.10 5301",
    ]);
    assert.equal(reader.skipped, 0);
    assert.equal(reader.fault, undefined);
  });

  test("CaptureReader takes the length of a packet from the capture if its header does not say it", () => {
    const bytes = CAPTURE_SLL2.slice();
    const view = new DataView(bytes.buffer);
    // The first packet after the header of the file: 60 bytes and those of LINUX_SLL2
    const [record, packet] = [24, 24 + 16 + 20];
    view.setUint16(packet + 2, 0);
    view.setUint32(record + 12, 20 + 90_000, true);
    assert.equal(
      read(bytes).lines[0],
      "in 2 6 10.1.0.10:46360 10.2.0.11:8080 90000 flags 2 data 89940 mss 1460",
    );
  });

  test("CaptureReader reads LINUX_SLL, which does not name the interface", () => {
    const { lines } = read(CAPTURE_SLL);
    assert.deepEqual(
      lines,
      CONNECTION.map((line) => line.replace(/^(\w+) 2/, "$1 0")),
    );
  });

  test("CaptureReader reads a stream in pieces of any size", () => {
    const { lines } = read(CAPTURE_SLL2);
    for (const size of [1, 2, 3, 7, 16, 24, 31, 100, 999])
      assert.deepEqual(read(CAPTURE_SLL2, size).lines, lines, `${size} bytes`);
  });

  test("CaptureReader reads both orders of bytes, and nanoseconds", () => {
    const times = (bytes: Uint8Array) => {
      const found: number[] = [];
      const reader = new CaptureReader(
        { guePorts: new Set() },
        (_, { time }) => {
          found.push(time);
        },
      );
      reader.read(bytes);
      return found.map((one) => Math.round(one));
    };
    const usual = times(CAPTURE_SLL);
    assert.equal(usual.length, CONNECTION.length);
    assert.deepEqual(times(converted(CAPTURE_SLL, 0xa1b2c3d4, 1)), usual);
    assert.deepEqual(times(converted(CAPTURE_SLL, 0xa1b23c4d, 1000)), usual);
  });

  test("CaptureReader refuses other formats, and records that are too long", () => {
    assert.equal(read(new Uint8Array(24)).reader.fault, "no capture");
    const ethernet = CAPTURE_SLL.slice();
    ethernet[20] = 1;
    assert.equal(read(ethernet).reader.fault, "link type 1");
    const long = CAPTURE_SLL.slice();
    long[24 + 10] = 1;
    assert.match(read(long).reader.fault ?? "", /^a record of \d+ bytes$/);
    assert.deepEqual(read(long).lines, []);
  });

  test("CaptureReader skips frames that are cut short at any byte, and those that are altered", () => {
    // Each record becomes shorter, with its length.
    for (let length = 0; length < 60; length++) {
      const { reader, lines } = read(shortened(CAPTURE_SLL2, length));
      assert.equal(reader.fault, undefined, `${length} bytes`);
      assert.equal(lines.length + reader.skipped, 15, `${length} bytes`);
    }
    assert.equal(read(shortened(CAPTURE_SLL2, 39)).lines.length, 0);
    // Altered frames are packets or not, but no error is thrown.
    let seed = 1;
    const random = () => (seed = (seed * 48271) % 2147483647);
    for (let round = 0; round < 300; round++) {
      const bytes = CAPTURE_SLL2.slice();
      for (let i = 0; i < 20; i++) {
        const at = 24 + (random() % (bytes.length - 24));
        bytes[at] = random() & 0xff;
      }
      const { lines } = read(bytes);
      assert.ok(lines.length <= 15);
    }
  });
});

/** The same capture in the other order of bytes, with another magic number. */
function converted(
  bytes: Uint8Array,
  magic: number,
  factor: number,
): Uint8Array {
  const from = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const copy = bytes.slice();
  const to = new DataView(copy.buffer);
  to.setUint32(0, magic);
  to.setUint32(20, from.getUint32(20, true));
  for (let at = 24; at < bytes.length;) {
    to.setUint32(at, from.getUint32(at, true));
    to.setUint32(at + 4, from.getUint32(at + 4, true) * factor);
    to.setUint32(at + 8, from.getUint32(at + 8, true));
    at += 16 + from.getUint32(at + 8, true);
  }
  return copy;
}

/** The same capture with a smaller snapshot length. */
function shortened(bytes: Uint8Array, length: number): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const parts = [bytes.subarray(0, 24)];
  for (let at = 24; at < bytes.length;) {
    const all = view.getUint32(at + 8, true);
    const kept = Math.min(length, all);
    const header = bytes.slice(at, at + 16);
    new DataView(header.buffer).setUint32(8, kept, true);
    parts.push(header, bytes.subarray(at + 16, at + 16 + kept));
    at += 16 + all;
  }
  return new Uint8Array(Buffer.concat(parts));
}
