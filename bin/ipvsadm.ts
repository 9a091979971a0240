#!/usr/bin/env node
import { main } from "../src/main.js";
import { nodeIo } from "../src/node-io.js";
import { commandWords } from "../src/system/process.js";

/** The word verbs are a bundle of their own: what the classic commands load stays small. */
const runWords = async (words: readonly string[]) =>
  (await import("./verbs.js")).runWords(words);

void main(commandWords(), nodeIo(), runWords).then((status) =>
  process.exit(status),
);
