import assert from "node:assert/strict";
import { test } from "node:test";
import { MalformedReply, SocketFault } from "../../src/netlink/errors.js";

test("a socket's fault names the system call and the error", () => {
  const fault = new SocketFault(105, "recvmsg");
  assert.equal(fault.message, "recvmsg: ENOBUFS");
  assert.equal(fault.name, "SocketFault");
});

test("a malformed reply names what is wrong and where", () => {
  const fault = new MalformedReply("port is missing", 12);
  assert.match(fault.message, /port is missing.*byte 12/);
  assert.equal(fault.name, "MalformedReply");
});

test("both say what to do next", () => {
  assert.match(new SocketFault(1, "socket").advice, /as root/);
  assert.match(new SocketFault(9, "sendmsg").advice, /open another/);
  assert.equal(new SocketFault(105, "recvmsg").advice, "try again");
  assert.equal(new SocketFault(105, "recvmsg").code, "ENOBUFS");
  assert.match(new MalformedReply("port is missing", 12).advice, /report it/);
});
