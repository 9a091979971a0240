import assert from "node:assert/strict";
import { afterEach, suite, test } from "node:test";
import { bash as bashWith, installPrograms, PROGRAMS } from "./installed.js";
import { ours } from "./program.js";

const HINT = (program: string) =>
  `Try \`${program} -h' or '${program} --help' for more information.\n`;

// Tests that need a process of its own: how it is called, which privileges it has, and how it ends.
suite("the program as a process", () => {
  const folder = installPrograms();
  const bash = (line: string, stdin?: string) => bashWith(folder, line, stdin);
  afterEach(() => ours(["-C"]));

  test("-A adds a service and -Ln lists it", () => {
    const { stdout, stderr, status } = bash(
      "ipvsadm -A -t 10.0.0.1:80 -s rr && ipvsadm -Ln",
    );
    assert.equal(stderr, "");
    assert.match(stdout, /^TCP {2}10\.0\.0\.1:80 rr$/m);
    assert.equal(status, 0);
  });

  test("the hint contains the name by which the program was called", () => {
    assert.equal(bash("ipvsadm -Q").stderr, HINT("ipvsadm"));
    const other = `${PROGRAMS}ipvsadm.cjs`;
    assert.equal(bash(`${other} -Q`).stderr, HINT(other));
  });

  test("arguments that are not UTF-8 are printed unchanged", () => {
    const { stderr, status } = bash("ipvsadm -L $'-\\xff\\xfe'");
    assert.equal(stderr, "-\xff\xfe: unknown option\n");
    assert.equal(status, 255);
  });

  test("the program loads the module if needed", (t) => {
    if (process.env["LAB_KERNEL"] !== "uml") {
      t.skip("unloads the module, which others may use on this kernel");
      return;
    }
    const { stdout, stderr, status } = bash(
      "modprobe -r ip_vs_mh ip_vs_rr ip_vs_wlc ip_vs_pe_sip 2>/dev/null; rmmod $(lsmod | awk '/^ip_vs_/ {print $1}') ip_vs 2>&1 && ! test -e /proc/net/ip_vs && ipvsadm -Ln",
    );
    assert.equal(stderr, "", stdout);
    assert.match(stdout, /^IP Virtual Server version/m);
    assert.equal(status, 0);
  });

  test("the program reports missing privileges", () => {
    const { stderr, status } = bash(
      `setpriv --bounding-set -net_admin,-net_raw --inh-caps -net_admin,-net_raw ${folder}/ipvsadm -Ln`,
    );
    assert.equal(
      stderr,
      "Can't initialize ipvs: Permission denied (you must be root)\n" +
        "Are you sure that IP Virtual Server is built in the kernel or as module?\n",
    );
    assert.equal(status, 2);
  });

  test("the program ends quietly if its reader is gone", async () => {
    const rules = Array.from(
      { length: 3000 },
      (_, i) => `-A -t 10.0.${i >> 8}.${i & 255}:80\n`,
    );
    await ours(["-R"], rules.join(""));
    const { stdout, stderr, status } = bash(
      // A quarter of a megabyte is more than the pipe and its reader take before the reader ends.
      "ipvsadm -Ln --stats | head -1; echo ${PIPESTATUS[0]}",
    );
    assert.match(stdout, /^IP Virtual Server version .*\n141\n$/);
    assert.equal(stderr, "");
    assert.equal(status, 0);
  });

  test("-R carries out each line before it waits for more", () => {
    const { stdout } = bash(`
      mkfifo ${folder}/rules
      ipvsadm -R <${folder}/rules &
      exec 3>${folder}/rules
      echo "-A -t 10.0.0.1:80" >&3
      for _ in $(seq 1000); do grep -q 0A000001:0050 /proc/net/ip_vs && echo there && break; sleep 0.1; done
      exec 3>&-
      wait $!; echo $?`);
    assert.equal(stdout, "there\n0\n");
  });

  test("ipvsadm-save and ipvsadm-restore save and restore a table", () => {
    bash(
      "ipvsadm -A -t 10.0.0.1:80 -s rr; ipvsadm -a -t 10.0.0.1:80 -r 10.1.1.1 -m -x 9",
    );
    const saved = bash("ipvsadm-save -n");
    assert.equal(
      saved.stdout,
      "-A -t 10.0.0.1:80 -s rr\n-a -t 10.0.0.1:80 -r 10.1.1.1:80 -m -w 1 -x 9\n",
    );
    const restored = bash(
      "ipvsadm-restore && ipvsadm-save -n",
      `# rules\n-A -f 5\n${saved.stdout}`,
    );
    assert.equal(restored.stderr, "");
    assert.equal(restored.stdout, `${saved.stdout}-A -f 5 -s wlc\n`);
  });

  test("ipvsadm-restore changes nothing if a line is invalid", () => {
    bash("ipvsadm -A -t 10.0.0.1:80 -s rr");
    const { stderr, status } = bash(
      "ipvsadm-restore",
      "-A -f 5\n-A -t 10.0.0.2\n-A -Q\n",
    );
    assert.equal(
      stderr,
      "ipvsadm-restore: line 2: Zero port specified for non-persistent service\n" +
        "ipvsadm-restore: line 3: -Q: unknown option\n" +
        "ipvsadm-restore: nothing was changed\n",
    );
    assert.equal(status, 2);
    assert.equal(bash("ipvsadm -Sn").stdout, "-A -t 10.0.0.1:80 -s rr\n");
  });

  test("unreadable input is empty for -R, and an error for ipvsadm-restore", () => {
    bash("ipvsadm -A -t 10.0.0.1:80 -s rr");
    assert.deepEqual(bash("ipvsadm -R </"), {
      stdout: "",
      stderr: "",
      status: 0,
    });
    const { stderr, status } = bash("ipvsadm-restore </");
    assert.equal(
      stderr,
      "ipvsadm-restore: cannot read standard input: EISDIR\n" +
        "ipvsadm-restore: nothing was changed\n",
    );
    assert.equal(status, 1);
    assert.equal(bash("ipvsadm -Sn").stdout, "-A -t 10.0.0.1:80 -s rr\n");
  });

  test("ipvsadm-save prints its usage", () => {
    const { stderr, status } = bash("ipvsadm-save -x");
    assert.match(
      stderr,
      /^ipvsadm-save: Script to save the IPVS table to stdout\.\n/,
    );
    assert.equal(status, 1);
  });
});
