import assert from "node:assert/strict";
import { test } from "node:test";
import { MalformedReply, SocketFault } from "../../src/netlink/errors.js";
import {
  exchangeOver,
  type Reply,
  type Request,
} from "../../src/netlink/exchange.js";
import { bytesIn, hex } from "../fixtures/hex.js";
import {
  ack,
  DUMP_INTR,
  done,
  ERROR,
  ScriptedLink,
  message,
  MULTI,
  NOOP,
  part,
  type Sent,
} from "./scripted-link.js";

const FAMILY = 0x1c;
const EINTR = 4;
const ENOBUFS = 105;

function request(expects: Request["expects"], payload = 0): Request<string> {
  return {
    type: FAMILY,
    expects,
    write(out) {
      out.u32(payload);
    },
    read: (payload) => Buffer.from(bytesIn(payload)).toString().trimEnd(),
  };
}

const DONE_ALONE: Reply = { kind: "done", entries: [] };

function refused(errno: number): Reply {
  return { kind: "refused", refusal: { errno } };
}

/** The replies, with the text that `part` wrote for each entry. */
function told(replies: readonly Reply[]): unknown[] {
  return replies.map((reply) =>
    reply.kind === "done"
      ? reply.entries
      : reply.kind === "lost"
        ? "lost"
        : reply.refusal.errno,
  );
}

test("exchangeOver() returns one reply per request, in order", async () => {
  const link = new ScriptedLink(([first, second, third]) => {
    assert.ok(first && second && third);
    return [ack(first), ack(second, 17), ack(third)];
  });
  assert.deepEqual(
    await exchangeOver(link)([request("ack"), request("ack"), request("ack")]),
    [DONE_ALONE, refused(17), DONE_ALONE],
  );
});

test("exchangeOver() matches replies by sequence number, not by order", async () => {
  const link = new ScriptedLink((requests) =>
    requests.map((request, i) => ack(request, i)).reverse(),
  );
  assert.deepEqual(
    told(
      await exchangeOver(link)([
        request("ack"),
        request("ack"),
        request("ack"),
      ]),
    ),
    [[], 1, 2],
  );
});

test("exchangeOver() sends no datagram without a request", async () => {
  const link = new ScriptedLink(() => []);
  assert.deepEqual(await exchangeOver(link)([]), []);
  assert.equal(link.sent.length, 0);
});

test("exchangeOver() sets the flags that each kind of request needs", async () => {
  const link = new ScriptedLink((requests) =>
    requests.map((request) =>
      request.flags & 0x300 ? done(request) : ack(request),
    ),
  );
  await exchangeOver(link)([
    request("errors"),
    request("ack"),
    request("one"),
    request("dump"),
  ]);
  assert.deepEqual(
    link.sent.flat().map(({ flags }) => flags),
    [0x001, 0x005, 0x005, 0x305],
  );
});

test("exchangeOver() sends type, sequence number and payload of a request", async () => {
  const link = new ScriptedLink((requests) =>
    requests.map((sent) => ack(sent)),
  );
  const exchange = exchangeOver(link);
  await exchange([request("ack", 1), request("ack", 2)]);
  await exchange([request("ack", 3)]);
  const sent = link.sent.flat();
  assert.deepEqual(
    sent.map(({ type, payload }) => [type, payload.readUInt32LE()]),
    [
      [FAMILY, 1],
      [FAMILY, 2],
      [FAMILY, 3],
    ],
  );
  assert.equal(new Set(sent.map(({ sequence }) => sequence)).size, 3);
});

test("exchangeOver() reads a message and an acknowledgement for a request that expects one message", async () => {
  const link = new ScriptedLink(([only]) => {
    assert.ok(only);
    return [part(only, "info"), ack(only)];
  });
  assert.deepEqual(told(await exchangeOver(link)([request("one")])), [
    ["info"],
  ]);
});

