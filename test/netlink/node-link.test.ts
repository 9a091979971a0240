import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { RawNetlinkSocket } from "netlink/dist/raw.js";
import {
  EADDRINUSE,
  EBADF,
  EINVAL,
  EPROTONOSUPPORT,
  ETIMEDOUT,
} from "../../src/netlink/errno.js";
import { SocketFault } from "../../src/netlink/errors.js";
import type { Link, Span } from "../../src/netlink/link.js";
import { openNodeLink } from "../../src/netlink/node-link.js";

const NETLINK_USERSOCK = 2;
const NETLINK_GENERIC = 16;
/** The netlink families have numbers below 32 */
const NO_FAMILY = 31;
/** So that tests are fast; the default is 30 */
const TIMEOUT_SECONDS = 0.05;

function opened(t: TestContext): Link {
  const link = openNodeLink(NETLINK_GENERIC, TIMEOUT_SECONDS);
  t.after(() => {
    link.close();
  });
  return link;
}

function received(link: Link): Promise<Span> {
  return Promise.resolve().then(() => link.receive());
}

function isFault(errno: number, call: string) {
  return (error: unknown) => {
    assert.ok(error instanceof SocketFault);
    assert.deepEqual([error.errno, error.call], [errno, call]);
    return true;
  };
}

test("receive() fails with ETIMEDOUT if the kernel does not answer, and says so", async (t) => {
  const link = opened(t);
  await assert.rejects(received(link), isFault(ETIMEDOUT, "recvmsg"));
  const { advice } = new SocketFault(ETIMEDOUT, "recvmsg");
  assert.match(advice, /the kernel did not answer/);
});

test("receive() fails with ETIMEDOUT of sendmsg if the package never sends the request", async (t) => {
  const link = opened(t);
  // The package repeats a sendmsg that fails with ENOBUFS for ever, and does not call back.
  const send = t.mock.method(
    RawNetlinkSocket.prototype,
    "send",
    () => undefined,
  );
  link.send(Buffer.alloc(16));
  assert.equal(send.mock.callCount(), 1);
  await assert.rejects(received(link), isFault(ETIMEDOUT, "sendmsg"));
});

test("receive() waits for the whole timeout again after each datagram", async (t) => {
  const link = opened(t);
  const noop = Buffer.alloc(16); // NLMSG_NOOP with NLM_F_ACK
  noop.writeUInt32LE(16, 0);
  noop.writeUInt16LE(1, 4);
  noop.writeUInt16LE(4, 6);
  for (let i = 0; i < 3; i++) {
    link.send(noop);
    const { start, end } = await received(link);
    assert.equal(end - start, 36);
  }
  await assert.rejects(received(link), isFault(ETIMEDOUT, "recvmsg"));
});

test("receive() fails with EBADF when the link is closed, and not with ETIMEDOUT later", async (t) => {
  const link = opened(t);
  const pending = assert.rejects(received(link), isFault(EBADF, "recvmsg"));
  await Promise.resolve();
  link.close();
  await pending;
});

test("openNodeLink() fails with a SocketFault if the kernel has no such family", () => {
  assert.throws(
    () => openNodeLink(NO_FAMILY),
    isFault(EPROTONOSUPPORT, "socket"),
  );
});

test("openNodeLink() fails with a SocketFault of bind if there is no free port", (t) => {
  const links: Link[] = [];
  t.after(() => {
    for (const link of links) link.close();
  });
  // The package has 1024 ports for each process, and tries 100 of them.
  assert.throws(
    () => {
      for (;;) links.push(openNodeLink(NETLINK_USERSOCK));
    },
    isFault(EADDRINUSE, "bind"),
  );
  assert.ok(links.length > 800);
});

test("openNodeLink() closes the socket and fails with a SocketFault if getsockopt fails", (t) => {
  const close = t.mock.method(RawNetlinkSocket.prototype, "close");
  t.mock.method(RawNetlinkSocket.prototype, "getRecvBufferSize", () => {
    // As the package makes it
    throw Object.assign(new Error("getsockopt failed"), {
      errno: EINVAL,
      code: "EINVAL",
      syscall: "getsockopt",
    });
  });
  assert.throws(() => openNodeLink(), isFault(EINVAL, "getsockopt"));
  assert.equal(close.mock.callCount(), 1);
});
