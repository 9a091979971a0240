import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { suite, test } from "node:test";
import { bash, LIGHT, run, SANITIZED } from "./programs.js";

const NO_IPVS =
  "Are you sure that IP Virtual Server is built in the kernel or as module?\n";

/** Of sys/prctl.h, and the number of prctl() on each processor. */
const [PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN] = [65, 1];
const PRCTL = { x64: 157, arm64: 167 }[process.arch as "x64" | "arm64"];
/** Runs a command whose memory may not become executable, as systemd does with MemoryDenyWriteExecute=yes. */
const NO_EXECUTABLE_MEMORY = [
  "perl",
  "-e",
  `syscall(${PRCTL}, ${PR_SET_MDWE}, ${PR_MDWE_REFUSE_EXEC_GAIN}, 0, 0, 0) == 0 or exit 69; exec @ARGV`,
];

for (const [label, program] of Object.entries({
  "the light program": LIGHT,
  "the light program with sanitizers": SANITIZED,
}))
  suite(label, () => {
    test("prints its version, and its help", () => {
      assert.match(run([program, "--version"]).stdout, /^ipvsadm v1\.31 /);
      assert.match(run([program, "-h"]).stdout, /^Commands:$/m);
    });

    test("goes by the name that it is called by", () => {
      const words = [program, "-x"];
      const saved = run(words, { argv0: "/usr/sbin/ipvsadm-save" });
      assert.match(saved.stderr, /^ipvsadm-save: Script to save/);
      assert.equal(
        run(words, { argv0: "other" }).stderr,
        "Try `other -h' or 'other --help' for more information.\n",
      );
    });

    test("repeats words that are not UTF-8", () => {
      const { stderr, status } = bash("\"$0\" -L $'-\\xff\\xfe'", program);
      assert.deepEqual([stderr, status], ["-\xff\xfe: unknown option\n", 255]);
    });

    test("ends with the status of SIGPIPE when nobody reads its output", () => {
      const { stderr, stdout } = bash(
        // The reader has ended before the program writes.
        'trap "" PIPE; exec 3> >(:); wait $!; "$0" -h >&3; echo $? >&2; exit 0',
        program,
      );
      assert.deepEqual([stdout, stderr], ["", "141\n"]);
    });

    test("does not look whether the disk is full, as the original", () => {
      const { stderr, status } = bash('"$0" --version >/dev/full', program);
      assert.deepEqual([stderr, status], ["", 0]);
    });

    test("runs without standard streams", () => {
      assert.equal(bash('"$0" --version <&- >&- 2>&-', program).status, 0);
      assert.equal(bash('"$0" -R <&- 2>&1', program).status, 2);
    });

    test("runs in a folder that was deleted", () => {
      const { stdout } = bash(
        'mkdir /tmp/gone.$$ && cd /tmp/gone.$$ && rmdir /tmp/gone.$$ && "$0" --version',
        program,
      );
      assert.match(stdout, /^ipvsadm v/);
    });

    test("is ended by SIGINT and SIGTERM while it waits for input", () => {
      for (const [signal, status] of [
        ["INT", 130],
        ["TERM", 143],
      ] as const) {
        // Without IPVS, ipvsadm-restore still reads all of its input first.
        const outcome = bash(
          `mkfifo /tmp/input.$$ && exec 3<>/tmp/input.$$ && rm /tmp/input.$$
           (trap - ${signal}; exec -a ipvsadm-restore "$0") <&3 & child=$!
           until [ "$(cut -d" " -f3 /proc/$child/stat)" = S ] && grep -q restore /proc/$child/cmdline; do sleep 0.01; done
           kill -${signal} $child; wait $child`,
          program,
        );
        assert.equal(outcome.status, status, signal);
      }
    });
  });

test("the light program has at most 2 MB", () => {
  assert.ok(statSync(LIGHT).size <= 2_000_000);
});

suite("the light program with little memory", () => {
  test("runs in 64 MB of address space", () => {
    const { stderr, status } = bash(
      'ulimit -v 65536; "$0" --version >/dev/null && "$0" -Ln',
      LIGHT,
    );
    assert.ok(stderr.endsWith(NO_IPVS), stderr);
    assert.equal(status, 2);
  });

  test("runs when its memory may not become executable", (t) => {
    const limited = (...words: string[]) =>
      run([...NO_EXECUTABLE_MEMORY, ...words]);
    if (limited("true").status === 69) {
      t.skip("the kernel has no PR_SET_MDWE");
      return;
    }
    assert.match(limited(LIGHT, "--version").stdout, /^ipvsadm v/);
    assert.ok(limited(LIGHT, "-Ln").stderr.endsWith(NO_IPVS));
  });

  test("says so in one line when there is none", () => {
    const { stderr, status } = bash('ulimit -v 2500; "$0" -Ln', LIGHT);
    assert.equal(stderr, "ipvsadm: out of memory\n");
    assert.equal(status, 1);
  });
});
