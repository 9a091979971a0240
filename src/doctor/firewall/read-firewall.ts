import { INET, INET6, type Family } from "../../ipvs/address.js";
import {
  isReadable,
  moduleStates,
  namesIn,
} from "../../system/kernel-module.js";
import { textOf } from "../../system/files.js";
import type { ProgramOutput, RunProgram } from "../../system/program-output.js";
import { parseIptablesSave } from "./iptables-save.js";
import { parseNftJson } from "./nft-json.js";
import type { Ruleset, Table } from "./ruleset.js";

/** The firewall of a network namespace, as far as it could be read. */
export interface Firewall extends Ruleset {
  /** What could not be read, with the reason: `nft rules (nft is not installed)` */
  readonly unread: readonly string[];
  /** The programs of the legacy variant of iptables, where no other works, as far as is known: the kernel has its tables, and no nf_tables */
  readonly legacyPrograms?: ReadonlyMap<Family, string>;
}

/** Where the firewall is read from. */
export interface FirewallSources {
  readonly procFolder: string;
  readonly sysFolder: string;
  readonly modulesFolder: string;
  readonly run: RunProgram;
}

const FOLDERS = ["/usr/sbin", "/sbin"];

const FAMILIES = [
  { family: INET, prefix: "iptables", names: "ip_tables_names" },
  { family: INET6, prefix: "ip6tables", names: "ip6_tables_names" },
] as const satisfies readonly {
  family: Family;
  prefix: string;
  names: string;
}[];

/** Reads the rules of nft and of both variants of iptables. It loads no module and changes nothing. */
export async function readFirewall(
  sources: FirewallSources,
): Promise<Firewall> {
  const tables: Table[] = [];
  const unread: string[] = [];
  for (const one of FAMILIES)
    await readLegacy(sources, one, { tables, unread });
  const nft = stateOfNft(sources);
  await readNft(sources, nft, { tables, unread });
  const legacyPrograms =
    nft === "there" || nft === "loadable"
      ? undefined
      : await findLegacyPrograms(sources, tables);
  return { tables, unread, ...(legacyPrograms && { legacyPrograms }) };
}

function stateOfNft({
  procFolder,
  sysFolder,
  modulesFolder,
}: FirewallSources): ReturnType<ReturnType<typeof moduleStates>["get"]> {
  return moduleStates(["nf_tables"], procFolder, sysFolder, modulesFolder).get(
    "nf_tables",
  );
}

/** The programs for families without tables. Tables name theirs. */
async function findLegacyPrograms(
  { procFolder, run }: FirewallSources,
  tables: readonly Table[],
): Promise<ReadonlyMap<Family, string>> {
  const existing = namesIn(`${procFolder}/net`);
  const programs = new Map<Family, string>();
  for (const { family, prefix, names } of FAMILIES) {
    if (!existing.includes(names)) continue;
    if (tables.some(({ families }) => families.includes(family))) continue;
    const program = await findProgram(run, prefix, "legacy");
    if (program) programs.set(family, program.name);
  }
  return programs;
}

/** What has been read so far */
interface Reading {
  readonly tables: Table[];
  readonly unread: string[];
}

/**
 * Reads the tables that exist: iptables-save of another table would create it.
 *
 * @see /proc/net/ip_tables_names of net/netfilter/x_tables.c
 */
async function readLegacy(
  { procFolder, run }: FirewallSources,
  { family, prefix, names }: (typeof FAMILIES)[number],
  { tables, unread }: Reading,
): Promise<void> {
  const folder = `${procFolder}/net`;
  if (!namesIn(folder).includes(names)) return; // the kernel has no such rules
  if (!isReadable(`${folder}/${names}`)) {
    unread.push(`${prefix} rules (reading them needs root)`);
    return;
  }
  const existing = (textOf(`${folder}/${names}`) ?? "")
    .split("\n")
    .filter((name) => name !== "");
  if (existing.length === 0) return;
  const program = await findProgram(run, prefix, "legacy");
  if (program === undefined) {
    unread.push(`${prefix} rules (${prefix}-legacy-save is not installed)`);
    return;
  }
  for (const table of existing) {
    const output = await run(program.path, ["-c", "-t", table]);
    if ("text" in output)
      tables.push(...parseIptablesSave(output.text, family, program.name));
    else unread.push(`${prefix} table ${table} (${reasonOf(output)})`);
  }
}

