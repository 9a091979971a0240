import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { ours } from "../lab/program.js";
import type { LabCase } from "./lab-kill.js";
import { install, succeed, tableNow } from "./lab-kernel.js";
import {
  anyServer,
  changedTable,
  randomTable,
  rulesOf,
} from "./random-rules.js";
import { broken, checkTable, checkWords } from "./verdict.js";

const PAGE = 4096;
const OLD = "-A -f 99 -s rr\n";

/** A file system that is full, has one page or no room for names, or is read-only. */
const DISKS = ["one page", "full", "no names", "read-only", "gone"] as const;

function mount(folder: string, options: string): void {
  execFileSync("mount", ["-t", "tmpfs", "-o", options, "none", folder]);
}

/** save, apply --backup, apply and drain on such a disk, on a real kernel. */
export async function diskCase({
  random,
  folder,
  note,
}: LabCase): Promise<string> {
  const disk = join(folder, "disk");
  mkdirSync(disk);
  const kind = random.pick(DISKS);
  const table = randomTable(random, 2);
  const wanted = join(folder, "wanted");
  writeFileSync(wanted, rulesOf(changedTable(random, table)));
  await install(rulesOf(table));
  const before = await tableNow();
  const [service = "", server = ""] = anyServer(random, table) ?? [];
  const target = join(disk, "file");
  const hasOld = random.chance(0.5);
  const words = random.pick([
    ["save", target, "-o", random.pick(["rules", "json", "yaml"])],
    ["apply", wanted, "--backup", target],
    ["apply", wanted],
    ...(server === "" ? [] : [["drain", service, server]]),
  ]);
  const backup = words.includes("--backup");
  const inRun = !words.includes(target);
  await succeed(
    words
      .filter((word) => word !== "--backup" && (word !== target || !backup))
      .map((word) => (word === target ? join(folder, "other") : word)),
  );
  const after = await tableNow();
  await install(rulesOf(table));
  const file = existsSync(join(folder, "other"))
    ? readFileSync(join(folder, "other"), "latin1")
    : undefined;
  const inodes = kind === "no names" ? ",nr_inodes=2" : "";
  mount(disk, `size=${PAGE}${inodes}`);
  try {
    if (hasOld && !backup) writeFileSync(target, OLD);
    if (kind === "full" && !hasOld) fill(join(disk, "filler"));
    if (kind === "read-only") execFileSync("mount", ["-o", "remount,ro", disk]);
    if (kind === "gone") execFileSync("umount", [disk]);
    note(`table\n${rulesOf(table)}\ndisk ${kind}\ncommand ${words.join(" ")}`);
    const result = {
      ...(await ours(words, "", inRun ? { runFolder: disk } : undefined)),
      traffic: { sent: 0, received: 0 },
    };
    note(`exit status ${result.status}\n${result.stdout}\n${result.stderr}`);
    checkWords({ words }, result);
    const now = await tableNow();
    checkTable(result, now, before, after);
    if (words[0] === "save") {
      const found = existsSync(target)
        ? readFileSync(target, "latin1")
        : undefined;
      const old = hasOld && kind !== "gone" ? OLD : undefined;
      if (found !== old && found !== file) broken(`the file has ${found}`);
      if (result.status === 0 && found !== file)
        broken("the file is not written");
    }
    const left = readdirSync(disk).filter((name) => /\.tmp$|\.lock/.test(name));
    if (left.length > 0) broken(`files are left behind: ${left.join(" ")}`);
    return `${kind}, ${words[0]}, exit status ${result.status}`;
  } finally {
    if (kind !== "gone") execFileSync("umount", [disk]);
  }
}

/** Writes until the disk is full. */
function fill(path: string): void {
  try {
    writeFileSync(path, Buffer.alloc(PAGE));
    writeFileSync(`${path}2`, Buffer.alloc(PAGE));
  } catch {
    // It is full.
  }
}
