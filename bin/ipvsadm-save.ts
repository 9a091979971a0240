#!/usr/bin/env node
import { mainSave } from "../src/main.js";
import { nodeIo } from "../src/runtime/node-io.js";
import { commandWords } from "../src/system/process.js";

void mainSave(commandWords(), nodeIo()).then((status) => process.exit(status));
