#!/usr/bin/env node
import { main } from "../src/main.js";
import { nodeIo } from "../src/runtime/node-io.js";
import { commandWords } from "../src/system/process.js";

/** The subcommands are a separate bundle, so that classic commands load little code. */
const runSubcommands = async (words: readonly string[]) =>
  (await import("./subcommands.js")).runSubcommands(words);

void main(commandWords(), nodeIo(), runSubcommands).then((status) =>
  process.exit(status),
);
