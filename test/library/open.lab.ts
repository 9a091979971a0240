import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { openIpvs, SocketFault } from "../../src/index.js";
import { EBADF } from "../../src/netlink/errno.js";
import { openNodeLink } from "../../src/netlink/node-link.js";
import { ours } from "../lab/program.js";

function isClosed(error: unknown): boolean {
  return error instanceof SocketFault && error.errno === EBADF;
}

suite("openIpvs()", () => {
  before(() => ours(["-C"])); // loads the module

  test("close() waits for earlier calls, and later calls fail", async () => {
    const ipvs = await openIpvs();
    const asked = Promise.all([ipvs.services(), ipvs.timeouts()]);
    await ipvs.close();
    const [services] = await asked;
    assert.deepEqual(services, []);
    await assert.rejects(ipvs.services(), isClosed);
    await ipvs.close(); // a second call does nothing
  });

  test("await using closes the client at the end of the block", async () => {
    let kept;
    {
      await using ipvs = await openIpvs();
      kept = ipvs;
      assert.deepEqual(await ipvs.services(), []);
    }
    await assert.rejects(kept.services(), isClosed);
  });

  test("Symbol.dispose closes the client at once, and pending calls fail", async () => {
    const ipvs = await openIpvs();
    const asked = ipvs.services();
    const failed = assert.rejects(asked, isClosed);
    await Promise.resolve(); // now it has been sent
    ipvs[Symbol.dispose]();
    await failed;
  });

  test("openIpvs() closes the caller's link on success and on failure", async () => {
    const link = openNodeLink();
    let closed = 0;
    const close = () => {
      closed++;
      link.close();
    };
    const ipvs = await openIpvs({ ...link, close });
    assert.equal(closed, 0);
    await ipvs.close();
    assert.equal(closed, 1);
    await assert.rejects(openIpvs({ ...link, close }), isClosed);
    assert.equal(closed, 2);
  });
});
