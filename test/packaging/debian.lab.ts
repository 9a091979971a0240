import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, suite, test } from "node:test";
import { ours } from "../lab/program.js";
import { DebianTree } from "./debian-tree.js";

/*
 * Run as `debian.lab.js TREE…`: installs the packages in dist/deb with apt, in each of these trees of
 * test/lab/fetch-debian.
 */

const PACKAGES = "dist/deb";
const RULES =
  "# the rules of this director\n-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 198.51.100.1:80 -m -w 1\n";
const SETTINGS = '# by the administrator\nAUTO="true"\nDAEMON="none"\n';
/** In the table, but not in the rules: if the table was cleared and loaded again, it is missing. */
const UNSAVED = ["-A", "-f", "7", "-s", "wlc"];

/** The version that our program, or Debian's, prints. */
const OUR_VERSION = /^ipvsadm v1\.31 \(.*\d+\.\d+\.\d+\)$/;
const DEBIANS_VERSION = /compiled with popt/;

/** `dpkg --verify` names the settings and the rules, which the administrator changed. */
const CHANGED_CONFFILES =
  "??5?????? c /etc/default/ipvsadm\n??5?????? c /etc/ipvsadm.rules\n";

let tree: DebianTree;

/** Installs Debian's package, lets its service load the rules, and adds a service that is in no file. */
async function runDebiansPackage(
  start = "/etc/init.d/ipvsadm start",
): Promise<string> {
  await tree.install("debian");
  tree.write("/etc/ipvsadm.rules", RULES);
  tree.write("/etc/default/ipvsadm", SETTINGS);
  await tree.ok(start);
  assert.equal((await ours(UNSAVED)).status, 0);
  return table();
}

async function table(): Promise<string> {
  return (await ours(["-Sn"])).stdout;
}

/** Asserts that neither the table, the rules nor the settings changed. */
async function assertKept(before: string): Promise<void> {
  assert.match(before, /192\.0\.2\.1:80[^]*-f 7/);
  assert.equal(await table(), before);
  assert.equal(tree.read("/etc/ipvsadm.rules"), RULES);
  assert.equal(tree.read("/etc/default/ipvsadm"), SETTINGS);
}

async function version(program = "/sbin/ipvsadm"): Promise<string> {
  return (await tree.ok(`${program} --version`)).trim();
}

/** The packages with the subcommands: on Debian 12 nodejs is too old, and the tree has none. */
async function full(): Promise<string[]> {
  const { status } = await tree.run("node --version");
  return ["ipvsadm-lvs-full", ...(status === 0 ? [] : ["ipvsadm-lvs-runtime"])];
}

