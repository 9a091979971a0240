import assert from "node:assert/strict";
import { test } from "node:test";
import { MalformedReply, SocketFault } from "../../src/netlink/errors.js";

test("SocketFault names the system call and the error", () => {
  const fault = new SocketFault(105, "recvmsg");
  assert.equal(fault.message, "recvmsg: ENOBUFS");
  assert.equal(fault.name, "SocketFault");
});

test("MalformedReply says what is wrong and where", () => {
  const fault = new MalformedReply("port is missing", 12);
  assert.match(fault.message, /port is missing.*byte 12/);
  assert.equal(fault.name, "MalformedReply");
});

test("SocketFault and MalformedReply have advice", () => {
  assert.match(new SocketFault(1, "socket").advice, /as root/);
  assert.match(new SocketFault(9, "sendmsg").advice, /open a new one/);
  assert.equal(new SocketFault(105, "recvmsg").advice, "try again");
  assert.equal(new SocketFault(105, "recvmsg").code, "ENOBUFS");
  assert.match(new MalformedReply("port is missing", 12).advice, /report it/);
});
