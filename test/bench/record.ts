/*
 * record.js FILE WORD...: runs ipvsadm with these arguments in this process, without output. Writes
 * its netlink datagrams, and which files it read, into FILE.
 */
import { writeFileSync } from "node:fs";
import { main } from "../../src/main.js";
import { nodeIo } from "../../src/runtime/node-io.js";
import { packSteps, Recorder } from "./recording.js";

const [file = "", ...words] = process.argv.slice(2);
const recorder = new Recorder();
const io = nodeIo();
const status = await main(
  words,
  {
    ...io,
    openLink: async () => recorder.tap(await io.openLink()),
    kernelTable() {
      recorder.read("/proc/net/ip_vs");
      return io.kernelTable();
    },
    stdout: () => undefined,
    stdoutBytes: () => undefined,
  },
  () => Promise.reject(new Error("the bench times no subcommands")),
);
writeFileSync(file, packSteps(recorder.steps));
process.exit(status);
