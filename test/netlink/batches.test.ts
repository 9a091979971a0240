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
  ScriptedLink,
  MULTI,
  NOOP,
  part,
  type Sent,
} from "./scripted-link.js";

/*
 * Datagrams with many requests, and replies that do not fit the receive buffer: the other half of
 * src/netlink/exchange.ts.
 */

const OVERRUN = new SocketFault(105, "recvmsg");

function requests(...kinds: Request["expects"][]): Request<string>[] {
  return kinds.map((expects, i) => ({
    type: 0x1c,
    expects,
    write(out) {
      out.u32(i);
    },
    read: (payload) => Buffer.from(bytesIn(payload)).toString(),
  }));
}

function acks(count: number): Request[] {
  return requests(...Array.from({ length: count }, () => "ack" as const));
}

function replyTo(sent: Sent): Buffer {
  return sent.flags & 0x300 ? done(sent) : ack(sent);
}

/** The number of requests in each datagram. */
function counts(link: ScriptedLink): number[] {
  return link.sent.map((requests) => requests.length);
}

function kinds(replies: readonly Reply[]): string[] {
  return replies.map(({ kind }) => kind);
}

test("exchangeOver() sends many changes in one datagram if their replies fit the receive buffer", async () => {
  const link = new ScriptedLink((sent) => sent.map(replyTo));
  await exchangeOver(link)(acks(1000));
  assert.deepEqual(counts(link), [1000]);
});

test("exchangeOver() sends smaller datagrams with a small receive buffer", async () => {
  const link = new ScriptedLink((sent) => sent.map(replyTo), 10_000);
  const replies = await exchangeOver(link)(acks(50));
  const [first = 0, ...rest] = counts(link);
  // The kernel uses more than a kilobyte for an acknowledgement. More than 8 do not fit, fewer
  // would be slow.
  assert.ok(first >= 4 && first <= 8, `${first} in a datagram`);
  assert.equal(
    rest.reduce((a, b) => a + b, first),
    50,
  );
  assert.deepEqual(kinds(replies), new Array<string>(50).fill("done"));
});

test("exchangeOver() limits a datagram to the send buffer, even with a large receive buffer", async () => {
  const link = new ScriptedLink((sent) => sent.map(replyTo), 64 * 1024 * 1024);
  const replies = await exchangeOver(link)(acks(3000));
  assert.deepEqual(counts(link), [1024, 1024, 952]);
  assert.deepEqual(kinds(replies), new Array<string>(3000).fill("done"));
});

test("exchangeOver() sends requests in order, across datagrams", async () => {
  const link = new ScriptedLink((sent) => sent.map(replyTo), 10_000);
  await exchangeOver(link)(acks(20));
  assert.deepEqual(
    link.sent.flat().map(({ payload }) => payload.readUInt32LE()),
    Array.from({ length: 20 }, (_, i) => i),
  );
});

test("exchangeOver() sends a single request even if its reply may not fit the receive buffer", async () => {
  const link = new ScriptedLink((sent) => sent.map(replyTo), 256);
  await exchangeOver(link)(requests("ack", "one", "ack"));
  assert.deepEqual(counts(link), [1, 1, 1]);
});

test("exchangeOver() sends the next datagram after the replies to the previous one", async () => {
  const link = new ScriptedLink((sent) => sent.map(replyTo), 256);
  const receive = link.receive.bind(link);
  const log: string[] = [];
  link.receive = () => {
    log.push(`receive after ${link.sent.length}`);
    return receive();
  };
  await exchangeOver(link)(acks(2));
  assert.deepEqual([...new Set(log)], ["receive after 1", "receive after 2"]);
});

test("exchangeOver() sends a dump in its own datagram", async () => {
  const link = new ScriptedLink((sent) => sent.map(replyTo));
  await exchangeOver(link)(
    requests("ack", "ack", "dump", "dump", "one", "ack"),
  );
  assert.deepEqual(counts(link), [2, 1, 1, 2]);
});

test("exchangeOver() reports one refused request and the success of the others", async () => {
  const link = new ScriptedLink((sent) =>
    sent.map((request, i) => ack(request, i === 1 ? 3 : 0)),
  );
  assert.deepEqual(kinds(await exchangeOver(link)(acks(3))), [
    "done",
    "refused",
    "done",
  ]);
});

test("exchangeOver() reads several replies from one datagram", async () => {
  const link = new ScriptedLink((sent) => [
    Buffer.concat(sent.map((request) => ack(request))),
  ]);
  assert.deepEqual(kinds(await exchangeOver(link)(acks(3))), [
    "done",
    "done",
    "done",
  ]);
});

test("exchangeOver() reports changes without a reply as lost after an overrun, and does not repeat them", async () => {
  const link = new ScriptedLink(([first, second]) => {
    assert.ok(first && second);
    return [ack(first), ack(second, 17), OVERRUN];
  });
  const replies = await exchangeOver(link)(acks(4));
  assert.deepEqual(kinds(replies), ["done", "refused", "lost", "lost"]);
  assert.equal(link.sent.length, 1);
});

