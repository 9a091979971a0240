/*
 * The light program before a kernel that carries out everything: prints the datagrams that it sends, in hexadecimal
 * digits, a line each. bin/build-light makes a program of it.
 */
import "../../src/runtime/quickjs-node.js";
import { runClassic } from "../../src/classic/run.js";
import { quickjsIo } from "../../src/runtime/quickjs-io.js";
import { turn } from "../../src/runtime/quickjs-loop.js";
import { hexLine, recordingLink } from "./recording-link.js";

async function run(): Promise<number> {
  const io = quickjsIo();
  const openLink = () =>
    recordingLink((datagram) => {
      io.stdout(hexLine(datagram));
    });
  const status = await runClassic(host.words().slice(1), { ...io, openLink });
  io.flush();
  return status;
}

Object.assign(globalThis, {
  start() {
    void run().then((status) => host.exit(status));
  },
  turn,
});
