import type { Random } from "../compat/random.js";
import {
  anyServer,
  changedTable,
  randomTable,
  rulesOf,
  type RandomTable,
} from "./random-rules.js";
import type { CommandLine, World } from "./world.js";

/** A table, and a command line that reads or changes it. */
export interface Scenario {
  readonly line: CommandLine;
  /** What the command does to the table: nothing; all or nothing; or its changes one by one */
  readonly effect: "reads" | "all or nothing" | "one by one" | "clears first";
  /** Its output is the same each time */
  readonly repeats?: boolean;
  /** It runs until another program has changed the table */
  readonly waitsForChanges?: boolean;
  /** It runs until a signal */
  readonly endless?: boolean;
}

export interface Tables {
  readonly before: RandomTable;
  readonly wanted: RandomTable;
}

export function randomTables(random: Random): Tables {
  const before = randomTable(random, 1);
  return { before, wanted: changedTable(random, before) };
}

/** Puts a table into the kernel of a world, by our own -R. */
export async function install(world: World, table: RandomTable): Promise<void> {
  const { status, stderr } = await world.run({
    words: ["-R"],
    stdin: rulesOf(table),
  });
  if (status !== 0) throw new Error(`the table was refused: ${stderr}`);
}

/** A file with a table, in one of the formats. @returns its path */
export async function tableFile(
  world: World,
  table: RandomTable,
  format: "rules" | "json" | "yaml",
): Promise<string> {
  const path = world.path(`wanted.${format}`);
  if (format === "rules") {
    world.write("wanted.rules", rulesOf(table));
    return path;
  }
  const { kernel } = world;
  world.newKernel();
  await install(world, table);
  const { status, stderr } = await world.run({
    words: ["save", path, "-o", format],
  });
  if (status !== 0) throw new Error(`save failed: ${stderr}`);
  world.kernel = kernel;
  return path;
}

export const FORMATS = ["rules", "json", "yaml"] as const;
/** A machine that is a real server of several services. */
export const MACHINE = "10.0.0.11";

const READING: readonly (readonly string[])[] = [
  ["-Ln"],
  ["-L", "-n", "--stats"],
  ["-L", "-n", "--rate"],
  ["-L", "-n", "--exact", "--sort"],
  ["-Sn"],
  ["-L", "-n", "-c"],
  ["-L", "--timeout"],
  ["-L", "--daemon"],
  ["list"],
  ["list", "-o", "json"],
  ["list", "-o", "yaml"],
  ["list", "-o", "csv"],
  ["list", "--sort", "active"],
  ["connections"],
  ["connections", "-o", "json"],
  ["connections", "--top", "client"],
  ["connections", "--count"],
  ["status"],
  ["status", "-o", "json"],
  ["watch", "--count", "1"],
  ["watch", "--count", "1", "-o", "ndjson"],
  ["metrics"],
  ["metrics", "--services-only"],
  ["setup"],
  ["doctor"],
  ["doctor", "-o", "json"],
  ["doctor", "--client", "198.51.100.7"],
  ["wait", "--for", "drained", "--timeout", "3s"],
  ["help"],
  ["save", "-"],
  ["save", "-", "-o", "json"],
  ["complete", "bash", "ipvsadm drain tcp/", "", " \t\n"],
];

/** Commands whose output has times, or that leave out what they cannot read. */
const VARYING = new Set(["metrics", "complete", "doctor"]);

const CHANGING: readonly (readonly string[])[] = [
  ["-A", "-t", "192.0.2.9:80", "-s", "rr"],
  ["-D", "-t", "192.0.2.1:80"],
  ["-E", "-t", "192.0.2.1:80", "-s", "wrr"],
  ["-a", "-t", "192.0.2.1:80", "-r", "10.0.0.19:80", "-m"],
  ["-C"],
  ["-Z"],
  ["--set", "10", "20", "30"],
  ["--start-daemon", "master", "--mcast-interface", "lo"],
  ["--stop-daemon", "master"],
];

/** A scenario of any command that needs the kernel. The kernel has the table `before`. */
export async function randomScenario(
  random: Random,
  world: World,
  tables: Tables,
): Promise<Scenario> {
  const choice = random.next();
  if (choice < 0.3) return readingScenario(random, tables);
  if (choice < 0.34) {
    const path = await tableFile(world, tables.wanted, random.pick(FORMATS));
    const words = random.pick([
      ["diff", path],
      ["diff", path, "-o", "json"],
      ["apply", path, "--dry-run"],
    ]);
    return { line: { words }, effect: "reads", repeats: true };
  }
  if (choice < 0.36) return servingScenario(random, world);
  if (choice < 0.44) {
    const words = random.pick(CHANGING);
    return { line: { words }, effect: "one by one" };
  }
  if (choice < 0.48)
    return {
      line: { words: ["-R"], stdin: rulesOf(tables.wanted) },
      effect: "one by one",
    };
  if (choice < 0.52)
    return {
      line: {
        words: [],
        program: "ipvsadm-restore",
        stdin: rulesOf(tables.wanted),
      },
      effect: "clears first",
    };
  return changingScenario(random, world, tables);
}

function readingScenario(random: Random, { before }: Tables): Scenario {
  let words = random.pick(READING);
  const [name] = words;
  if (name === "wait") {
    const server = anyServer(random, before);
    words = server
      ? ["wait", server[0], server[1], ...words.slice(1)]
      : ["list"];
  }
  return {
    line: { words },
    effect: "reads",
    repeats: !VARYING.has(String(name)),
  };
}

/** A command that does not end by itself: a server for HTTP, or one that prints changes. */
function servingScenario(random: Random, world: World): Scenario {
  const listen = ["--listen", `unix:${world.path("socket")}`];
  const words = random.pick([
    ["serve", ...listen],
    ["metrics", ...listen],
    ["monitor", "--count", "2"],
    ["watch", "--events", "--count", "2"],
  ]);
  if (!words.includes("--listen"))
    return { line: { words }, effect: "reads", waitsForChanges: true };
  return { line: { words }, effect: "reads", endless: true };
}

/** A scenario of a subcommand that changes the table: apply, restore, drain or undrain. */
export async function changingScenario(
  random: Random,
  world: World,
  { before, wanted }: Tables,
): Promise<Scenario> {
  const effect = "all or nothing";
  const choice = random.next();
  const server = anyServer(random, before);
  if (choice < 0.65 || !server) {
    const path = await tableFile(world, wanted, random.pick(FORMATS));
    const options = random.pick([
      [],
      ["--backup", world.path("backup.json")],
      ["--drain", "--timeout", "3s"],
      ["-o", "json"],
      ["-q"],
    ]);
    const drains = options.includes("--drain");
    const name = drains ? "apply" : random.pick(["apply", "apply", "restore"]);
    const keeps = name === "apply" && random.chance(0.2);
    const words = [name, path, ...(keeps ? ["--no-prune"] : []), ...options];
    return { line: { words }, effect };
  }
  const [service, name] = server;
  if (choice < 0.9) {
    const words = random.pick([
      ["drain", service, name],
      ["drain", service, name, "-o", "json"],
      ["drain", service, name, "--wait", "--timeout", "3s"],
      ["drain", "--all-services", MACHINE],
    ]);
    return { line: { words }, effect };
  }
  const words = random.pick([
    ["undrain", service, name, "--weight", "3"],
    ["undrain", "--all-services", MACHINE, "--weight", "4"],
  ]);
  return { line: { words }, effect };
}
