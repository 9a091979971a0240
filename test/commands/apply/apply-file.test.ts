import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { INET } from "../../../src/ipvs/address.js";
import { TCP } from "../../../src/ipvs/model.js";
import { address, serverEntry, serviceEntry } from "../../fixtures/entries.js";
import { kernelWith } from "../../fixtures/table-kernel.js";
import { subcommand } from "../run-subcommand.js";

const folder = mkdtempSync(join(tmpdir(), "apply-file-"));
const TABLE = [
  serviceEntry(
    { family: INET, protocol: TCP, address: address("192.0.2.1"), port: 80 },
    {},
    [serverEntry("10.0.0.1", 80), serverEntry("10.0.0.2", 80)],
  ),
];
const world = { link: kernelWith(TABLE), io: { runFolder: folder } };

suite("apply of the output of list", () => {
  after(() => {
    rmSync(folder, { recursive: true });
  });

  test("apply reports a single error for the table and the CSV of list", async () => {
    for (const [format, message] of [
      ["table", "this is the table that 'ipvsadm list' prints for people"],
      ["csv", "this is the CSV of 'ipvsadm list'"],
    ] as const) {
      const listing = await subcommand(`list -o ${format}`, world);
      assert.equal(listing.status, 0);
      const lines = listing.stdout.split("\n");
      const { stdout, stderr, status } = await subcommand("apply -", {
        ...world,
        stdin: [lines],
      });
      assert.deepEqual([stdout, status], ["", 1]);
      assert.equal(stderr.match(/^-:.* error: /gm)?.length, 1);
      assert.match(stderr, new RegExp(`^-:1:1: error: ${message}`));
      assert.match(stderr, /use 'ipvsadm list -o rules' or/);
    }
  });

  test("apply accepts the JSON, YAML and rules of list", async () => {
    for (const format of ["json", "yaml", "rules"]) {
      const listing = await subcommand(`list -o ${format}`, world);
      const { stdout, stderr, status } = await subcommand("apply -", {
        ...world,
        stdin: [listing.stdout.split("\n")],
      });
      assert.deepEqual(
        [stdout, stderr, status],
        ["standard input: already up to date\n", "", 0],
      );
    }
  });

  test("apply -q prints nothing if all is well", async () => {
    const wanted = "-A -t 192.0.2.1:80 -s wlc";
    const { stdout, stderr, status } = await subcommand("apply -q -", {
      ...world,
      stdin: [(await subcommand("list -o rules", world)).stdout.split("\n")],
    });
    assert.deepEqual([stdout, stderr, status], ["", "", 0]);
    for (const other of ["--dry-run", "-o json"]) {
      const refused = await subcommand(`apply -q ${other} -`, {
        ...world,
        stdin: [[wanted]],
      });
      assert.match(
        refused.stderr,
        new RegExp(`--quiet and ${other} exclude each other`),
      );
      assert.equal(refused.status, 2);
    }
  });
});
