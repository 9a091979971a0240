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
} from "./scripted-link.js";

const REQUEST = message(0x1c, 5, 7, hex("11010000"));
const HEADER = REQUEST.subarray(0, 16);
/** NLMSGERR_ATTR_OFFS, then NLMSGERR_ATTR_MSG. */
const EXPLANATION = hex("0800 0200 04000000  0c00 0100 6e6f207761792e00");

/** Copies of the messages in a datagram, because the reader reuses one object. */
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

test("writeMessage() writes length, type, flags and sequence number", () => {
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

test("writeMessage() aligns messages to multiples of 4 and excludes the padding from the length", () => {
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

test("MessageReader reads the messages of a datagram in order", () => {
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

test("MessageReader finds no message in an empty datagram", () => {
  assert.deepEqual(messages(spanOf(new Uint8Array(0))), []);
});

test("MessageReader rejects a datagram cut short inside a message", () => {
  const first = message(0x1c, MULTI, 7, hex("01020304"));
  const datagram = Buffer.concat([first, first]);
  for (const cut of beginnings(datagram))
    if (cut.length !== 0 && cut.length !== first.length)
      assert.throws(() => messages(spanOf(cut)), MalformedReply);
});

test("MessageReader rejects a message shorter than its header", () => {
  for (const length of [0, 1, 15]) {
    const short = message(1, 0, 1, hex("00000000"));
    short.writeUInt32LE(length, 0);
    assert.throws(() => messages(spanOf(short)), /has length/);
  }
});

test("MessageReader rejects a message that extends past the end, for any length", () => {
  for (const length of [21, 0x7fffffff, 0x80000000, 0xfffffffd, 0xffffffff]) {
    const long = message(1, 0, 1, hex("00000000"));
    long.writeUInt32LE(length, 0);
    assert.throws(() => messages(spanOf(long)), /extends past the end/);
  }
});

test("refusalOf() returns undefined for error number 0", () => {
  assert.equal(refusalOf(error(CAPPED, int32(0), HEADER)), undefined);
});

test("refusalOf() returns the errno as a positive number", () => {
  assert.deepEqual(refusalOf(error(0, int32(-3), REQUEST)), { errno: 3 });
});

test("refusalOf() reads the explanation after a complete copy of the request", () => {
  assert.deepEqual(
    refusalOf(error(ACK_TLVS, int32(-22), REQUEST, EXPLANATION)),
    { errno: 22, explanation: "no way." },
  );
});

test("refusalOf() reads the explanation after a copy of only the request's header", () => {
  // The header contains the length of the whole request.
  const header = message(0x1c, 5, 7, new Uint8Array(400)).subarray(0, 16);
  assert.deepEqual(
    refusalOf(error(ACK_TLVS | CAPPED, int32(-22), header, EXPLANATION)),
    { errno: 22, explanation: "no way." },
  );
});

test("refusalOf() skips the padding of a request whose length is not a multiple of 4", () => {
  const odd = message(0x1c, 5, 7, hex("1101000001"));
  assert.deepEqual(refusalOf(error(ACK_TLVS, int32(-22), odd, EXPLANATION)), {
    errno: 22,
    explanation: "no way.",
  });
});

test("refusalOf() returns only the errno if the attributes have no explanation", () => {
  const offset = hex("0800 0200 04000000");
  assert.deepEqual(refusalOf(error(ACK_TLVS, int32(-22), REQUEST, offset)), {
    errno: 22,
  });
});

test("refusalOf() ignores what follows the request if the flag is not set", () => {
  assert.deepEqual(refusalOf(error(0, int32(-22), REQUEST, EXPLANATION)), {
    errno: 22,
  });
});

test("refusalOf() rejects an error without an errno", () => {
  for (const cut of beginnings(int32(-3)))
    assert.throws(() => refusalOf(error(0, cut)), MalformedReply);
});

test("refusalOf() rejects an error with an explanation if its request is cut short", () => {
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

test("refusalOf() rejects an error whose request claims to be longer than the message", () => {
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

test("refusalOf() rejects an explanation that is cut short", () => {
  for (const cut of beginnings(EXPLANATION))
    if (cut.length !== 0 && cut.length !== 8)
      assert.throws(
        () => refusalOf(error(ACK_TLVS, int32(-22), REQUEST, cut)),
        MalformedReply,
      );
});

test("refusalOf() accepts the end of a dump with and without a status", () => {
  for (const payload of [int32(0), new Uint8Array(0)])
    assert.equal(refusalOf(only(message(DONE, MULTI, 7, payload))), undefined);
});

test("refusalOf() reads errno and explanation at the end of a dump", () => {
  const plain = message(DONE, MULTI, 7, int32(-1));
  assert.deepEqual(refusalOf(only(plain)), { errno: 1 });
  const payload = Buffer.concat([int32(-1), EXPLANATION]);
  const explained = message(DONE, MULTI | ACK_TLVS, 7, payload);
  assert.deepEqual(refusalOf(only(explained)), {
    errno: 1,
    explanation: "no way.",
  });
});

test("refusalOf() rejects a dump's status that is cut short", () => {
  for (const payload of [hex("00"), hex("0000"), hex("000000")])
    assert.throws(
      () => refusalOf(only(message(DONE, MULTI, 7, payload))),
      MalformedReply,
    );
});

test("refusalOf() of random bytes returns a refusal or throws MalformedReply", () => {
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
