import assert from "node:assert/strict";
import { test } from "node:test";
import { exchangeOver } from "../../src/netlink/exchange.js";
import { fouPorts } from "../../src/rtnl/fou.js";
import { hex, hexOf } from "../fixtures/hex.js";
import {
  ack,
  done,
  ScriptedLink,
  message,
  MULTI,
} from "../netlink/scripted-link.js";

const CONTROLLER = 16;
const FOU = 0x1d;

/** A kernel with the family fou and these ports, or one that refuses either request. */
function kernel(
  ports: readonly Uint8Array[] | number,
  known = true,
): ScriptedLink {
  return new ScriptedLink(([request]) => {
    assert.ok(request);
    const { type, sequence } = request;
    if (type === CONTROLLER) {
      const payload = hex(`01020000 06000100 ${FOU.toString(16)}000000`);
      return known
        ? [message(type, 0, sequence, payload), ack(request)]
        : [ack(request, 2)];
    }
    if (typeof ports === "number") return [ack(request, ports)];
    const all = ports.map((one) => message(FOU, MULTI, sequence, one));
    return [...all, done(request)];
  });
}

/**
 * Replies of Linux 6.1 after `ip fou add port 6080 gue` and `ip -6 fou add port 5555 ipproto 41`.
 */
const GUE = hex(`
  03010000 05000200 02000000 06000100 17c00000 06000a00 00000000 05000300 00000000
  05000400 02000000 08000b00 00000000 08000600 00000000 08000800 00000000`);
const FOU6 = hex(`
  03010000 05000200 0a000000 06000100 15b30000 06000a00 00000000 05000300 29000000
  05000400 01000000 08000b00 00000000 14000700 00000000 00000000 00000000 00000000
  14000900 00000000 00000000 00000000 00000000`);

test("fouPorts() decodes the same bytes as ip fou show", async () => {
  const link = kernel([GUE, FOU6]);
  assert.deepEqual(await fouPorts(exchangeOver(link)), [
    { port: 6080, family: 2, encapsulation: "gue" },
    { port: 5555, family: 10, encapsulation: "fou" },
  ]);
  const [, asked] = link.sent.flat();
  assert.ok(asked);
  assert.deepEqual(
    [asked.type, asked.flags, hexOf(asked.payload)],
    [FOU, 0x305, "03010000"],
  );
});

test("fouPorts() throws a refusal without the module or without permission", async () => {
  const asked = "Cannot read the FOU and GUE ports";
  await assert.rejects(fouPorts(exchangeOver(kernel([], false))), {
    message: `${asked}: ENOENT`,
  });
  await assert.rejects(fouPorts(exchangeOver(kernel(1))), {
    message: `${asked}: EPERM`,
  });
});
