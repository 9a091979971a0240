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

/** The files of a folder that can be read, by their names: settings of the kernel, a line each. */
export function readFolder(folder: string): Record<string, string> {
  const values: [string, string][] = [];
  for (const name of namesIn(folder)) {
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

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
