import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { DIRECTOR_CHECKS } from "../../src/doctor/director/checks.js";
import { REAL_SERVER_CHECKS } from "../../src/doctor/real-server/checks.js";
import { diagnosesOf, kindNamed, KINDS } from "../../src/doctor/findings.js";

const CHECKS = [...DIRECTOR_CHECKS, ...REAL_SERVER_CHECKS];
const LAB = "test/commands/doctor";

test("every kind has a unique id, and exactly one check finds it", () => {
  const ids: string[] = KINDS.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  assert.deepEqual(CHECKS.flatMap((check) => check.ids).sort(), ids.sort());
});

for (const kind of KINDS) {
  test(`${kind.id}: all texts are complete sentences`, () => {
    assert.match(kind.id, /^[a-z]+(-[a-z]+)+$/);
    assert.match(kind.title, /^[a-zA-Z].*[^.]$/);
    for (const text of [kind.why, kind.looked, kind.cure])
      assert.match(text, /^[A-Z].*\.$/);
    for (const name of kind.sysctls)
      assert.match(name, /^net(\.[A-Za-z0-9_]+)+$/);
    assert.equal(kindNamed(kind.id), kind);
  });

  test(`${kind.id}: a test in the lab proves it`, () => {
    const cases = readdirSync(LAB).filter((name) => name.endsWith(".lab.ts"));
    assert.ok(
      cases.some((name) =>
        new RegExp(`id: "${kind.id}"|"[a-z]+ ${kind.id}"`).test(
          readFileSync(join(LAB, name), "utf8"),
        ),
      ),
    );
  });
}

test("diagnosesOf() groups findings by kind, most severe first", () => {
  const finding = (id: "all-drained" | "no-servers", seen: string) => ({
    id,
    seen,
    fix: [],
  });
  const diagnoses = diagnosesOf([
    finding("all-drained", "1"),
    finding("no-servers", "2"),
    finding("all-drained", "3"),
  ]);
  assert.deepEqual(
    diagnoses.map(({ kind, findings }) => [
      kind.id,
      findings.map(({ seen }) => seen),
    ]),
    [
      ["no-servers", ["2"]],
      ["all-drained", ["1", "3"]],
    ],
  );
});
