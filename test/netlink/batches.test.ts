import { spanOf } from "../../src/netlink/link.js";
import { bytesIn } from "../fixtures/hex.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { SocketFault } from "../../src/netlink/errors.js";
import {
  exchangeOver,
  type Reply,
  type Request,
} from "../../src/netlink/exchange.js";
import {
  ack,
  done,
  FakeLink,
  MULTI,
  NOOP,
  part,
  type Sent,
} from "./fake-link.js";

/*
 * Many requests to a datagram, and answers that do not fit the receive buffer: the other half of
 * src/netlink/exchange.ts.
 */

const OVERRUN = new SocketFault(105, "recvmsg");

function requests(...answers: Request["answer"][]): Request<string>[] {
  return answers.map((answer, i) => ({
    type: 0x1c,
    answer,
    write(out) {
      out.u32(i);
    },
    read: (payload) => Buffer.from(bytesIn(payload)).toString(),
  }));
}

function acks(count: number): Request[] {
  return requests(...Array.from({ length: count }, () => "ack" as const));
}

function answerTo(sent: Sent): Buffer {
  return sent.flags & 0x300 ? done(sent) : ack(sent);
}

/** How many requests each datagram had. */
function counts(link: FakeLink): number[] {
  return link.sent.map((requests) => requests.length);
}

function kinds(replies: readonly Reply[]): string[] {
  return replies.map(({ kind }) => kind);
}

test("many changes go in one datagram if their answers fit the receive buffer", async () => {
  const link = new FakeLink((sent) => sent.map(answerTo));
  await exchangeOver(link)(acks(1000));
  assert.deepEqual(counts(link), [1000]);
});

test("a small receive buffer makes for smaller datagrams", async () => {
  const link = new FakeLink((sent) => sent.map(answerTo), 10_000);
  const replies = await exchangeOver(link)(acks(50));
  const [first = 0, ...rest] = counts(link);
  // The kernel takes over a kilobyte for an acknowledgement: more than 8 do not fit, fewer would be slow.
  assert.ok(first >= 4 && first <= 8, `${first} in a datagram`);
  assert.equal(
    rest.reduce((a, b) => a + b, first),
    50,
  );
  assert.deepEqual(kinds(replies), new Array<string>(50).fill("done"));
});

test("a large receive buffer does not make for a datagram that the send buffer refuses", async () => {
  const link = new FakeLink((sent) => sent.map(answerTo), 64 * 1024 * 1024);
  const replies = await exchangeOver(link)(acks(3000));
  assert.deepEqual(counts(link), [1024, 1024, 952]);
  assert.deepEqual(kinds(replies), new Array<string>(3000).fill("done"));
});

test("requests are carried out in their order, across datagrams", async () => {
  const link = new FakeLink((sent) => sent.map(answerTo), 10_000);
  await exchangeOver(link)(acks(20));
  assert.deepEqual(
    link.sent.flat().map(({ payload }) => payload.readUInt32LE()),
    Array.from({ length: 20 }, (_, i) => i),
  );
});

test("a request goes even if its answer alone is too large for the receive buffer", async () => {
  const link = new FakeLink((sent) => sent.map(answerTo), 256);
  await exchangeOver(link)(requests("ack", "one", "ack"));
  assert.deepEqual(counts(link), [1, 1, 1]);
});

test("the next datagram is sent when the one before is answered", async () => {
  const link = new FakeLink((sent) => sent.map(answerTo), 256);
  const receive = link.receive.bind(link);
  const log: string[] = [];
  link.receive = () => {
    log.push(`receive after ${link.sent.length}`);
    return receive();
  };
  await exchangeOver(link)(acks(2));
  assert.deepEqual([...new Set(log)], ["receive after 1", "receive after 2"]);
});

test("a dump goes alone, for a socket runs one at a time", async () => {
  const link = new FakeLink((sent) => sent.map(answerTo));
  await exchangeOver(link)(
    requests("ack", "ack", "dump", "dump", "one", "ack"),
  );
  assert.deepEqual(counts(link), [2, 1, 1, 2]);
});

test("a refused request in the middle leaves the others as they are", async () => {
  const link = new FakeLink((sent) =>
    sent.map((request, i) => ack(request, i === 1 ? 3 : 0)),
  );
  assert.deepEqual(kinds(await exchangeOver(link)(acks(3))), [
    "done",
    "refused",
    "done",
  ]);
});

test("answers may come many to a datagram", async () => {
  const link = new FakeLink((sent) => [
    Buffer.concat(sent.map((request) => ack(request))),
  ]);
  assert.deepEqual(kinds(await exchangeOver(link)(acks(3))), [
    "done",
    "done",
    "done",
  ]);
});

test("when the receive buffer runs over, changes that got no answer are known to be lost, not repeated", async () => {
  const link = new FakeLink(([first, second]) => {
    assert.ok(first && second);
    return [ack(first), ack(second, 17), OVERRUN];
  });
  const replies = await exchangeOver(link)(acks(4));
  assert.deepEqual(kinds(replies), ["done", "refused", "lost", "lost"]);
  assert.equal(link.sent.length, 1);
});

test("when the receive buffer runs over, a read is asked again", async () => {
  const link = new FakeLink(([only], datagram) => {
    assert.ok(only);
    return datagram === 0
      ? [part(only, "first", MULTI), OVERRUN]
      : [part(only, "again", MULTI), done(only)];
  });
  const [reply] = await exchangeOver(link)(requests("dump"));
  assert.ok(reply?.kind === "done");
  assert.deepEqual(reply.entries, ["again   "]);
});

