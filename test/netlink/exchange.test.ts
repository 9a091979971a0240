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
  FakeLink,
  message,
  MULTI,
  NOOP,
  part,
  type Sent,
} from "./fake-link.js";

const FAMILY = 0x1c;
const EINTR = 4;
const ENOBUFS = 105;

function request(answer: Request["answer"], payload = 0): Request<string> {
  return {
    type: FAMILY,
    answer,
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

/** What the replies say, with the entries as the text that `part` wrote. */
function told(replies: readonly Reply[]): unknown[] {
  return replies.map((reply) =>
    reply.kind === "done"
      ? reply.entries
      : reply.kind === "lost"
        ? "lost"
        : reply.refusal.errno,
  );
}

test("each request is answered at its own place", async () => {
  const link = new FakeLink(([first, second, third]) => {
    assert.ok(first && second && third);
    return [ack(first), ack(second, 17), ack(third)];
  });
  assert.deepEqual(
    await exchangeOver(link)([request("ack"), request("ack"), request("ack")]),
    [DONE_ALONE, refused(17), DONE_ALONE],
  );
});

test("an answer belongs to the request of its sequence number, not of its place", async () => {
  const link = new FakeLink((requests) =>
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

test("no request, no datagram", async () => {
  const link = new FakeLink(() => []);
  assert.deepEqual(await exchangeOver(link)([]), []);
  assert.equal(link.sent.length, 0);
});

test("requests ask for an acknowledgement unless they ask for silence, and dumps for a dump", async () => {
  const link = new FakeLink((requests) =>
    requests.map((request) =>
      request.flags & 0x300 ? done(request) : ack(request),
    ),
  );
  await exchangeOver(link)([
    request("silence"),
    request("ack"),
    request("one"),
    request("dump"),
  ]);
  assert.deepEqual(
    link.sent.flat().map(({ flags }) => flags),
    [0x001, 0x005, 0x005, 0x305],
  );
});

test("a request carries its type, a sequence number of its own, and its payload", async () => {
  const link = new FakeLink((requests) => requests.map((sent) => ack(sent)));
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

test("one message is answered with a message and an acknowledgement", async () => {
  const link = new FakeLink(([only]) => {
    assert.ok(only);
    return [part(only, "info"), ack(only)];
  });
  assert.deepEqual(told(await exchangeOver(link)([request("one")])), [
    ["info"],
  ]);
});

test("a request for one message can be refused", async () => {
  const link = new FakeLink((requests) => requests.map((sent) => ack(sent, 3)));
  assert.deepEqual(told(await exchangeOver(link)([request("one")])), [3]);
});

test("a dump may come in many datagrams, with many messages in each", async () => {
  const link = new FakeLink(([only]) => {
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

test("an empty dump is no entry", async () => {
  const link = new FakeLink((requests) => requests.map((sent) => done(sent)));
  assert.deepEqual(told(await exchangeOver(link)([request("dump")])), [[]]);
});

test("a dump that ends with a status is refused, whatever came before", async () => {
  const link = new FakeLink(([only]) => {
    assert.ok(only);
    return [part(only, "a", MULTI), done(only, 12)];
  });
  assert.deepEqual(told(await exchangeOver(link)([request("dump")])), [12]);
});

test("a dump can be refused at once", async () => {
  const link = new FakeLink((requests) => requests.map((sent) => ack(sent, 1)));
  assert.deepEqual(told(await exchangeOver(link)([request("dump")])), [1]);
});

test("the kernel's own sentence comes with the refusal", async () => {
  const link = new FakeLink(([only]) => {
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

test("messages without meaning are passed over", async () => {
  const link = new FakeLink(([only]) => {
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

test("an answer to a request that was not made is refused", async () => {
  const link = new FakeLink(([only]) => {
    assert.ok(only);
    return [ack({ ...only, sequence: only.sequence + 99 })];
  });
  await assert.rejects(exchangeOver(link)([request("ack")]), MalformedReply);
});

test("a second answer to a request of this datagram is refused", async () => {
  const link = new FakeLink(([first]) => {
    assert.ok(first);
    return [Buffer.concat([ack(first), ack(first)])];
  });
  await assert.rejects(
    exchangeOver(link)([request("ack"), request("ack")]),
    MalformedReply,
  );
});

test("a datagram that is cut short is refused, not misread", async () => {
  const whole = (only: Sent) => Buffer.concat([part(only, "info"), ack(only)]);
  // Behind 20 bytes the first message is whole, and the second is still to come.
  const lengths = Array.from({ length: 20 + 35 }, (_, i) => i + 1);
  for (const length of lengths.filter((length) => length !== 20)) {
    const link = new FakeLink(([only]) => {
      assert.ok(only);
      return [whole(only).subarray(0, length)];
    });
    await assert.rejects(exchangeOver(link)([request("one")]), MalformedReply);
  }
});

test("a read that a signal interrupts is taken up again", async () => {
  const link = new FakeLink(([only]) => {
    assert.ok(only);
    const signal = new SocketFault(EINTR, "recvmsg");
    return [signal, part(only, "a", MULTI), signal, signal, done(only)];
  });
  assert.deepEqual(told(await exchangeOver(link)([request("dump")])), [["a"]]);
  assert.equal(link.sent.length, 1);
});

test("a fault of the socket ends the exchange", async () => {
  const fault = new SocketFault(90, "recvmsg");
  const link = new FakeLink(() => [fault]);
  await assert.rejects(exchangeOver(link)([request("ack")]), fault);
});

test("a fault of sending ends the exchange", async () => {
  const fault = new SocketFault(1, "sendmsg");
  const link = new FakeLink(() => {
    throw fault;
  });
  await assert.rejects(exchangeOver(link)([request("ack")]), fault);
});

test("an error that is no fault of the socket passes through", async () => {
  const error = new TypeError("a bug");
  const link = new FakeLink(() => []);
  link.receive = () => {
    throw error;
  };
  await assert.rejects(exchangeOver(link)([request("ack")]), error);
});

test("an overrun that the kernel tells in a message is a fault of the socket", async () => {
  const link = new FakeLink(([only]) => {
    assert.ok(only);
    return [message(4, 0, only.sequence, hex("00000000"))];
  });
  await assert.rejects(
    exchangeOver(link)([request("ack")]),
    new SocketFault(ENOBUFS, "recvmsg"),
  );
});

test("a link may answer later", async () => {
  const link = new FakeLink((requests) => requests.map((sent) => ack(sent, 2)));
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

test("a disturbed dump is not taken for whole: it is asked again", async () => {
  const link = new FakeLink(([only], datagram) => {
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

test("a dump may be disturbed at its very end", async () => {
  const link = new FakeLink(([only], datagram) => {
    assert.ok(only);
    return [
      part(only, `${datagram}`, MULTI),
      done(only, 0, datagram === 0 ? DUMP_INTR : 0),
    ];
  });
  assert.deepEqual(told(await exchangeOver(link)([request("dump")])), [["1"]]);
});

test("a dump that is disturbed each time is given up", async () => {
  const link = new FakeLink(([only]) => {
    assert.ok(only);
    return [done(only, 0, DUMP_INTR)];
  });
  await assert.rejects(
    exchangeOver(link)([request("dump")]),
    new SocketFault(EINTR, "recvmsg"),
  );
  assert.equal(link.sent.length, 8);
});
