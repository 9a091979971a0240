#!/usr/bin/env node
import { mainSave } from "../src/main.js";
import { systemIo } from "../src/system-io.js";
import { commandWords } from "../src/system/process.js";

void mainSave(commandWords(), systemIo()).then((status) =>
  process.exit(status),
);
