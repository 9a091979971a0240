import assert from "node:assert/strict";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { INET } from "../../../src/ipvs/address.js";
import { TCP } from "../../../src/ipvs/model.js";
import { address, serverEntry, serviceEntry } from "../../fixtures/entries.js";
import { kernelWith } from "../../fixtures/table-kernel.js";
import { subcommand } from "../run-subcommand.js";

const folder = mkdtempSync(join(tmpdir(), "backup-"));
const TABLE = [
  serviceEntry(
    { family: INET, protocol: TCP, address: address("192.0.2.1"), port: 80 },
    {},
    [serverEntry("10.0.0.1", 80)],
  ),
];
const SAME = "-A -t 192.0.2.1:80\n-a -t 192.0.2.1:80 -r 10.0.0.1:80\n";

const apply = (line: string, rules: string) =>
  subcommand(`apply ${line}`, {
    link: kernelWith(TABLE),
    stdin: [rules.split("\n")],
    io: { runFolder: folder },
  });

suite("apply --backup", () => {
  after(() => {
    rmSync(folder, { recursive: true });
  });

  test("apply --backup refuses an existing file, a symbolic link and the rules themselves", async () => {
    const path = join(folder, "before.json");
    const link = join(folder, "link.json");
    writeFileSync(path, SAME);
    symlinkSync(join(folder, "nowhere"), link);
    for (const [backup, file] of [
      [path, "-"],
      [link, "-"],
      [path, path],
    ]) {
      const { stdout, stderr, status } = await apply(
        `--backup ${backup} ${file}`,
        "-A -f 7\n",
      );
      assert.deepEqual([stdout, status], ["", 1]);
      assert.equal(
        stderr,
        `ipvsadm: the backup file ${backup} already exists: nothing was changed; choose another name, or delete the file if you no longer need it\n`,
      );
    }
    assert.equal(readFileSync(path, "latin1"), SAME);
    assert.deepEqual(readdirSync(folder).sort(), ["before.json", "link.json"]);
  });

  test("apply --backup writes no file if the table is up to date", async () => {
    const path = join(folder, "needless.json");
    const { stdout, stderr, status } = await apply(`--backup ${path} -`, SAME);
    assert.deepEqual([stderr, status], ["", 0]);
    assert.match(stdout, /already up to date/);
    assert.ok(!readdirSync(folder).includes("needless.json"));
  });
});