for (const path of process.argv.slice(2)) {
  const release = /[^-]*$/.exec(path)?.[0] ?? path;

  suite(`the Debian packages on ${release}, with its init scripts`, () => {
    beforeEach(async () => {
      await ours(["-C"]);
      tree = DebianTree.mount(path, PACKAGES);
      tree.mountKernelFiles();
    });
    afterEach(() => {
      tree.unmount();
    });

    test("removing Debian's package clears the table: the tests below can fail", async () => {
      await runDebiansPackage();
      await tree.ok("apt-get remove --yes ipvsadm");
      assert.equal(await table(), "");
    });

    test("ipvsadm-lvs is installed over Debian's running package", async () => {
      const before = await runDebiansPackage();
      assert.match(await version(), DEBIANS_VERSION);
      const said = await tree.install("ipvsadm-lvs");
      assert.doesNotMatch(said, /REMOVED|warning/i);
      await assertKept(before);
      assert.match(await version(), OUR_VERSION);
      assert.match(await version("/usr/sbin/ipvsadm"), OUR_VERSION);
      assert.match(await tree.status("ipvsadm"), /^installed 1:1\.31-/);
      assert.match(await tree.status("ipvsadm-lvs"), /^installed /);
      assert.equal(
        await tree.ok("dpkg --verify ipvsadm-lvs; dpkg --audit"),
        "",
      );
    });

    test("a program called ipvsadm is there at every moment of the installation", async () => {
      await runDebiansPackage();
      const watching = tree.ok(
        "touch /watch; while [ -e /watch ]; do [ -e /sbin/ipvsadm ] || echo missing; done",
      );
      await tree.install("ipvsadm-lvs");
      await tree.ok("rm /watch");
      assert.equal(await watching, "");
    });

    test("dpkg without apt installs it too", async () => {
      const before = await runDebiansPackage();
      await tree.ok("dpkg -i /packages/ipvsadm-lvs_*_amd64.deb");
      await assertKept(before);
      assert.match(await version(), OUR_VERSION);
    });

    test("an upgrade does not change the table", async () => {
      const before = await runDebiansPackage();
      await tree.install("ipvsadm-lvs");
      const newer = tree.makeNewer("ipvsadm-lvs", "99.0.0");
      await tree.ok(`apt-get install --yes ${newer}`);
      assert.equal(await tree.status("ipvsadm-lvs"), "installed 99.0.0");
      await assertKept(before);
      assert.match(await version(), OUR_VERSION);
    });

    test("if it is removed, Debian's programs are back", async () => {
      const before = await runDebiansPackage();
      await tree.install("ipvsadm-lvs");
      await tree.ok("apt-get remove --yes ipvsadm-lvs");
      await assertKept(before);
      assert.match(await version(), DEBIANS_VERSION);
      assert.equal(
        await tree.ok("dpkg --verify ipvsadm; dpkg --audit"),
        CHANGED_CONFFILES,
      );
      assert.equal(await tree.ok("dpkg-divert --list '*ipvsadm*'"), "");
    });

    test("if it is purged, Debian's package keeps settings and rules", async () => {
      const before = await runDebiansPackage();
      await tree.install("ipvsadm-lvs");
      await tree.ok("apt-get purge --yes ipvsadm-lvs");
      await assertKept(before);
      assert.match(await version(), DEBIANS_VERSION);
    });

    test("the package ipvsadm of this version replaces Debian's", async () => {
      const before = await runDebiansPackage();
      await tree.install("ipvsadm-lvs", "ipvsadm");
      await assertKept(before);
      assert.match(await version(), OUR_VERSION);
      assert.match(await tree.status("ipvsadm"), /^installed .*\+lvs/);
      assert.equal(
        await tree.ok("ls /usr/sbin | grep ipvsadm"),
        "ipvsadm\nipvsadm-restore\nipvsadm-save\n",
      );
    });

    test("the package ipvsadm replaces Debian's later, and can then be purged", async () => {
      const before = await runDebiansPackage();
      await tree.install("ipvsadm-lvs");
      await tree.install("ipvsadm");
      await assertKept(before);
      await tree.ok("apt-get purge --yes ipvsadm");
      await assertKept(before);
      assert.match(await version(), OUR_VERSION);
    });

    test("a purge of everything keeps the table and a file with rules", async () => {
      const before = await runDebiansPackage();
      await tree.install("ipvsadm-lvs", "ipvsadm");
      await tree.ok("apt-get purge --yes ipvsadm ipvsadm-lvs");
      assert.equal(await table(), before);
      assert.equal(tree.read("/etc/ipvsadm.rules"), RULES);
      assert.equal(tree.read("/etc/default/ipvsadm"), undefined);
    });

    test("Debian's package can be installed after it", async () => {
      await tree.install("ipvsadm-lvs");
      await tree.install("debian");
      assert.match(await version(), OUR_VERSION);
      assert.match(await version("/usr/sbin/ipvsadm.distrib"), DEBIANS_VERSION);
    });

    test("a purge on a clean system leaves nothing", async () => {
      const files =
        "find / -xdev -name '*ipvsadm*' -not -path '/packages/*' -not -path '/debs/*' -not -path '/clients/*' -not -path '/proc/*' -not -path '/var/log/*'";
      assert.equal(await tree.ok(files), "");
      await tree.install("ipvsadm-lvs");
      assert.match(await version(), OUR_VERSION);
      assert.equal(
        tree.read("/etc/default/ipvsadm"),
        readFileSync("packaging/ipvsadm.default", "latin1"),
      );
      assert.equal(await table(), "");
      await tree.ok("apt-get purge --yes ipvsadm-lvs");
      assert.equal(await tree.ok(files), "");
    });

    test("ipvsadm-lvs-full adds the subcommands", async () => {
      const before = await runDebiansPackage();
      await tree.install("ipvsadm-lvs", ...(await full()));
      await assertKept(before);
      const list = await tree.ok("ipvsadm list -o json");
      assert.match(list, /192\.0\.2\.1/);
      assert.match(await tree.ok("ipvsadm metrics | head -n 5"), /^# HELP /);
    });
  });

  suite(`the Debian packages on ${release}, with systemd running`, () => {
    beforeEach(async () => {
      await ours(["-C"]);
      tree = DebianTree.mount(path, PACKAGES);
      await tree.boot();
    });
    afterEach(() => {
      tree.unmount();
    });

    const START = "systemctl restart ipvsadm";

    test("removing Debian's package clears the table: the tests below can fail", async () => {
      await runDebiansPackage(START);
      await tree.ok("apt-get remove --yes ipvsadm");
      assert.equal(await table(), "");
    });

    test("Debian's package is first joined, then removed, and the table stays", async () => {
      const before = await runDebiansPackage(START);
      await tree.install("ipvsadm-lvs");
      await assertKept(before);
      assert.equal(await tree.ok("systemctl is-active ipvsadm"), "active\n");
      assert.match(
        await tree.ok("systemctl cat ipvsadm"),
        /ExecReload=\/usr\/lib\/ipvsadm\/ipvsadm-service reload/,
      );
      await tree.ok("apt-get remove --yes ipvsadm");
      await assertKept(before);
    });

    test("Debian's package is replaced, and the service survives a reboot", async () => {
      const before = await runDebiansPackage(START);
      await tree.install("ipvsadm-lvs", "ipvsadm");
      await assertKept(before);
      assert.equal(await tree.ok("systemctl is-active ipvsadm"), "active\n");
      tree.write("/etc/default/ipvsadm", `${SETTINGS}SAVE_AT_STOP=true\n`);
      await tree.shutDown();
      assert.equal(await table(), "");
      await tree.boot();
      assert.equal(await tree.ok("systemctl is-active ipvsadm"), "active\n");
      assert.equal(await table(), before);
    });

    test("an upgrade and a removal do not stop the service", async () => {
      const before = await runDebiansPackage(START);
      await tree.install("ipvsadm-lvs", "ipvsadm");
      await tree.ok(
        `apt-get install --yes ${tree.makeNewer("ipvsadm-lvs", "99.0.0")}`,
      );
      await assertKept(before);
      await tree.ok("apt-get remove --yes ipvsadm ipvsadm-lvs");
      await assertKept(before);
    });

    test("the unit is valid, and restricts the service", async () => {
      await tree.install("ipvsadm-lvs");
      const unit = "/usr/lib/systemd/system/ipvsadm.service";
      assert.equal(
        await tree.ok(`systemd-analyze verify --man=no ${unit} 2>&1`),
        "",
      );
      // In tenths: systemd calls 0 to 5.0 OK, and 9.6 is a service without restrictions.
      await tree.ok(
        `systemd-analyze security --offline=true --threshold=28 ${unit}`,
      );
    });

    test("the service starts and reloads under its restrictions, without a gap", async () => {
      await tree.install("ipvsadm-lvs", ...(await full()));
      tree.write("/etc/ipvsadm.rules", RULES);
      tree.write("/etc/default/ipvsadm", SETTINGS);
      await tree.ok("systemctl restart ipvsadm");
      assert.equal(`# the rules of this director\n${await table()}`, RULES);
      await ours(UNSAVED);
      await tree.ok("systemctl reload ipvsadm");
      assert.equal(`# the rules of this director\n${await table()}`, RULES);
      const log = await tree.ok("journalctl --unit ipvsadm --output cat");
      assert.match(log, /-D -f 7|1 change|removed/i);
      assert.doesNotMatch(log, /is cleared|without the full program/);
    });
  });
}
