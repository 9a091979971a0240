import { spanOf } from "../../src/netlink/link.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { u32 } from "../../src/netlink/attributes.js";
import { MalformedReply } from "../../src/netlink/errors.js";
import type { Request } from "../../src/netlink/exchange.js";
import {
  attributesOf,
  GenericQuery,
  noAttributes,
  resolveFamily,
} from "../../src/netlink/generic.js";
import { Writer } from "../../src/netlink/writer.js";
import { beginnings, bytesIn, hex, hexOf } from "../fixtures/hex.js";
import { readBy, type RawReply } from "./raw-reply.js";

function written(request: Request | undefined): string {
  const out = new Writer();
  request?.write(out);
  return hexOf(out.written);
}

/** Resolves a family; the kernel sends one reply. */
async function resolve(reply: RawReply) {
  const asked: Request[] = [];
  const family = await resolveFamily(async (requests) => {
    asked.push(...requests);
    return Promise.resolve(requests.map((request) => readBy(request, reply)));
  }, "IPVS");
  return { family, asked };
}

function answer(payload: string): RawReply {
  return { kind: "done", payloads: [hex(payload)] };
}

test("GenericQuery writes command and version before the attributes", () => {
  const write = (out: Writer) => {
    u32.encode(out, 5, 0xffffffff);
  };
  const request = new GenericQuery(0x1c, 1, 17, "dump", write, bytesIn);
  assert.equal(written(request), "11010000" + "08000500ffffffff");
  assert.equal(request.type, 0x1c);
  assert.equal(request.expects, "dump");
});

test("GenericQuery can have no attributes", () => {
  const request = new GenericQuery(0x1c, 1, 17, "one", noAttributes, bytesIn);
  assert.equal(written(request), "11010000");
});

test("attributesOf() skips the generic netlink header", () => {
  assert.equal(
    hexOf(bytesIn(attributesOf(spanOf(hex("0e010000 08000100"))))),
    "08000100",
  );
});

test("attributesOf() rejects a header that is cut short", () => {
  for (const cut of beginnings(hex("0e010000")))
    assert.throws(() => attributesOf(spanOf(cut)), MalformedReply);
});

test("resolveFamily() asks the controller for a family by name", async () => {
  const { asked } = await resolve(answer("01020000 0600 0100 1c00 0000"));
  assert.deepEqual(
    asked.map(({ type, expects }) => [type, expects]),
    [[16, "one"]],
  );
  assert.equal(written(asked[0]), "03010000" + "09000200" + "4950565300000000");
});

test("resolveFamily() finds the number among other attributes", async () => {
  const { family } = await resolve(
    answer(`
      01020000
      0900 0200 4950565300 000000  # name
      0600 0100 1c00 0000  # number
      0800 0300 01000000  # version
    `),
  );
  assert.deepEqual(family, { id: 0x1c });
});

test("resolveFamily() rejects a reply that is cut short", async () => {
  const whole = "01020000 0600 0100 1c00 0000";
  for (const cut of beginnings(hex(whole)))
    // The padding after the number is not needed.
    if (cut.length < 10)
      await assert.rejects(resolve(answer(hexOf(cut))), MalformedReply);
});

test("resolveFamily() returns the kernel's refusal for an unregistered family", async () => {
  const { family } = await resolve({ kind: "refused", refusal: { errno: 2 } });
  assert.deepEqual(family, { errno: 2 });
});

test("resolveFamily() returns ENOENT for an acknowledgement without a message", async () => {
  const { family } = await resolve({ kind: "done", payloads: [] });
  assert.deepEqual(family, { errno: 2 });
});

test("resolveFamily() rejects a reply without the number", async () => {
  await assert.rejects(
    resolve(answer("01020000 0900 0200 4950565300 000000")),
    /familyId is missing/,
  );
});
