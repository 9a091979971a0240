import assert from "node:assert/strict";
import { test } from "node:test";
import { spanOf, type Link } from "../../src/netlink/link.js";
import {
  NLMSG_DONE,
  NLMSG_ERROR,
  writeMessage,
} from "../../src/netlink/messages.js";
import { Writer } from "../../src/netlink/writer.js";
import {
  countMessages,
  packSteps,
  Recorder,
  unpackSteps,
  type Step,
} from "./recording.js";
import { replay } from "./replay.js";

const FAMILY = 28;

/** A datagram of messages with 5 bytes each, padded to 8. */
function datagram(
  ...heads: readonly (readonly [type: number, sequence: number])[]
): Uint8Array {
  const out = new Writer();
  for (const [type, sequence] of heads)
    writeMessage(out, type, 0, sequence, {
      write(to) {
        to.bytes(Uint8Array.of(1, 2, 3, 4, 5));
      },
    });
  return out.written.slice();
}

/** A link that receives these datagrams and keeps what is sent. */
function linkThatGives(...answers: Uint8Array[]) {
  const sent: Uint8Array[] = [];
  const link: Link & { closed: boolean } = {
    receiveBufferBytes: 1 << 20,
    closed: false,
    send: (bytes) => void sent.push(bytes.slice()),
    receive() {
      const next = answers.shift();
      if (!next) throw new Error("nothing more comes");
      return Promise.resolve(spanOf(next));
    },
    close() {
      link.closed = true;
    },
  };
  return { link, sent, left: answers };
}

test("countMessages() counts messages and reports the ends of requests", () => {
  const ended: number[] = [];
  const bytes = datagram([FAMILY, 1], [NLMSG_ERROR, 2], [NLMSG_DONE, 3]);
  assert.equal(
    countMessages(spanOf(bytes), (sequence) => ended.push(sequence)),
    3,
  );
  assert.deepEqual(ended, [2, 3]);
});

test("countMessages() stops at a message of length 0", () => {
  assert.equal(
    countMessages(spanOf(new Uint8Array(32)), () => undefined),
    2,
  );
});

test("Recorder records the datagrams and the last reply that was waited for", async () => {
  const { link } = linkThatGives(
    datagram([FAMILY, 1], [NLMSG_ERROR, 1]),
    datagram([NLMSG_ERROR, 2], [NLMSG_ERROR, 3]),
    datagram([NLMSG_ERROR, 4]),
  );
  const recorder = new Recorder();
  const tapped = recorder.tap(link);
  const buffer = Uint8Array.of(1);
  tapped.send(buffer);
  buffer[0] = 9; // the program reuses its buffer
  await tapped.receive();
  tapped.send(Uint8Array.of(2));
  await tapped.receive();
  await tapped.receive();
  assert.deepEqual(recorder.steps, [
    { kind: "send", socket: 0, datagram: Uint8Array.of(1) },
    { kind: "await", socket: 0, sequence: 1 },
    { kind: "send", socket: 0, datagram: Uint8Array.of(2) },
    { kind: "await", socket: 0, sequence: 4 },
  ] satisfies Step[]);
});

test("Recorder distinguishes sockets", async () => {
  const recorder = new Recorder();
  const one = recorder.tap(linkThatGives(datagram([NLMSG_DONE, 1])).link);
  const two = recorder.tap(linkThatGives(datagram([NLMSG_DONE, 1])).link);
  one.send(Uint8Array.of(1));
  two.send(Uint8Array.of(2));
  await two.receive();
  await one.receive();
  assert.deepEqual(
    recorder.steps.map((step) =>
      step.kind === "read" ? step.file : `${step.kind} ${step.socket}`,
    ),
    ["send 0", "send 1", "await 1", "await 0"],
  );
});

const STEPS: readonly Step[] = [
  { kind: "send", socket: 0, datagram: Uint8Array.of(1, 2, 3) },
  { kind: "send", socket: 1, datagram: new Uint8Array(0) },
  { kind: "await", socket: 1, sequence: 2 ** 32 - 1 },
  { kind: "read", file: "/proc/net/ip_vs" },
  { kind: "await", socket: 0, sequence: 1 },
];

test("unpackSteps() reads what packSteps() wrote", () => {
  const read = unpackSteps(packSteps(STEPS)).map((step) =>
    step.kind === "send"
      ? { ...step, datagram: Uint8Array.from(step.datagram) }
      : step,
  );
  assert.deepEqual(read, STEPS);
});

test("unpackSteps() rejects other data", () => {
  assert.throws(() => unpackSteps(Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 0)), {
    name: "RangeError",
  });
});

test("replay() sends the same datagrams, waits for the same replies, and decodes nothing else", async () => {
  const fake = linkThatGives(
    datagram([FAMILY, 1], [FAMILY, 1]),
    datagram([NLMSG_DONE, 1]),
    datagram([NLMSG_ERROR, 2]),
    datagram([NLMSG_ERROR, 3]),
  );
  const messages = await replay(
    [
      { kind: "send", socket: 0, datagram: Uint8Array.of(1) },
      { kind: "await", socket: 0, sequence: 1 },
      { kind: "send", socket: 0, datagram: Uint8Array.of(2) },
      { kind: "await", socket: 0, sequence: 2 },
    ],
    () => fake.link,
  );
  assert.equal(messages, 4);
  assert.deepEqual(fake.sent, [Uint8Array.of(1), Uint8Array.of(2)]);
  assert.equal(fake.left.length, 1);
  assert.ok(fake.link.closed);
});

test("Recorder records a file that was read, and replay() reads it again", async () => {
  const recorder = new Recorder();
  recorder.read("/nonexistent/ip_vs");
  await assert.rejects(
    replay(recorder.steps, () => linkThatGives().link),
    { code: "ENOENT", path: "/nonexistent/ip_vs" },
  );
});
