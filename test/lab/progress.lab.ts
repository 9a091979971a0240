import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test, type TestContext } from "node:test";
import { eventually } from "./eventually.js";
import { installPrograms } from "./installed.js";
import { sh } from "./namespaces.js";
import { Pane } from "./pane.js";
import { ours } from "./program.js";

const folder = mkdtempSync(join(tmpdir(), "ipvsadm-progress."));
const pipe = join(folder, "pipe");

/** Runs a restore in a terminal. The test writes its rules. */
async function restoring(
  t: TestContext,
  command: string,
  act: (
    terminal: Pane,
    write: (rules: string) => void,
    end: () => void,
  ) => Promise<void>,
): Promise<void> {
  const { error } = spawnSync("tmux", ["-V"]);
  if (error) {
    if (process.env["CI"]) throw error;
    t.skip(`tmux cannot be run: ${error.message}`);
    return;
  }
  sh(`rm -f ${pipe}; mkfifo ${pipe}`);
  using terminal = new Pane(
    120,
    30,
    `cd ${folder}; PATH=${installPrograms()}:$PATH PS1='$ ' exec bash --norc --noprofile -i`,
  );
  try {
    await terminal.shows(/^\$/m);
    terminal.type(`${command} < pipe; echo status $?`);
    terminal.press("Enter");
    const descriptor = openSync(pipe, "w"); // waits for the reader
    await act(
      terminal,
      (rules) => writeSync(descriptor, rules),
      () => {
        closeSync(descriptor);
      },
    );
  } finally {
    await ours(["-C"]);
  }
}

/** Writes rules until a text appears in the terminal. */
async function until(
  pattern: RegExp,
  terminal: Pane,
  write: (rules: string) => void,
): Promise<void> {
  const screen = await eventually(
    () => {
      write("# nothing to do\n");
      return Promise.resolve(terminal.screen);
    },
    (screen) => pattern.test(screen),
  );
  assert.match(screen, pattern);
}

const LINE = String.raw`ipvsadm: restoring: \d+ lines, \d+/s$`;

suite("progress in a terminal", () => {
  test("a long restore shows its progress after its error messages, and erases the line", (t) =>
    restoring(t, "ipvsadm -R", async (terminal, write, end) => {
      write("-A -t 192.0.2.1:80 -s rr\n");
      await until(new RegExp(`^${LINE}`, "m"), terminal, write);
      write("-D -t 192.0.2.9:9\n");
      await until(
        new RegExp(`^No such service\n${LINE}`, "m"),
        terminal,
        write,
      );
      write("-S -n\n");
      await until(new RegExp(`^-A .*\n${LINE}`, "m"), terminal, write);
      end();
      const screen = await terminal.shows(/^status 0\n\$$/m);
      assert.match(
        screen,
        /status \$\?\nNo such service\n-A -t 192\.0\.2\.1:80 -s rr\nstatus 0\n\$$/,
      );
    }));

  test("IPVSADM_PROGRESS=never shows no progress", (t) =>
    restoring(
      t,
      "IPVSADM_PROGRESS=never ipvsadm -R",
      async (terminal, write, end) => {
        const began = Date.now();
        await eventually(
          () => {
            write("# nothing to do\n");
            return Promise.resolve(Date.now() - began);
          },
          (milliseconds) => milliseconds > 2000,
        );
        write("-D -t 192.0.2.9:9\n");
        const screen = await terminal.shows(/^No such service$/m);
        assert.doesNotMatch(screen, /restoring/);
        end();
        await terminal.shows(/^status 255$/m);
      },
    ));
});
