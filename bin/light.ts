import "../src/runtime/quickjs-node.js";
import { main, mainRestore, mainSave } from "../src/main.js";
import { quickjsIo } from "../src/runtime/quickjs-io.js";
import { turn } from "../src/runtime/quickjs-loop.js";
import { runSubcommands } from "../src/runtime/quickjs-subcommands.js";

/*
 * The light program: the classic options alone, on QuickJS, under the name that it is called by. bin/build-light makes
 * it.
 */

function run([program = "", ...words]: readonly string[]): Promise<number> {
  const io = quickjsIo();
  // npm puts it in the place of the launchers for Node.js.
  if (/ipvsadm-save(\.cjs)?$/.test(program)) return mainSave(words, io);
  if (/ipvsadm-restore(\.cjs)?$/.test(program)) return mainRestore(io);
  return main(words, io, (line) => Promise.resolve(runSubcommands(line)));
}

/** An error of the program itself ends it as on Node.js. */
function fail(error: unknown): never {
  host.write(2, Buffer.from(`ipvsadm: ${String(error)}\n`, "latin1"));
  return host.exit(1);
}

/** What bin/light/main.c calls: first `start`, then `turn` as long as it returns true. */
Object.assign(globalThis, {
  start() {
    void run(host.words()).then((status) => host.exit(status), fail);
  },
  turn,
});