test("exchangeOver() reports the refusal of a request that expects one message", async () => {
  const link = new ScriptedLink((requests) =>
    requests.map((sent) => ack(sent, 3)),
  );
  assert.deepEqual(told(await exchangeOver(link)([request("one")])), [3]);
});

test("exchangeOver() reads a dump of several datagrams with several messages each", async () => {
  const link = new ScriptedLink(([only]) => {
    assert.ok(only);
    return [
      Buffer.concat([part(only, "a", MULTI), part(only, "b", MULTI)]),
      part(only, "c", MULTI),
      Buffer.concat([part(only, "d", MULTI), done(only)]),
    ];
  });
  assert.deepEqual(told(await exchangeOver(link)([request("dump")])), [
    ["a", "b", "c", "d"],
  ]);
});

test("exchangeOver() returns no entries for an empty dump", async () => {
  const link = new ScriptedLink((requests) =>
    requests.map((sent) => done(sent)),
  );
  assert.deepEqual(told(await exchangeOver(link)([request("dump")])), [[]]);
});

test("exchangeOver() reports a dump that ends with an error as refused", async () => {
  const link = new ScriptedLink(([only]) => {
    assert.ok(only);
    return [part(only, "a", MULTI), done(only, 12)];
  });
  assert.deepEqual(told(await exchangeOver(link)([request("dump")])), [12]);
});

test("exchangeOver() reports a dump that is refused at once", async () => {
  const link = new ScriptedLink((requests) =>
    requests.map((sent) => ack(sent, 1)),
  );
  assert.deepEqual(told(await exchangeOver(link)([request("dump")])), [1]);
});

test("exchangeOver() returns the kernel's explanation of a refusal", async () => {
  const link = new ScriptedLink(([only]) => {
    assert.ok(only);
    const errno = hex("eaffffff");
    const sentence = hex("0700 0100 6e6f00 00");
    return [
      message(
        ERROR,
        0x200,
        only.sequence,
        Buffer.concat([errno, only.bytes, sentence]),
      ),
    ];
  });
  assert.deepEqual(await exchangeOver(link)([request("ack")]), [
    { kind: "refused", refusal: { errno: 22, explanation: "no" } },
  ]);
});

test("exchangeOver() ignores NLMSG_NOOP messages", async () => {
  const link = new ScriptedLink(([only]) => {
    assert.ok(only);
    return [
      Buffer.concat([
        message(NOOP, 0, only.sequence, hex("00000000")),
        ack(only, 2),
      ]),
    ];
  });
  assert.deepEqual(told(await exchangeOver(link)([request("ack")])), [2]);
});

test("exchangeOver() rejects a reply to an unknown request", async () => {
  const link = new ScriptedLink(([only]) => {
    assert.ok(only);
    return [ack({ ...only, sequence: only.sequence + 99 })];
  });
  await assert.rejects(exchangeOver(link)([request("ack")]), MalformedReply);
});

test("exchangeOver() rejects a second reply to one request", async () => {
  const link = new ScriptedLink(([first]) => {
    assert.ok(first);
    return [Buffer.concat([ack(first), ack(first)])];
  });
  await assert.rejects(
    exchangeOver(link)([request("ack"), request("ack")]),
    MalformedReply,
  );
});

test("exchangeOver() rejects a datagram that is cut short", async () => {
  const whole = (only: Sent) => Buffer.concat([part(only, "info"), ack(only)]);
  // The first message is complete after 20 bytes; the second is not.
  const lengths = Array.from({ length: 20 + 35 }, (_, i) => i + 1);
  for (const length of lengths.filter((length) => length !== 20)) {
    const link = new ScriptedLink(([only]) => {
      assert.ok(only);
      return [whole(only).subarray(0, length)];
    });
    await assert.rejects(exchangeOver(link)([request("one")]), MalformedReply);
  }
});

test("exchangeOver() continues after a receive that a signal interrupted", async () => {
  const link = new ScriptedLink(([only]) => {
    assert.ok(only);
    const signal = new SocketFault(EINTR, "recvmsg");
    return [signal, part(only, "a", MULTI), signal, signal, done(only)];
  });
  assert.deepEqual(told(await exchangeOver(link)([request("dump")])), [["a"]]);
  assert.equal(link.sent.length, 1);
});

