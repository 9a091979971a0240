#!/usr/bin/env node
import { main } from "../src/main.js";
import { systemIo } from "../src/system-io.js";
import { commandWords } from "../src/system/process.js";

void main(commandWords(), systemIo()).then((status) => process.exit(status));
