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

/** Asks for a family where the kernel gives one answer. */
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

test("a request begins with command and version, and the attributes follow", () => {
  const write = (out: Writer) => {
    u32.encode(out, 5, 0xffffffff);
  };
  const request = new GenericQuery(0x1c, 1, 17, "dump", write, bytesIn);
  assert.equal(written(request), "11010000" + "08000500ffffffff");
  assert.equal(request.type, 0x1c);
  assert.equal(request.answer, "dump");
});

test("a request may have no attributes", () => {
  const request = new GenericQuery(0x1c, 1, 17, "one", noAttributes, bytesIn);
  assert.equal(written(request), "11010000");
});

test("a message's header is taken off", () => {
  assert.equal(
    hexOf(bytesIn(attributesOf(spanOf(hex("0e010000 08000100"))))),
    "08000100",
  );
});

test("a header that is cut short is refused", () => {
  for (const cut of beginnings(hex("0e010000")))
    assert.throws(() => attributesOf(spanOf(cut)), MalformedReply);
});

test("the controller is asked for a family by its name", async () => {
  const { asked } = await resolve(answer("01020000 0600 0100 1c00 0000"));
  assert.deepEqual(
    asked.map(({ type, answer }) => [type, answer]),
    [[16, "one"]],
  );
  assert.equal(written(asked[0]), "03010000" + "09000200" + "4950565300000000");
});

test("the controller's answer holds the number among much else", async () => {
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

test("a controller's answer that is cut short is refused", async () => {
  const whole = "01020000 0600 0100 1c00 0000";
  for (const cut of beginnings(hex(whole)))
    // The padding behind the number is not needed.
    if (cut.length < 10)
      await assert.rejects(resolve(answer(hexOf(cut))), MalformedReply);
});

test("a family that nobody has registered is refused as the kernel refuses it", async () => {
  const { family } = await resolve({ kind: "refused", refusal: { errno: 2 } });
  assert.deepEqual(family, { errno: 2 });
});

test("an acknowledgement without an answer names no family", async () => {
  const { family } = await resolve({ kind: "done", payloads: [] });
  assert.deepEqual(family, { errno: 2 });
});

test("an answer without the number is refused", async () => {
  await assert.rejects(
    resolve(answer("01020000 0900 0200 4950565300 000000")),
    /familyId is missing/,
  );
});
