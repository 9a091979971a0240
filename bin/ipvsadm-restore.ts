#!/usr/bin/env node
import { mainRestore } from "../src/main.js";
import { nodeIo } from "../src/runtime/node-io.js";

void mainRestore(nodeIo()).then((status) => process.exit(status));
