import { readdirSync } from "node:fs";

/** Where the tables of the examples are, from the root of the repository. */
export const TABLES = "examples/tables";

/** The tables by their names, without the endings that tell the format. */
export function tableNames(): string[] {
  return readdirSync(TABLES)
    .filter((file) => file.endsWith(".rules"))
    .map((file) => file.replace(/\.rules$/, ""));
}
