import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { EAGAIN, ENOBUFS, ETIMEDOUT } from "../../src/netlink/errno.js";
import { SocketFault } from "../../src/netlink/errors.js";
import { openQuickjsLink } from "../../src/netlink/quickjs-link.js";

const SOCKET = 7;
const SO_RCVTIMEO = 20;

/** Replaces the system calls of the light program. @param results of receive(), one after the other */
function linkWith(t: TestContext, results: readonly number[]) {
  const left = [...results];
  const options: (readonly number[])[] = [];
  const host = {
    socket: () => SOCKET,
    connect: () => 0,
    setOption: (_: number, level: number, name: number, value: number) => {
      options.push([level, name, value]);
      return 0;
    },
    option: () => 212_992,
    room: (size: number) => new ArrayBuffer(size),
    receive: () => left.shift() ?? assert.fail("nothing left to receive"),
    close: () => 0,
  };
  Object.assign(globalThis, { host });
  t.after(() => {
    Reflect.deleteProperty(globalThis, "host");
  });
  return { link: openQuickjsLink(), options };
}

function hasErrno(errno: number) {
  return (error: unknown) => {
    assert.ok(error instanceof SocketFault);
    assert.deepEqual([error.errno, error.call], [errno, "recvmmsg"]);
    return true;
  };
}

test("openQuickjsLink() waits at most 30 seconds for a datagram, then fails with ETIMEDOUT", (t) => {
  const { link, options } = linkWith(t, [-EAGAIN]);
  assert.ok(
    options.some(([, name, value]) => name === SO_RCVTIMEO && value === 30),
  );
  assert.throws(() => link.receive(), hasErrno(ETIMEDOUT));
});

test("openQuickjsLink() reports an overrun after the datagrams that were queued before, not as a timeout", (t) => {
  const { link } = linkWith(t, [-ENOBUFS, 1, -EAGAIN]);
  assert.ok(link.receive() instanceof Object);
  assert.throws(() => link.receive(), hasErrno(ENOBUFS));
});
