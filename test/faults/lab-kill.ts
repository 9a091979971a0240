import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import type { Random } from "../compat/random.js";
import {
  install,
  spawned,
  succeed,
  tableNow,
  type Ended,
} from "./lab-kernel.js";
import {
  anyServer,
  changedTable,
  randomTable,
  rulesOf,
} from "./random-rules.js";
import {
  broken,
  checkTable,
  checkWords,
  isBetween,
  type TableState,
} from "./verdict.js";

/** What a case in the lab works with. */
export interface LabCase {
  readonly random: Random;
  /** A folder for its files */
  readonly folder: string;
  /** The library that counts steps: faulty-calls.c */
  readonly library: string;
  readonly note: (text: string) => void;
}

const SIGNALS = [
  "SIGKILL",
  "SIGKILL",
  "SIGTERM",
  "SIGINT",
  "SIGHUP",
  "SIGQUIT",
] as const;
/** About as many steps as the longest of these commands has. */
const MOST_STEPS = 45;
const PROGRAM = "dist/bin/ipvsadm.cjs";
const LIGHT = "dist/light/ipvsadm";
const OLD = "-A -f 99 -s rr\n";

/** A real process of apply, restore, save, drain or undrain gets a signal at any of its steps. */
export async function killCase(one: LabCase): Promise<string> {
  const { random, folder, library, note } = one;
  const table = randomTable(random, 1);
  const before = rulesOf(table);
  const wanted = join(folder, "wanted");
  writeFileSync(wanted, rulesOf(changedTable(random, table)));
  const backup = join(folder, "backup");
  const saved = join(folder, "saved");
  const prepare = async () => {
    await install(before);
    rmSync(backup, { force: true });
    writeFileSync(saved, OLD);
  };
  const [service = "", server = ""] = anyServer(random, table) ?? [];
  const words = random.pick([
    ["apply", wanted],
    ["apply", wanted, "--backup", backup],
    ["restore", wanted],
    ["save", saved, "-o", "json"],
    ...(server === ""
      ? []
      : [
          ["drain", service, server],
          ["undrain", service, server, "--weight", "3"],
        ]),
  ]);
  await prepare();
  const old = await tableNow();
  await succeed(words);
  const after = await tableNow();
  const file = readFileSync(saved, "latin1");
  await prepare();
  const signal = random.pick(SIGNALS);
  const step = random.below(MOST_STEPS);
  const behind = random.chance(0.5);
  note(`table\n${before}\nwanted\n${readFileSync(wanted, "latin1")}`);
  note(
    `command ${words.join(" ")}\n${signal} ${behind ? "after" : "before"} step ${step}`,
  );
  const ended = await spawned(process.execPath, [PROGRAM, ...words], {
    env: {
      LD_PRELOAD: library,
      FAULT_STEP: String(step),
      FAULT_SIGNAL: String(constants.signals[signal]),
      ...(behind && { FAULT_AFTER: "1" }),
    },
  });
  note(
    `ended ${ended.signal ?? ended.status}\n${ended.stdout}\n${ended.stderr}`,
  );
  const now = await tableNow();
  if (ended.signal === null) checkEnd(words, ended, [now, old, after]);
  else if (!isBetween(now, old, after))
    broken(`the table has rows of its own:\n${now.text}`);
  const found = readFileSync(saved, "latin1");
  if (found !== OLD && found !== file) broken(`the file has ${found}`);
  if (existsSync(backup) && now.text !== old.text && ended.status !== 0) {
    await succeed(["restore", backup]);
    if ((await tableNow()).text !== old.text)
      broken("the backup is not the table before");
    return outcomeOf(words, ended);
  }
  rmSync(backup, { force: true });
  await succeed(words);
  const next = await tableNow();
  if (next.text !== after.text) broken(`the next run leaves\n${next.text}`);
  if (words[0] === "drain" && old.text !== after.text) {
    await succeed(["undrain", service, server]);
    if ((await tableNow()).text !== old.text)
      broken("undrain does not restore the weight");
  }
  return outcomeOf(words, ended);
}

function checkEnd(
  words: readonly string[],
  { status, stdout, stderr }: Ended,
  [now, before, after]: readonly [TableState, TableState, TableState],
): void {
  const result = {
    ...{ stdout, stderr, status: status ?? undefined },
    traffic: { sent: 0, received: 0 },
  };
  checkWords({ words }, result);
  checkTable(result, now, before, after);
}

function outcomeOf(
  [name]: readonly string[],
  { status, signal }: Ended,
): string {
  if (status === 0) return `${name}, done`;
  return `${name}, ${signal ?? `exit status ${status}`}`;
}

/** The light program dies at any moment of -R, or as ipvsadm-restore. The next run makes the wanted table. */
export async function lightCase({ random, note }: LabCase): Promise<string> {
  const table = randomTable(random, 1);
  const wanted = rulesOf(randomTable(random, 2));
  const restore = random.chance(0.5);
  const words = restore ? [] : ["-R"];
  const options = {
    stdin: restore ? wanted : `-C\n${wanted}`,
    ...(restore && { argv0: "ipvsadm-restore" }),
  };
  await install(wanted);
  const after = await tableNow();
  await install(rulesOf(table));
  const before = await tableNow();
  const delay = random.below(12);
  note(
    `table\n${rulesOf(table)}\nwanted\n${wanted}\nSIGKILL after ${delay} ms`,
  );
  const ended = await spawned(LIGHT, words, {
    ...options,
    begun(kill) {
      setTimeout(kill, delay);
    },
  });
  const now = await tableNow();
  note(`ended ${ended.signal ?? ended.status}\n${ended.stderr}`);
  if (!isBetween(now, before, after, "may lack rows"))
    broken(`the table has rows of its own:\n${now.text}`);
  if (ended.signal === null && now.text !== after.text)
    broken(`exit status ${ended.status}, but the table is\n${now.text}`);
  const { status, stderr } = await spawned(LIGHT, words, options);
  if (status !== 0) broken(`the next run fails: ${stderr}`);
  if ((await tableNow()).text !== after.text)
    broken("the next run does not make the table");
  return `${restore ? "ipvsadm-restore" : "-R"}, ${ended.signal ?? "done"}`;
}
