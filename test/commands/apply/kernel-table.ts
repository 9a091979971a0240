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

/** A folder for the files of a suite, and for the lock. */
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

/** Runs a subcommand. If rules are given, they are written to a file, which becomes the last argument. */
export async function run(
  line: string,
  rules?: string,
  change: Partial<Io> = {},
): Promise<Outcome> {
  using folder = new Folder();
  const words = line.split(" ");
  if (rules !== undefined) words.push(folder.file("wanted", rules));
  const outcome = await ours(words, "", { runFolder: folder.path, ...change });
  const decodeUtf8 = (text: string) =>
    Buffer.from(text, "latin1").toString().replaceAll(`${folder.path}/`, "");
  return {
    ...outcome,
    stdout: decodeUtf8(outcome.stdout),
    stderr: decodeUtf8(outcome.stderr),
  };
}

/** Runs a subcommand that must succeed. @returns its output */
export async function done(
  line: string,
  rules?: string,
  change?: Partial<Io>,
): Promise<string> {
  const { stdout, stderr, status } = await run(line, rules, change);
  assert.deepEqual([stderr, status], ["", 0], line);
  return stdout;
}

/** All settings of the table, in two formats. */
export async function state(): Promise<readonly [rules: string, json: string]> {
  return [await ipvsadm("-Sn"), await done("save -o json")];
}

/** Resets the table: no services, default timeouts, no sync daemons. */
export async function clear(): Promise<void> {
  await ours(["--stop-daemon", "master"]);
  await ours(["--stop-daemon", "backup"]);
  await ipvsadm("-C");
  await ipvsadm("--set 900 120 300");
}

/** The services, with their real servers in the kernel's order. */
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
