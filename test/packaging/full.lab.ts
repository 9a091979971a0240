import assert from "node:assert/strict";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { afterEach, suite, test } from "node:test";
import { bash as bashWith, installPrograms } from "../lab/installed.js";
import { ours, PROGRAM } from "../lab/program.js";

// Differences between the executable and the program on Node.js. Run with
// IPVSADM=dist/full/ipvsadm-full.
suite("the executable that needs no Node.js", () => {
  if (PROGRAM === undefined)
    throw new Error("IPVSADM does not name the executable");
  const program = resolve(PROGRAM);
  const folder = installPrograms();
  const bash = (line: string) => bashWith(folder, line);
  afterEach(() => ours(["-C"]));

  test("it needs nothing on the search path", () => {
    const { stdout, stderr, status } = bash(
      `env -i ${program} -A -t 10.0.0.1:80 && env -i ${program} -Sn`,
    );
    assert.deepEqual(
      [stdout, stderr, status],
      ["-A -t 10.0.0.1:80 -s wlc\n", "", 0],
    );
  });

  test("its hint contains the name by which it was called, with or without the path", () => {
    const hint = (name: string) =>
      `Try \`${name} -h' or '${name} --help' for more information.\n`;
    assert.equal(bash("ipvsadm -Q").stderr, hint("ipvsadm"));
    assert.equal(
      bash(`${folder}/ipvsadm -Q`).stderr,
      hint(`${folder}/ipvsadm`),
    );
    assert.equal(bash("exec -a director ipvsadm -Q").stderr, hint("director"));
  });

  test("it can have a file capability, so that its user needs no privileges", () => {
    const place = join(folder, "capable");
    mkdirSync(place, { mode: 0o755 });
    // The guest uses its host's files, which cannot have capabilities.
    assert.equal(bash(`mount -t tmpfs -o mode=755 none ${place}`).stderr, "");
    try {
      const file = join(place, "ipvsadm");
      copyFileSync(program, file);
      const nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups";
      assert.equal(bash(`${nobody} ${file} -A -t 10.0.0.1:80`).status, 2);
      assert.equal(bash(`setcap cap_net_admin+ep ${file}`).stderr, "");
      const { stderr, status } = bash(`${nobody} ${file} -A -t 10.0.0.1:80`);
      assert.deepEqual([stderr, status], ["", 0]);

      // Its user gets neither the capability for other code, nor a say in which programs it starts.
      const traces = join(place, "traces");
      mkdirSync(traces);
      chmodSync(traces, 0o777);
      const getent = join(place, "getent");
      writeFileSync(getent, `#!/bin/sh\ntouch ${traces}/getent\n`);
      chmodSync(getent, 0o755);
      const foreign = join(place, "foreign.js");
      writeFileSync(
        foreign,
        `require("node:fs").writeFileSync("${traces}/foreign", "");`,
      );
      for (const setting of [
        `BUN_OPTIONS="--preload ${foreign}"`,
        `PATH=${place}:/usr/bin`,
        `BUN_BYTECODE_ORDER_OUT=${traces}/order`,
      ]) {
        const listing = bash(`env ${setting} ${nobody} ${file} -L`);
        assert.match(listing.stdout, /10\.0\.0\.1:http wlc/, setting);
        assert.deepEqual(readdirSync(traces), [], setting);
      }
    } finally {
      bash(`umount ${place}`);
    }
  });

  test("files in the current folder do not change its behavior", () => {
    const place = join(folder, "elsewhere");
    mkdirSync(place);
    writeFileSync(join(place, "bunfig.toml"), 'preload = ["./other.js"]\n');
    writeFileSync(join(place, "other.js"), 'console.log("other");\n');
    writeFileSync(join(place, ".env"), "COLUMNS=60\n");
    const help = (line: string) => bash(`${line} ipvsadm help`).stdout;
    const usual = help("env -u COLUMNS");
    assert.notEqual(help("COLUMNS=60"), usual);
    assert.equal(help(`cd ${place} && env -u COLUMNS`), usual);
  });

  test("after an overrun of the receive buffer, its socket returns the earlier replies and continues to work", () => {
    const { stdout, stderr } = bash(
      '"$(bash bin/find-bun)" dist/test/packaging/overrun.js',
    );
    assert.equal(stderr, "");
    const { refused, lost, tcpSeconds } = JSON.parse(stdout) as Record<
      "refused" | "lost" | "tcpSeconds",
      number
    >;
    assert.ok(refused > 100 && lost > 100, stdout);
    assert.equal(refused + lost, 1024);
    assert.ok(tcpSeconds > 0);
  });

  test("it contains the subcommands", () => {
    const { stdout, status } = bash("ipvsadm status");
    assert.match(stdout, /IPVS/);
    assert.equal(status, 0);
  });
});
