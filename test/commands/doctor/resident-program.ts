/**
 * `node resident-program.js`: runs command lines of ours, of which it reads some a line as lists of words, at the same time,
 * and prints what came of them. Ends with its standard input.
 */
import { createInterface } from "node:readline";
import { ours } from "../../lab/program.js";

for await (const line of createInterface(process.stdin)) {
  const all = JSON.parse(line) as string[][];
  const outcomes = await Promise.all(all.map((words) => ours(words)));
  console.log(JSON.stringify(outcomes));
}
