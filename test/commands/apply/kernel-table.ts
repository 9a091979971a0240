import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IpvsAccess } from "../../../src/runtime/ipvs-access.js";
import { formatEndpoint } from "../../../src/ipvs/model.js";
import { nodeIo } from "../../../src/runtime/node-io.js";
import type { Io } from "../../../src/runtime/io.js";
import { ours, type Outcome } from "../../lab/program.js";
import { ipvsadm } from "../../traffic/ipvsadm.js";

/** A folder for a suite's files, and for the lock. */
export class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "ipvsadm-apply-"));

  file(name: string, text: string): string {
    const path = join(this.path, name);
    writeFileSync(path, text);
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

/** Runs a subcommand, with text in Unicode; the last word is a file of these rules, if there are any. */
export async function run(
  line: string,
  rules?: string,
  change: Partial<Io> = {},
): Promise<Outcome> {
  using folder = new Folder();
  const words = line.split(" ");
  if (rules !== undefined) words.push(folder.file("wanted", rules));
  const outcome = await ours(words, "", { runFolder: folder.path, ...change });
  const decoded = (text: string) =>
    Buffer.from(text, "latin1").toString().replaceAll(`${folder.path}/`, "");
  return {
    ...outcome,
    stdout: decoded(outcome.stdout),
    stderr: decoded(outcome.stderr),
  };
}

/** Runs a subcommand that is to succeed. @returns what it printed */
export async function done(
  line: string,
  rules?: string,
  change?: Partial<Io>,
): Promise<string> {
  const { stdout, stderr, status } = await run(line, rules, change);
  assert.deepEqual([stderr, status], ["", 0], line);
  return stdout;
}

/** All that can be set, in two renderings. */
export async function state(): Promise<readonly [rules: string, json: string]> {
  return [await ipvsadm("-Sn"), await done("save -o json")];
}

/** An empty table, the usual timeouts and no sync daemons. */
export async function clear(): Promise<void> {
  await ours(["--stop-daemon", "master"]);
  await ours(["--stop-daemon", "backup"]);
  await ipvsadm("-C");
  await ipvsadm("--set 900 120 300");
}

/** Real servers in the kernel's own order. */
export async function kernelOrder(): Promise<string[]> {
  return (await readTable())
    .map(({ key, servers }) => {
      const ends = servers.map(({ key: { address, port } }) =>
        formatEndpoint(address, port),
      );
      return `${JSON.stringify(key)} ${ends.join(" ")}`;
    })
    .sort();
}

async function readTable() {
  using access = new IpvsAccess(nodeIo());
  const client = await access.open();
  return await client.table();
}