test("exchangeOver() rejects if the socket fails to receive", async () => {
  const fault = new SocketFault(90, "recvmsg");
  const link = new ScriptedLink(() => [fault]);
  await assert.rejects(exchangeOver(link)([request("ack")]), fault);
});

test("exchangeOver() rejects if the socket fails to send", async () => {
  const fault = new SocketFault(1, "sendmsg");
  const link = new ScriptedLink(() => {
    throw fault;
  });
  await assert.rejects(exchangeOver(link)([request("ack")]), fault);
});

test("exchangeOver() passes on other errors of a link", async () => {
  const error = new TypeError("a bug");
  const link = new ScriptedLink(() => []);
  link.receive = () => {
    throw error;
  };
  await assert.rejects(exchangeOver(link)([request("ack")]), error);
});

test("exchangeOver() treats an NLMSG_OVERRUN message as a socket fault", async () => {
  const link = new ScriptedLink(([only]) => {
    assert.ok(only);
    return [message(4, 0, only.sequence, hex("00000000"))];
  });
  await assert.rejects(
    exchangeOver(link)([request("ack")]),
    new SocketFault(ENOBUFS, "recvmsg"),
  );
});

test("exchangeOver() waits for a link that replies asynchronously", async () => {
  const link = new ScriptedLink((requests) =>
    requests.map((sent) => ack(sent, 2)),
  );
  const receive = link.receive.bind(link);
  const later = {
    ...{ receiveBufferBytes: 100_000, close: () => undefined },
    send: link.send.bind(link),
    receive: async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return receive();
    },
  };
  assert.deepEqual(told(await exchangeOver(later)([request("ack")])), [2]);
});

test("exchangeOver() repeats an interrupted dump", async () => {
  const link = new ScriptedLink(([only], datagram) => {
    assert.ok(only);
    return datagram < 2
      ? [
          part(only, `half ${datagram}`, MULTI | DUMP_INTR),
          part(only, "rest", MULTI),
          done(only),
        ]
      : [part(only, "whole", MULTI), done(only)];
  });
  assert.deepEqual(told(await exchangeOver(link)([request("dump")])), [
    ["whole"],
  ]);
  assert.equal(link.sent.length, 3);
});

test("exchangeOver() repeats a dump that was interrupted in its last message", async () => {
  const link = new ScriptedLink(([only], datagram) => {
    assert.ok(only);
    return [
      part(only, `${datagram}`, MULTI),
      done(only, 0, datagram === 0 ? DUMP_INTR : 0),
    ];
  });
  assert.deepEqual(told(await exchangeOver(link)([request("dump")])), [["1"]]);
});

test("exchangeOver() gives up a dump that is interrupted every time", async () => {
  const link = new ScriptedLink(([only]) => {
    assert.ok(only);
    return [done(only, 0, DUMP_INTR)];
  });
  await assert.rejects(
    exchangeOver(link)([request("dump")]),
    new SocketFault(EINTR, "recvmsg"),
  );
  assert.equal(link.sent.length, 8);
});

test("exchangeOver() reads a dump to its end past an acknowledgement in its middle", async () => {
  const link = new ScriptedLink(([only]) => {
    assert.ok(only);
    return [
      part(only, "a", MULTI),
      ack(only),
      part(only, "b", MULTI),
      done(only),
    ];
  });
  assert.deepEqual(told(await exchangeOver(link)([request("dump")])), [
    ["a", "b"],
  ]);
});

test("exchangeOver() ends a dump at an error in its middle", async () => {
  const link = new ScriptedLink(([only]) => {
    assert.ok(only);
    return [part(only, "a", MULTI), ack(only, 12)];
  });
  assert.deepEqual(told(await exchangeOver(link)([request("dump")])), [12]);
});
