import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ConnectionReader } from "../../src/ipvs/connection-reader.js";
import { ByteBuilder } from "../../src/text/text-builder.js";
import { UsualConnections } from "../../src/view/connection-text.js";
import { writeConnection } from "../../src/view/connections.js";

const LINE =
  "TCP 0A000001 C350 0A090002 0050 0A090003 1F90 ESTABLISHED     899";

/** What `writeConnection` makes of a line. */
function byBytes(line: string): string {
  const reader = new ConnectionReader();
  const out = new ByteBuilder();
  reader.load(Buffer.from(line, "latin1"));
  while (reader.next()) writeConnection(out, reader, { engine: false });
  return out.take();
}

test("UsualConnections.write() writes a line in the columns of the listing", () => {
  assert.equal(
    new UsualConnections().write(LINE),
    "TCP 14:59  ESTABLISHED 10.0.0.1:50000     10.9.0.2:80        10.9.0.3:8080\n",
  );
});

test("UsualConnections.write() writes what writeConnection() writes", () => {
  const usual = new UsualConnections();
  const hexadecimal = (digits: number) =>
    fc
      .nat({ max: 16 ** digits - 1 })
      .map((number) => number.toString(16).toUpperCase().padStart(digits, "0"));
  const end = fc
    .tuple(hexadecimal(8), hexadecimal(4))
    .map((fields) => fields.join(" "));
  const line = fc
    .tuple(
      fc.constantFrom("TCP", "UDP"),
      fc.tuple(end, end, end).map((ends) => ends.join(" ")),
      fc.constantFrom("NONE", "UDP", "SYN_RECV", "TIME_WAIT", "ESTABLISHED"),
      fc.nat({ max: 9_999_999 }),
    )
    .map(
      ([protocol, ends, state, expires]) =>
        `${protocol} ${ends} ${state.padEnd(11)} ${String(expires).padStart(7)}`,
    );
  fc.assert(
    fc.property(line, (text) => {
      assert.equal(usual.write(text), byBytes(text));
    }),
  );
});

test("UsualConnections.write() leaves lines of another form to writeConnection()", () => {
  const usual = new UsualConnections();
  for (const text of [
    "",
    "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData",
    LINE.replace("TCP ", "SCTP "),
    `${LINE} sip Call-ID`,
    LINE.replace("0A000001", "2001:0db8:0000:0000:0000:0000:0000:0001"),
  ])
    assert.equal(usual.write(text), undefined, text);
});

test("UsualConnections.write() rejects a line with any character changed, as writeConnection() does", () => {
  const usual = new UsualConnections();
  for (let at = 0; at < LINE.length; at++)
    for (const character of " 0gG-+.x\t") {
      const text = LINE.slice(0, at) + character + LINE.slice(at + 1);
      const written = usual.write(text);
      if (written !== undefined) assert.equal(written, byBytes(text), text);
    }
});
