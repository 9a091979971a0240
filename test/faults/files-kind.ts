import type { Case, Kind } from "./case.js";
import {
  FORMATS,
  install,
  randomTables,
  tableFile,
  type Tables,
} from "./command-lines.js";
import { KEEPALIVED, LDIRECTORD } from "./configurations.js";
import { checkLeftovers } from "./link-kind.js";
import { mutated } from "./mutations.js";
import { writeConnections, writeProcFiles, PROC_FILES } from "./proc-files.js";
import { anyServer, rulesOf } from "./random-rules.js";
import { broken, checkWords, isBetween, stateOf } from "./verdict.js";
import type { CommandLine, Result } from "./world.js";

/** Files are changed byte by byte: tables in every format, configurations, files of procfs, saved weights. */
export const filesKind: Kind = {
  name: "files",
  share: 30,
  async run(one) {
    const { random, world, note } = one;
    const tables = randomTables(random);
    writeConnections(random, world);
    await install(world, tables.before);
    const choice = random.next();
    if (choice < 0.5) return tableCase(one, tables);
    if (choice < 0.65) return configurationCase(one);
    if (choice < 0.75) return savedWeightCase(one, tables);
    writeProcFiles(world);
    const name = random.pick(PROC_FILES);
    const text = mutated(random, world.read(name) ?? "");
    world.write(name, text);
    note(`${name}:\n${JSON.stringify(text)}`);
    const words = random.pick(READING_PROC);
    await readingCase(one, { words });
    return name.replace(/^.*\//, "");
  },
};

const READING_PROC: readonly (readonly string[])[] = [
  ["connections"],
  ["connections", "-o", "json"],
  ["connections", "--top", "client"],
  ["connections", "--count", "--templates"],
  ["-L", "-n", "-c"],
  ["-L", "-n"],
  ["status"],
  ["status", "-o", "json"],
  ["metrics"],
  ["doctor"],
  ["doctor", "-o", "json"],
  ["list"],
];

/** Runs a command that only reads. */
async function readingCase(
  { world, note }: Case,
  line: CommandLine,
): Promise<Result> {
  const before = stateOf(world.kernel);
  note(`command ${line.words.join(" ")}`);
  const result = await world.run(line);
  note(
    `exit status ${result.status}\nstdout ${result.stdout}\nstderr ${result.stderr}`,
  );
  checkWords(line, result);
  if (stateOf(world.kernel).text !== before.text)
    broken("the table was changed");
  return result;
}

/** A table in a file, mutated, and what `check`, `diff`, `apply`, `restore` and the classic programs make of it. */
async function tableCase(one: Case, tables: Tables): Promise<string> {
  const { random, world, note } = one;
  const format = random.pick(FORMATS);
  const path = await tableFile(world, tables.wanted, format);
  const name = `wanted.${format}`;
  const text = mutated(random, world.read(name) ?? "");
  world.write(name, text);
  note(`table\n${rulesOf(tables.before)}\nfile ${JSON.stringify(text)}`);
  if (format === "rules" && random.chance(0.4)) await classicCase(one, text);
  else if (random.chance(0.3)) {
    const words = random.pick([
      ["check", path],
      ["check", path, "-o", "json"],
      ["check", path, "-o", "sarif"],
      ["check", path, "-o", "github"],
      ["diff", path],
      ["setup", path],
    ]);
    await readingCase(one, { words });
  } else await applyCase(one, path);
  return `table in ${format}`;
}

/** `apply` makes the table of the file, or leaves the table as it is. */
async function applyCase(one: Case, path: string): Promise<void> {
  const { random, world, note } = one;
  const before = stateOf(world.kernel);
  const check = await readingCase(one, {
    words: ["check", "-q", "--no-resolve", path],
  });
  const name = random.pick(["apply", "restore"]);
  const line = { words: [name, path] };
  note(`command ${line.words.join(" ")}`);
  const result = await world.run(line);
  note(
    `exit status ${result.status}\nstdout ${result.stdout}\nstderr ${result.stderr}`,
  );
  checkWords(line, result);
  const now = stateOf(world.kernel);
  if (result.status !== 0) {
    if (now.text !== before.text)
      broken(`it failed, but the table is\n${now.text}`);
  } else {
    if (check.status !== 0) broken(`${name} took a file that check refuses`);
    const diff = await world.run({ words: ["diff", path] });
    if (diff.status !== 0)
      broken(`after ${name}, diff finds\n${diff.stdout}${diff.stderr}`);
  }
  checkLeftovers(one);
}

/** `-R` and ipvsadm-restore. The latter reads all rules before it clears the table. */
async function classicCase(one: Case, text: string): Promise<void> {
  const { random, world, note } = one;
  const before = stateOf(world.kernel);
  const line: CommandLine = random.chance(0.5)
    ? { words: ["-R"], stdin: text }
    : { words: [], program: "ipvsadm-restore", stdin: text };
  note(`command ${line.program ?? "ipvsadm -R"}`);
  const result = await world.run(line);
  note(
    `exit status ${result.status}\nstdout ${result.stdout}\nstderr ${result.stderr}`,
  );
  checkWords(line, result);
  const now = stateOf(world.kernel);
  const isSyntax = /^ipvsadm-restore|^line \d|line \d+/m.test(result.stderr);
  if (line.program && isSyntax && result.status !== 0)
    if (
      now.text !== before.text &&
      !isBetween(now, before, now, "may lack rows")
    )
      broken(`a wrong line, and the table is\n${now.text}`);
}

/** A configuration of keepalived or ldirectord, mutated. */
async function configurationCase(one: Case): Promise<string> {
  const { random, world, note } = one;
  const keepalived = random.chance(0.5);
  const name = keepalived ? "keepalived.conf" : "ldirectord.cf";
  const text = mutated(random, keepalived ? KEEPALIVED : LDIRECTORD);
  world.write(name, text);
  note(`${name} ${JSON.stringify(text)}`);
  const path = world.path(name);
  const words = random.pick([
    ["check", path],
    ["check", path, "-o", "json"],
    ["diff", path],
    ["setup", path],
    ["apply", path],
  ]);
  // `apply` may take a file that no longer looks like a configuration, but then it is one of rules.
  if (words[0] === "apply") await applyCase(one, path);
  else await readingCase(one, { words });
  return name;
}

/** `undrain` with a saved weight that was mutated: it sets that weight, or says that it is no weight. */
async function savedWeightCase(one: Case, { before }: Tables): Promise<string> {
  const { random, world, note } = one;
  const server = anyServer(random, before);
  if (!server) return "no server";
  const [service, name] = server;
  await world.run({ words: ["drain", service, name] });
  const [file] = world
    .files()
    .filter((one) => /run\/ipvsadm\/drained\/./.test(one));
  if (file === undefined) return "saved weight, none";
  const text = mutated(random, world.read(file) ?? "");
  world.write(file, text);
  note(`${file} ${JSON.stringify(text)}`);
  const state = stateOf(world.kernel);
  const line = { words: ["undrain", service, name] };
  const result = await world.run(line);
  note(
    `exit status ${result.status}\nstdout ${result.stdout}\nstderr ${result.stderr}`,
  );
  checkWords(line, result);
  const weight = /^weight ([1-9][0-9]*)\n$/.exec(text)?.[1];
  const now = stateOf(world.kernel);
  const isSet = now.text !== state.text;
  const isWeight = weight !== undefined && Number(weight) < 2 ** 31;
  if (isSet && weight === undefined && !/^weight 0*[1-9]/.test(text))
    broken(`a weight was set from ${JSON.stringify(text)}`);
  if (isSet && isWeight && !now.text.includes(`"weight":${weight}`))
    broken(`not the weight ${weight}:\n${now.text}`);
  if (result.status === 0 && !isSet)
    broken("exit status 0, but nothing was set");
  return "saved weight";
}
