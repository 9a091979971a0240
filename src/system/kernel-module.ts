import { accessSync, constants, readdirSync } from "node:fs";
import { join } from "node:path";
import { textOf } from "./files.js";

/** The state of a kernel module. */
export interface Module {
  /** `built in` also if the kernel does not list its modules */
  readonly state: "loaded" | "built in" | "absent";
  /** Number of users, including other modules; only known for a loaded module */
  readonly references?: number | undefined;
  /** The modules that use it */
  readonly users: readonly string[];
  /** Its readable parameters, such as conn_tab_bits */
  readonly parameters: Readonly<Record<string, string>>;
}

/**
 * Reads the state of a kernel module.
 *
 * @param procFolder where procfs is mounted
 * @param sysFolder where sysfs is mounted
 */
export function readModule(
  name: string,
  procFolder: string,
  sysFolder: string,
): Module {
  const folder = join(sysFolder, "module", name);
  const line = (textOf(join(procFolder, "modules")) ?? "")
    .split("\n")
    .find((line) => line.startsWith(`${name} `));
  const parameters = readFolder(join(folder, "parameters"));
  if (line === undefined) {
    const state = isReadable(folder) ? "built in" : "absent";
    return { state, users: [], parameters };
  }
  const [, , references, users = ""] = line.split(" ");
  return {
    state: "loaded",
    references: Number(references),
    users: users.split(",").filter((user) => user !== "" && user !== "-"),
    parameters,
  };
}

/**
 * Finds out whether modules are available: `there` (loaded or built in), `loadable` or `absent`.
 * undefined if the kernel's module folder cannot be read.
 *
 * @param modulesFolder the folder with the modules of all kernels: `/lib/modules`
 */
export function moduleStates(
  names: readonly string[],
  procFolder: string,
  sysFolder: string,
  modulesFolder: string,
): Map<string, "there" | "loadable" | "absent" | undefined> {
  const release = (
    textOf(join(procFolder, "sys/kernel/osrelease")) ?? ""
  ).trim();
  const folder = join(modulesFolder, release);
  const loadable = textOf(join(folder, "modules.dep"));
  const builtIn = textOf(join(folder, "modules.builtin")) ?? "";
  const loaded = `\n${textOf(join(procFolder, "modules")) ?? ""}`;
  return new Map(
    names.map((name) => [
      name,
      loaded.includes(`\n${name} `) ||
      builtIn.includes(`/${name}.ko`) ||
      isReadable(join(sysFolder, "module", name))
        ? "there"
        : loadable === undefined
          ? undefined
          : loadable.includes(`/${name}.ko`)
            ? "loadable"
            : "absent",
    ]),
  );
}

/** IFF_MULTICAST of linux/if.h */
const MULTICAST = 0x1000;

/** The network interfaces of this namespace that support multicast. */
export function multicastInterfaces(sysFolder: string): string[] {
  const folder = join(sysFolder, "class/net");
  return namesIn(folder).filter(
    (name) => Number(textOf(join(folder, name, "flags")) ?? 0) & MULTICAST,
  );
}

/**
 * Reads files of a folder with one line each, such as kernel settings. Skips unreadable files.
 *
 * @param wanted the names of the files; by default all
 */
export function readFolder(
  folder: string,
  wanted?: ReadonlySet<string>,
): Record<string, string> {
  const values: [string, string][] = [];
  for (const name of namesIn(folder)) {
    if (wanted && !wanted.has(name)) continue;
    const text = textOf(join(folder, name));
    if (text !== undefined) values.push([name, text.trimEnd()]);
  }
  return Object.fromEntries(values);
}

/** Whether a file exists and this process may read it. */
export function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** The names in a folder, sorted; none if it cannot be read. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
