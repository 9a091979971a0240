/**
 * `node resident-program.js`: runs command lines of ours, of which it reads one a line as a list of words, and prints
 * what came of each. Ends with its standard input.
 */
import { createInterface } from "node:readline";
import { ours } from "../../lab/program.js";

for await (const line of createInterface(process.stdin))
  console.log(JSON.stringify(await ours(JSON.parse(line) as string[])));
