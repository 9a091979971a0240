import "../src/runtime/quickjs-node.js";
import { main, mainRestore, mainSave } from "../src/main.js";
import { quickjsIo } from "../src/runtime/quickjs-io.js";
import { turn } from "../src/runtime/quickjs-loop.js";
import { runSubcommands } from "../src/runtime/quickjs-subcommands.js";

/*
 * The light program: the classic options only, on QuickJS. It acts as the program by whose name it is called.
 * bin/build-light makes it.
 */

function run([program = "", ...words]: readonly string[]): Promise<number> {
  const io = quickjsIo();
  // npm replaces the launchers for Node.js with it.
  if (/ipvsadm-save(\.cjs)?$/.test(program)) return mainSave(words, io);
  if (/ipvsadm-restore(\.cjs)?$/.test(program)) return mainRestore(io);
  return main(words, io, (line) => Promise.resolve(runSubcommands(line)));
}

/** After an uncaught error the program ends as on Node.js. */
function fail(error: unknown): never {
  host.write(2, Buffer.from(`ipvsadm: ${String(error)}\n`, "latin1"));
  return host.exit(1);
}

/** bin/light/main.c calls `start` first, then `turn` as long as it returns true. */
Object.assign(globalThis, {
  start() {
    void run(host.words()).then((status) => host.exit(status), fail);
  },
  turn,
});
