/**
 * `node broken-program.js FAULT` runs `ipvsadm watch` in its terminal. At the second reading, a fault happens:
 *
 *   throw    an uncaught exception
 *   reject   an unhandled rejection
 *   read     an exception within a reading
 *   exit     the process exits
 *   refuse   the kernel refuses the request. This is not a bug, and must not look like one
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
// A long stack trace with long paths would scroll the screen that the test looks at.
Error.stackTraceLimit = 2;

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
