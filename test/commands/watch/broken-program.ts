/**
 * `node broken-program.js FAULT`: `ipvsadm watch` on the terminal it is started in, on a kernel that breaks at the
 * second reading, or on a program that does: what a bug would do.
 *
 *   throw    an exception that nobody catches
 *   reject   a promise that nobody waits for
 *   read     an exception within a reading
 *   exit     something ends the process
 *   refuse   the kernel no longer answers us: no bug, and no crash
 */
import { nodeIo } from "../../../src/runtime/node-io.js";
import { mainSubcommands } from "../../../src/subcommands.js";
import {
  scriptedKernel,
  GET_SERVERS,
  GET_SERVICE,
} from "../../classic/scripted-kernel.js";
import { MASQUERADED_SERVER, SERVICE } from "../../fixtures/replies.js";

const EPERM = 1;
const [fault = ""] = process.argv.slice(2);
const FAULTS: Readonly<Record<string, () => void>> = {
  throw: () => setTimeout(bug, 0),
  reject: () => void Promise.resolve().then(bug),
  read: bug,
  exit: () => process.exit(9),
  refuse: () => undefined,
};

let readings = 0;
const link = scriptedKernel((command) => {
  if (command === GET_SERVERS) return { messages: [MASQUERADED_SERVER] };
  if (command === GET_SERVICE && ++readings > 1) {
    FAULTS[fault]?.();
    if (fault === "refuse") return { errno: EPERM };
  }
  return { messages: command === GET_SERVICE ? [SERVICE] : [] };
});

function bug(): never {
  throw new TypeError("a bug of the test");
}

const io = { ...nodeIo(), openLink: () => link };
process.exit(await mainSubcommands(["watch", "--interval", "0.5"], io));