test("of reads and changes together, the reads alone are asked again", async () => {
  const link = new FakeLink((sent, datagram) =>
    datagram === 0 ? [OVERRUN] : sent.map((request) => ack(request)),
  );
  const replies = await exchangeOver(link)(requests("ack", "one", "ack"));
  assert.deepEqual(kinds(replies), ["lost", "done", "lost"]);
  assert.deepEqual(
    link.sent.map((sent) => sent.map(({ payload }) => payload.readUInt32LE())),
    [[0, 1, 2], [1]],
  );
});

test("what was sent before an overrun and comes after it is passed over", async () => {
  let stale: Sent | undefined;
  const link = new FakeLink(([only], datagram) => {
    assert.ok(only);
    if (datagram === 0) {
      stale = only;
      return [OVERRUN];
    }
    assert.ok(stale);
    return [
      part(stale, "stale", MULTI),
      done(stale),
      part(only, "new", MULTI),
      done(only),
    ];
  });
  const [reply] = await exchangeOver(link)(requests("dump"));
  assert.ok(reply?.kind === "done");
  assert.equal(reply.entries.length, 1);
});

test("a late answer to an earlier exchange is passed over", async () => {
  let stale: Sent | undefined;
  const link = new FakeLink(([only], datagram) => {
    assert.ok(only);
    if (datagram === 0) {
      stale = only;
      return [OVERRUN];
    }
    assert.ok(stale);
    return [ack(stale, 17), ack(only)];
  });
  const exchange = exchangeOver(link);
  assert.deepEqual(kinds(await exchange(acks(1))), ["lost"]);
  assert.deepEqual(kinds(await exchange(acks(1))), ["done"]);
});

test("the datagrams after an overrun are sent nevertheless", async () => {
  const link = new FakeLink(
    (sent, datagram) => (datagram === 0 ? [OVERRUN] : sent.map(answerTo)),
    256,
  );
  assert.deepEqual(kinds(await exchangeOver(link)(acks(3))), [
    "lost",
    "done",
    "done",
  ]);
});

test("a read that is lost each time is given up", async () => {
  const link = new FakeLink(() => [OVERRUN]);
  await assert.rejects(
    exchangeOver(link)(requests("one")),
    new SocketFault(4, "recvmsg"),
  );
  assert.equal(link.sent.length, 8);
});

test("behind the requests stands a message that is none, and asks to be acknowledged", async () => {
  const link = new FakeLink((sent) => sent.map(answerTo));
  await exchangeOver(link)(requests("ack", "one"));
  assert.deepEqual(
    link.others.map(({ type, flags, payload }) => [
      type,
      flags,
      payload.length,
    ]),
    [[NOOP, 0x004, 0]],
  );
});

test("a dump has no such message, for it would end with the dump still running", async () => {
  const link = new FakeLink((sent) => sent.map(answerTo));
  await exchangeOver(link)(requests("dump"));
  assert.deepEqual(link.others, []);
});

test("a change that the kernel breaks off gets no answer, and is known to be refused with EINTR", async () => {
  const link = new FakeLink(([first, , third]) => {
    assert.ok(first && third);
    return [ack(first), ack(third)];
  });
  assert.deepEqual(await exchangeOver(link)(acks(3)), [
    { kind: "done", entries: [] },
    { kind: "refused", refusal: { errno: 4 } },
    { kind: "done", entries: [] },
  ]);
  assert.equal(link.sent.length, 1);
});

test("a read that gets no answer is asked again", async () => {
  const link = new FakeLink(([only], datagram) => {
    assert.ok(only);
    return datagram === 0 ? [] : [part(only, "info"), ack(only)];
  });
  const [reply] = await exchangeOver(link)(requests("one"));
  assert.ok(reply?.kind === "done" && reply.entries.length === 1);
  assert.equal(link.sent.length, 2);
});

test("what one exchange leaves unread is none of the next one's affair", async () => {
  const link = new FakeLink((sent) => sent.map(answerTo));
  const exchange = exchangeOver(link);
  for (let i = 0; i < 3; i++)
    assert.deepEqual(kinds(await exchange(acks(2))), ["done", "done"]);
});

test("changes that ask for silence are carried out unless the kernel says no", async () => {
  const link = new FakeLink(([, second]) => {
    assert.ok(second);
    return [ack(second, 17)];
  });
  const silent = requests("silence", "silence", "silence");
  assert.deepEqual(await exchangeOver(link)(silent), [
    { kind: "done", entries: [] },
    { kind: "refused", refusal: { errno: 17 } },
    { kind: "done", entries: [] },
  ]);
  assert.deepEqual(counts(link), [3]);
});

test("silence about what an overrun may have swallowed is no yes", async () => {
  const link = new FakeLink(([, second]) => {
    assert.ok(second);
    return [ack(second, 17), OVERRUN];
  });
  const silent = requests("silence", "silence", "silence");
  assert.deepEqual(kinds(await exchangeOver(link)(silent)), [
    "lost",
    "refused",
    "lost",
  ]);
});

test("of changes that ask for silence, no more go in a datagram than there is room for refusals", async () => {
  const link = new FakeLink(() => [], 10_000);
  await exchangeOver(link)(requests(...acks(50).map(() => "silence" as const)));
  assert.ok(Math.max(...counts(link)) <= 8);
});

test("a message is read when it arrives, before the link overwrites it", async () => {
  const buffer = Buffer.alloc(64);
  const link = new FakeLink(([only]) => {
    assert.ok(only);
    return [part(only, "a", MULTI), part(only, "b", MULTI), done(only)];
  });
  const receive = link.receive.bind(link);
  link.receive = () => {
    const datagram = bytesIn(receive());
    buffer.set(datagram);
    return spanOf(buffer.subarray(0, datagram.length));
  };
  const [reply] = await exchangeOver(link)(requests("dump"));
  assert.ok(reply?.kind === "done");
  assert.deepEqual(reply.entries, ["a   ", "b   "]);
});
