import { spanOf, type Span } from "../../src/netlink/link.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MalformedReply } from "../../src/netlink/errors.js";
import {
  MessageReader,
  refusalOf,
  writeMessage,
  type Message,
} from "../../src/netlink/messages.js";
import { Writer } from "../../src/netlink/writer.js";
import { bytesIn, beginnings, hex, hexOf } from "../fixtures/hex.js";
import {
  ACK_TLVS,
  CAPPED,
  DONE,
  ERROR,
  int32,
  message,
  MULTI,
} from "./fake-link.js";

const REQUEST = message(0x1c, 5, 7, hex("11010000"));
const HEADER = REQUEST.subarray(0, 16);
/** NLMSGERR_ATTR_OFFS, then NLMSGERR_ATTR_MSG. */
const EXPLANATION = hex("0800 0200 04000000  0c00 0100 6e6f207761792e00");

/** The messages of a datagram, each for itself: the reader is the same for all. */
function messages(datagram: Span): Message[] {
  const reader = new MessageReader();
  const found: Message[] = [];
  reader.load(datagram);
  while (reader.next()) {
    const { type, flags, sequence, payload } = reader;
    found.push({ type, flags, sequence, payload: spanOf(bytesIn(payload)) });
  }
  return found;
}

function only(datagram: Uint8Array): Message {
  const [first, ...rest] = messages(spanOf(datagram));
  assert.ok(first && rest.length === 0);
  return first;
}

function error(flags: number, ...payload: Uint8Array[]): Message {
  return only(message(ERROR, flags, 7, Buffer.concat(payload)));
}

test("a message is written with its length, type, flags and sequence number", () => {
  const out = new Writer();
  writeMessage(out, 0x1c, 5, 7, {
    write(out) {
      out.u32(0x12345678);
    },
  });
  assert.equal(
    hexOf(out.written),
    "14000000" + "1c00" + "0500" + "07000000" + "00000000" + "78563412",
  );
});

test("messages of one datagram begin at multiples of 4, and their lengths tell nothing of it", () => {
  const out = new Writer();
  for (const sequence of [1, 2])
    writeMessage(out, 1, 0, sequence, {
      write(out) {
        out.u8(0xff);
      },
    });
  assert.equal(out.length, 20 + 17);
  assert.equal(out.written[0], 17);
  assert.equal(out.written[20], 17);
});

test("the messages of a datagram are read one after the other", () => {
  const datagram = Buffer.concat([
    message(0x1c, MULTI, 7, hex("0102030405")),
    message(DONE, MULTI, 0xffffffff, int32(0)),
  ]);
  const [first, second] = messages(spanOf(datagram));
  assert.ok(first && second);
  assert.deepEqual(
    { ...first, payload: hexOf(bytesIn(first.payload)) },
    { type: 0x1c, flags: MULTI, sequence: 7, payload: "0102030405" },
  );
  assert.equal(second.sequence, 0xffffffff);
});

test("an empty datagram has no message", () => {
  assert.deepEqual(messages(spanOf(new Uint8Array(0))), []);
});

test("a datagram cut short anywhere within a message is refused", () => {
  const first = message(0x1c, MULTI, 7, hex("01020304"));
  const datagram = Buffer.concat([first, first]);
  for (const cut of beginnings(datagram))
    if (cut.length !== 0 && cut.length !== first.length)
      assert.throws(() => messages(spanOf(cut)), MalformedReply);
});

test("a message shorter than its header is refused", () => {
  for (const length of [0, 1, 15]) {
    const short = message(1, 0, 1, hex("00000000"));
    short.writeUInt32LE(length, 0);
    assert.throws(() => messages(spanOf(short)), /has length/);
  }
});

test("a message that runs over the end is refused, however long it says it is", () => {
  for (const length of [21, 0x7fffffff, 0x80000000, 0xfffffffd, 0xffffffff]) {
    const long = message(1, 0, 1, hex("00000000"));
    long.writeUInt32LE(length, 0);
    assert.throws(() => messages(spanOf(long)), /runs over the end/);
  }
});

test("an error of number zero is a yes", () => {
  assert.equal(refusalOf(error(CAPPED, int32(0), HEADER)), undefined);
});

test("a refusal has its errno as a positive number", () => {
  assert.deepEqual(refusalOf(error(0, int32(-3), REQUEST)), { errno: 3 });
});

