import assert from "node:assert/strict";
import { test } from "node:test";
import { IpvsUnavailable } from "../../src/ipvs/errors.js";
import { ENOENT, EPERM } from "../../src/netlink/errno.js";
import { SocketFault } from "../../src/netlink/errors.js";
import { openIpvs } from "../../src/ipvs/open.js";
import { ack, FakeLink } from "../netlink/fake-link.js";

test("where IPVS is not, the link is closed and it is said what to do", async () => {
  const link = new FakeLink((requests) =>
    requests.map((request) => ack(request, ENOENT)),
  );
  await assert.rejects(openIpvs(link), (error) => {
    assert.ok(error instanceof IpvsUnavailable);
    assert.equal(error.code, "ENOENT");
    assert.match(error.advice, /modprobe ip_vs/);
    return true;
  });
  assert.equal(link.closed, 1);
});

test("where the socket fails, the link is closed, too", async () => {
  const fault = new SocketFault(EPERM, "recvmsg");
  const link = new FakeLink(() => [fault]);
  await assert.rejects(openIpvs(link), fault);
  assert.equal(link.closed, 1);
});