async function readNft(
  { run }: FirewallSources,
  state: ReturnType<typeof stateOfNft>,
  { tables, unread }: Reading,
): Promise<void> {
  if (state === undefined) {
    unread.push("nft rules (unknown whether the kernel has nf_tables)");
    return;
  }
  if (state !== "there") return; // a kernel without nf_tables has no such rules
  const output = await firstOf(run, "nft", ["-j", "list", "ruleset"]);
  const native = readNftOutput(output);
  if (typeof native === "string") unread.push(`nft rules (${native})`);
  const mine = typeof native === "string" ? [] : native.tables;
  if (typeof native !== "string" && native.otherFamilies.length > 0)
    unread.push(
      `nft tables of the families ${native.otherFamilies.join(", ")} (doctor follows IP packets only)`,
    );
  const compatible =
    typeof native === "string" ||
    ("text" in output ? output.text : "").includes('"xt"')
      ? await readIptablesNft(run, unread)
      : [];
  // nft lists the tables of iptables-nft, too, but not what their matches mean.
  const replaced = new Set(compatible.map(nameOf));
  tables.push(
    ...mine.filter((table) => !replaced.has(nameOf(table))),
    ...compatible,
  );
}

function nameOf({ nftFamily, name }: Table): string {
  return `${nftFamily} ${name}`;
}

/** @returns the reason in words if there is nothing to read */
function readNftOutput(
  output: ProgramOutput,
): ReturnType<typeof parseNftJson> | string {
  if (!("text" in output)) return reasonOf(output, "nft");
  try {
    return parseNftJson(output.text);
  } catch (error) {
    if (error instanceof SyntaxError) return "nft printed no JSON";
    throw error;
  }
}

async function readIptablesNft(
  run: RunProgram,
  unread: string[],
): Promise<Table[]> {
  const tables: Table[] = [];
  for (const { family, prefix } of FAMILIES) {
    const program = await findProgram(run, prefix, "nf_tables");
    if (program === undefined) {
      unread.push(
        `rules of ${prefix}-nft (${prefix}-nft-save is not installed)`,
      );
      continue;
    }
    const output = await run(program.path, ["-c"]);
    if ("text" in output)
      tables.push(...parseIptablesSave(output.text, family, program.name));
    else unread.push(`rules of ${prefix}-nft (${reasonOf(output)})`);
  }
  return tables;
}

/** Finds iptables-save of a variant. Where there is only one variant its name has no suffix. */
async function findProgram(
  run: RunProgram,
  prefix: string,
  variant: "legacy" | "nf_tables",
): Promise<{ path: string; name: string } | undefined> {
  const suffix = variant === "legacy" ? "legacy" : "nft";
  for (const name of [`${prefix}-${suffix}`, prefix])
    for (const folder of FOLDERS) {
      const path = `${folder}/${name}-save`;
      const output = await run(path, ["-V"]);
      if (!("text" in output)) continue;
      // Before the two variants existed there was only the legacy one, which names none.
      const isNft = output.text.includes("nf_tables");
      if (isNft === (variant === "nf_tables")) return { path, name };
    }
  return undefined;
}

async function firstOf(
  run: RunProgram,
  name: string,
  args: readonly string[],
): Promise<ProgramOutput> {
  for (const folder of FOLDERS) {
    const output = await run(`${folder}/${name}`, args);
    if (!("failed" in output && output.failed === "not installed"))
      return output;
  }
  return { failed: "not installed" };
}

function reasonOf(
  output: Exclude<ProgramOutput, { text: string }>,
  name = "the program",
): string {
  return output.failed === "not installed"
    ? `${name} is not installed`
    : output.reason;
}
