import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Random } from "../compat/random.js";
import { seedOf } from "./case.js";
import { diskCase } from "./lab-disk.js";
import { campaignStatus, errorText } from "./verdict.js";
import { killCase, lightCase, type LabCase } from "./lab-kill.js";

// Run in the lab as `lab-main.js [--seed N]… [--cases N] [--case K] [--seconds N]`: real processes that get signals at any
// step, and real file systems without room, on a real kernel. The light program takes part if it was built.
const { values } = parseArgs({
  options: {
    seed: {
      type: "string",
      multiple: true,
      default: [String(Date.now() % 1_000_000)],
    },
    cases: { type: "string", default: "60" },
    case: { type: "string" },
    seconds: { type: "string", default: "86400" },
  },
});
const seeds = values.seed.map(Number);
const cases = Number(values.cases);
const only = values.case === undefined ? undefined : Number(values.case);
const seconds = Number(values.seconds);
if (![...seeds, cases, only ?? 0, seconds].every(Number.isSafeInteger)) {
  console.error(
    "faults: --seed, --cases, --case and --seconds take whole numbers",
  );
  process.exit(64);
}
if (cases < 1) {
  console.error("faults: --cases is at least 1");
  process.exit(64);
}

const KINDS: readonly (readonly [string, (one: LabCase) => Promise<string>])[] =
  [
    ["process", killCase],
    ["process", killCase],
    ["disk", diskCase],
    ["light program", lightCase],
  ];
const hasLight = existsSync("dist/light/ipvsadm");
const place = mkdtempSync(join(tmpdir(), "ipvsadm-faults-"));
const library = join(place, "faulty-calls.so");
execFileSync("cc", [
  "-O2",
  "-shared",
  "-fPIC",
  "-o",
  library,
  "test/faults/faulty-calls.c",
  "-ldl",
]);
const counts = new Map<string, number>();
const end = Date.now() + seconds * 1000;
let passed = 0;
let failed = 0;
for (const seed of seeds)
  for (
    let number = only ?? 0;
    number < (only === undefined ? cases : only + 1);
    number++
  )
    if (Date.now() < end) await run(seed, number);
rmSync(place, { recursive: true });
for (const [name, count] of [...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
  console.log(`${name}: ${count}`);
process.exit(campaignStatus(passed, failed));

async function run(seed: number, number: number): Promise<void> {
  const random = new Random(seedOf(seed, number));
  const [name, act] = random.pick(KINDS);
  if (act === lightCase && !hasLight) return;
  const folder = mkdtempSync(join(place, "case-"));
  const notes: string[] = [];
  let outcome: string;
  try {
    outcome = await act({
      ...{ random, folder, library },
      note: (text) => notes.push(text),
    });
    passed++;
  } catch (error) {
    outcome = "failed";
    failed++;
    console.log(
      `seed ${seed}, case ${number}, ${name}:\n${notes.join("\n")}\n${errorText(error)}\n` +
        `repeat it with: npm run fuzz:faults -- lab --seed ${seed} --case ${number}\n`,
    );
  }
  rmSync(folder, { recursive: true, force: true });
  const key = `${name}, ${outcome}`;
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