test("the kernel's sentence is read behind a request that is repeated whole", () => {
  assert.deepEqual(
    refusalOf(error(ACK_TLVS, int32(-22), REQUEST, EXPLANATION)),
    { errno: 22, explanation: "no way." },
  );
});

test("the kernel's sentence is read behind a request of which only the header is repeated", () => {
  // The header tells of the length that the whole request had.
  const header = message(0x1c, 5, 7, new Uint8Array(400)).subarray(0, 16);
  assert.deepEqual(
    refusalOf(error(ACK_TLVS | CAPPED, int32(-22), header, EXPLANATION)),
    { errno: 22, explanation: "no way." },
  );
});

test("the repeated request is padded where its length is no multiple of 4", () => {
  const odd = message(0x1c, 5, 7, hex("1101000001"));
  assert.deepEqual(refusalOf(error(ACK_TLVS, int32(-22), odd, EXPLANATION)), {
    errno: 22,
    explanation: "no way.",
  });
});

test("attributes without a sentence leave the errno alone", () => {
  const offset = hex("0800 0200 04000000");
  assert.deepEqual(refusalOf(error(ACK_TLVS, int32(-22), REQUEST, offset)), {
    errno: 22,
  });
});

test("without the flag, what follows the request is not looked at", () => {
  assert.deepEqual(refusalOf(error(0, int32(-22), REQUEST, EXPLANATION)), {
    errno: 22,
  });
});

test("a refusal without its errno is refused itself", () => {
  for (const cut of beginnings(int32(-3)))
    assert.throws(() => refusalOf(error(0, cut)), MalformedReply);
});

test("a refusal with a sentence is refused if the request before it is cut short", () => {
  for (const flags of [ACK_TLVS, ACK_TLVS | CAPPED])
    for (const cut of beginnings(HEADER))
      assert.throws(
        () => refusalOf(error(flags, int32(-22), cut)),
        MalformedReply,
      );
  assert.throws(
    () => refusalOf(error(ACK_TLVS, int32(-22), HEADER)),
    MalformedReply,
  );
});

test("a refusal is refused if the request in it says it is longer than all there is", () => {
  for (const length of [0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff]) {
    const request = Buffer.from(REQUEST);
    request.writeUInt32LE(length, 0);
    assert.throws(
      () => refusalOf(error(ACK_TLVS, int32(-22), request, EXPLANATION)),
      MalformedReply,
      `length ${length}`,
    );
  }
});

test("a sentence that is cut short is refused", () => {
  for (const cut of beginnings(EXPLANATION))
    if (cut.length !== 0 && cut.length !== 8)
      assert.throws(
        () => refusalOf(error(ACK_TLVS, int32(-22), REQUEST, cut)),
        MalformedReply,
      );
});

test("a dump ends well, with or without a status", () => {
  for (const payload of [int32(0), new Uint8Array(0)])
    assert.equal(refusalOf(only(message(DONE, MULTI, 7, payload))), undefined);
});

test("a dump can end with a refusal, and its sentence follows the errno at once", () => {
  const plain = message(DONE, MULTI, 7, int32(-1));
  assert.deepEqual(refusalOf(only(plain)), { errno: 1 });
  const payload = Buffer.concat([int32(-1), EXPLANATION]);
  const explained = message(DONE, MULTI | ACK_TLVS, 7, payload);
  assert.deepEqual(refusalOf(only(explained)), {
    errno: 1,
    explanation: "no way.",
  });
});

test("a dump's status that is cut short is refused", () => {
  for (const payload of [hex("00"), hex("0000"), hex("000000")])
    assert.throws(
      () => refusalOf(only(message(DONE, MULTI, 7, payload))),
      MalformedReply,
    );
});

test("whatever an error's bytes are, they are read or refused", () => {
  const flags = fc.constantFrom(0, CAPPED, ACK_TLVS, ACK_TLVS | CAPPED);
  const type = fc.constantFrom(ERROR, DONE);
  fc.assert(
    fc.property(
      type,
      flags,
      fc.uint8Array({ maxLength: 48 }),
      (type, flags, bytes) => {
        try {
          refusalOf(only(message(type, flags, 1, bytes)));
        } catch (error) {
          assert.ok(error instanceof MalformedReply);
        }
      },
    ),
  );
});
