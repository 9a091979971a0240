import assert from "node:assert/strict";
import { test } from "node:test";
import { IpvsUnavailable } from "../../src/ipvs/errors.js";
import { ENOENT, EPERM } from "../../src/netlink/errno.js";
import { SocketFault } from "../../src/netlink/errors.js";
import { openIpvs } from "../../src/library/open.js";
import { ack, ScriptedLink } from "../netlink/scripted-link.js";

test("openIpvs() closes the link and advises to load the module if IPVS is not available", async () => {
  const link = new ScriptedLink((requests) =>
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

test("openIpvs() closes the link if the socket fails", async () => {
  const fault = new SocketFault(EPERM, "recvmsg");
  const link = new ScriptedLink(() => [fault]);
  await assert.rejects(openIpvs(link), fault);
  assert.equal(link.closed, 1);
});
