import { accessSync, constants, readdirSync } from "node:fs";
import { join } from "node:path";
import { textOf } from "./files.js";

/** A kernel module, as far as it can be seen. */
export interface Module {
  /** `built in` as well where the kernel does not list its modules */
  readonly state: "loaded" | "built in" | "absent";
  /** How many use it, modules among them; known if it is loaded */
  readonly references?: number | undefined;
  /** The modules that use it */
  readonly users: readonly string[];
  /** Its parameters that can be read, such as conn_tab_bits */
  readonly parameters: Readonly<Record<string, string>>;
}

/**
 * Looks at a kernel module.
 *
 * @param procFolder where procfs is
 * @param sysFolder where sysfs is
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
 * What becomes of modules when they are asked for: each is there already (loaded, or built in), can be loaded, or is
 * not to be had. Of a kernel whose modules cannot be seen nothing is known.
 *
 * @param modulesFolder where the modules of all kernels are: `/lib/modules`
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

/** The network interfaces of this namespace that can carry multicast. */
export function multicastInterfaces(sysFolder: string): string[] {
  const folder = join(sysFolder, "class/net");
  return namesIn(folder).filter(
    (name) => Number(textOf(join(folder, name, "flags")) ?? 0) & MULTICAST,
  );
}

/**
 * The files of a folder that can be read, by their names: settings of the kernel, a line each.
 *
 * @param wanted the names of those to read; all without it
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

/** Whether this process may read a file, and there is one. */
export function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** The names of what a folder has, in order; none if it cannot be read. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
