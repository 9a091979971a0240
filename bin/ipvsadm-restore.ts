#!/usr/bin/env node
import { mainRestore } from "../src/main.js";
import { systemIo } from "../src/system-io.js";

void mainRestore(systemIo()).then((status) => process.exit(status));