test("exchangeOver() repeats a read after an overrun", async () => {
  const link = new ScriptedLink(([only], datagram) => {
    assert.ok(only);
    return datagram === 0
      ? [part(only, "first", MULTI), OVERRUN]
      : [part(only, "again", MULTI), done(only)];
  });
  const [reply] = await exchangeOver(link)(requests("dump"));
  assert.ok(reply?.kind === "done");
  assert.deepEqual(reply.entries, ["again   "]);
});

test("exchangeOver() repeats only the reads of a batch with reads and changes", async () => {
  const link = new ScriptedLink((sent, datagram) =>
    datagram === 0 ? [OVERRUN] : sent.map((request) => ack(request)),
  );
  const replies = await exchangeOver(link)(requests("ack", "one", "ack"));
  assert.deepEqual(kinds(replies), ["lost", "done", "lost"]);
  assert.deepEqual(
    link.sent.map((sent) => sent.map(({ payload }) => payload.readUInt32LE())),
    [[0, 1, 2], [1]],
  );
});

test("exchangeOver() ignores replies that arrive after an overrun", async () => {
  let stale: Sent | undefined;
  const link = new ScriptedLink(([only], datagram) => {
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

test("exchangeOver() ignores a late reply to an earlier exchange", async () => {
  let stale: Sent | undefined;
  const link = new ScriptedLink(([only], datagram) => {
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

test("exchangeOver() sends the remaining datagrams after an overrun", async () => {
  const link = new ScriptedLink(
    (sent, datagram) => (datagram === 0 ? [OVERRUN] : sent.map(replyTo)),
    256,
  );
  assert.deepEqual(kinds(await exchangeOver(link)(acks(3))), [
    "lost",
    "done",
    "done",
  ]);
});

test("exchangeOver() gives up a read that is lost every time", async () => {
  const link = new ScriptedLink(() => [OVERRUN]);
  await assert.rejects(
    exchangeOver(link)(requests("one")),
    new SocketFault(4, "recvmsg"),
  );
  assert.equal(link.sent.length, 8);
});

test("exchangeOver() ends a datagram with an empty message that asks for an acknowledgement", async () => {
  const link = new ScriptedLink((sent) => sent.map(replyTo));
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

test("exchangeOver() adds no such message to a dump, because it would be acknowledged during the dump", async () => {
  const link = new ScriptedLink((sent) => sent.map(replyTo));
  await exchangeOver(link)(requests("dump"));
  assert.deepEqual(link.others, []);
});

test("exchangeOver() reports a change that the kernel interrupted as refused with EINTR", async () => {
  const link = new ScriptedLink(([first, , third]) => {
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

test("exchangeOver() repeats a read without a reply", async () => {
  const link = new ScriptedLink(([only], datagram) => {
    assert.ok(only);
    return datagram === 0 ? [] : [part(only, "info"), ack(only)];
  });
  const [reply] = await exchangeOver(link)(requests("one"));
  assert.ok(reply?.kind === "done" && reply.entries.length === 1);
  assert.equal(link.sent.length, 2);
});

test("exchangeOver() ignores messages that the previous exchange did not read", async () => {
  const link = new ScriptedLink((sent) => sent.map(replyTo));
  const exchange = exchangeOver(link);
  for (let i = 0; i < 3; i++)
    assert.deepEqual(kinds(await exchange(acks(2))), ["done", "done"]);
});

test("exchangeOver() reports requests that expect only errors as done unless the kernel refuses them", async () => {
  const link = new ScriptedLink(([, second]) => {
    assert.ok(second);
    return [ack(second, 17)];
  });
  const unacknowledged = requests("errors", "errors", "errors");
  assert.deepEqual(await exchangeOver(link)(unacknowledged), [
    { kind: "done", entries: [] },
    { kind: "refused", refusal: { errno: 17 } },
    { kind: "done", entries: [] },
  ]);
  assert.deepEqual(counts(link), [3]);
});

test("exchangeOver() reports requests that expect only errors as lost after an overrun", async () => {
  const link = new ScriptedLink(([, second]) => {
    assert.ok(second);
    return [ack(second, 17), OVERRUN];
  });
  const unacknowledged = requests("errors", "errors", "errors");
  assert.deepEqual(kinds(await exchangeOver(link)(unacknowledged)), [
    "lost",
    "refused",
    "lost",
  ]);
});

test("exchangeOver() leaves room for a refusal of every request that expects only errors", async () => {
  const link = new ScriptedLink(() => [], 10_000);
  await exchangeOver(link)(requests(...acks(50).map(() => "errors" as const)));
  assert.ok(Math.max(...counts(link)) <= 8);
});

test("exchangeOver() decodes a message before the link overwrites it", async () => {
  const buffer = Buffer.alloc(64);
  const link = new ScriptedLink(([only]) => {
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
