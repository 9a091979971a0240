#!/usr/bin/env node
import { beginsWithWord, main } from "../src/main.js";
import { nodeIo } from "../src/node-io.js";
import { commandWords } from "../src/system/process.js";

/** The word verbs are a bundle of their own: what the classic commands load stays small. */
async function run(words: readonly string[]): Promise<number> {
  if (beginsWithWord(words)) {
    const { runWords } = await import("./verbs.js");
    const status = await runWords(words);
    if (status !== undefined) return status;
  }
  return main(words, nodeIo());
}

void run(commandWords()).then((status) => process.exit(status));
