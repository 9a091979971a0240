#!/usr/bin/env node
import { mainRestore } from "../src/main.js";
import { systemIo } from "../src/system-io.js";

process.exit(await mainRestore(systemIo()));
