import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { promisify } from "node:util";
import { startRegistry } from "./npm-registry.js";

/*
 * What `npm install` makes of the packages of `npm run package:npm`. The light program is a script here that says so, for
 * what matters is which program npm puts where. npm-light.ts tests the real one.
 */

const folder = mkdtempSync(join(tmpdir(), "npm."));
const registry = await startRegistry();
after(async () => {
  await registry[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const { version: VERSION } = JSON.parse(
  readFileSync("package.json", "utf8"),
) as { version: string };
const NEXT = "99.0.0";

/** A light program. The launcher for Node.js in the same folder runs its subcommands. */
function lightProgram(version: string): string {
  return `#!/bin/sh
case \${1-} in
--version) echo "light program (\${0##*/} ${version})" ;;
[a-z]*) exec "$(dirname "$(readlink -f "$0")")/ipvsadm-node.cjs" "$@" ;;
esac
`;
}

/** The packages, with a program as the light one. @returns their folder */
function packages(name: string, program: string): string {
  const light = join(folder, name, "light");
  mkdirSync(light, { recursive: true });
  for (const architecture of ["x64", "arm64"]) {
    writeFileSync(join(light, `ipvsadm-${architecture}`), program);
    chmodSync(join(light, `ipvsadm-${architecture}`), 0o755);
  }
  const out = join(folder, name, "packages");
  execFileSync("bash", ["bin/package-npm", "-l", light, "-o", out], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  return out;
}

/** Packages as they are in another version. @returns their folder */
function repack(from: string, to: string, version: string): string {
  mkdirSync(to, { recursive: true });
  for (const file of readdirSync(from)) {
    const work = mkdtempSync(join(folder, "repack."));
    execFileSync("tar", ["-xzf", join(from, file), "-C", work]);
    for (const name of ["package.json", "ipvsadm"]) {
      const path = join(work, "package", name);
      if (!existsSync(path)) continue;
      const text = readFileSync(path, "utf8");
      writeFileSync(path, text.replaceAll(VERSION, version));
    }
    execFileSync("npm", [
      ...["pack", "--silent", "--ignore-scripts", "--pack-destination", to],
      join(work, "package"),
    ]);
  }
  return to;
}

const current = packages("current", lightProgram(VERSION));
registry.offer(current);

const run = promisify(execFile);

async function printed(
  prefix: string,
  name: string,
  ...words: readonly string[]
): Promise<string> {
  const { stdout } = await run(join(prefix, "bin", name), words);
  return stdout;
}

const ON_NODE = /^ipvsadm v1\.31 \(/;
const PROGRAMS = ["ipvsadm", "ipvsadm-save", "ipvsadm-restore"];

/** Whether the launchers of an installation start Node.js. */
function startNode(prefix: string): void {
  for (const name of PROGRAMS)
    assert.match(
      readFileSync(join(prefix, "bin", name), "latin1"),
      /^#!\/usr\/bin\/env node\n/,
    );
}

suite("npm install", () => {
  test("puts the light program in the place of the launchers, upgrades it and removes it", async () => {
    const prefix = join(folder, "with-scripts");
    await registry.npm(prefix, "install", "ipvsadm");
    for (const name of PROGRAMS)
      assert.equal(
        await printed(prefix, name, "--version"),
        `light program (${name} ${VERSION})\n`,
      );
    assert.match(
      await printed(prefix, "ipvsadm", "doctor", "--list"),
      /module-absent/,
    );

    await registry.npm(prefix, "rebuild", "ipvsadm");
    assert.match(
      await printed(prefix, "ipvsadm", "doctor", "--list"),
      /module-absent/,
    );

    registry.offer(repack(current, join(folder, "next"), NEXT));
    await registry.npm(prefix, "install", `ipvsadm@${NEXT}`);
    for (const name of PROGRAMS)
      assert.equal(
        await printed(prefix, name, "--version"),
        `light program (${name} ${NEXT})\n`,
      );
    assert.match(
      await printed(prefix, "ipvsadm", "doctor", "--list"),
      /module-absent/,
    );

    await registry.npm(prefix, "uninstall", "ipvsadm");
    assert.deepEqual(readdirSync(join(prefix, "bin")), []);
    assert.deepEqual(
      readdirSync(join(prefix, "lib/node_modules")).filter(
        (name) => !name.startsWith("."),
      ),
      [],
    );
  });

  for (const [where, option] of Object.entries({
    "without install scripts": "--ignore-scripts",
    "on another processor": "--cpu=ppc64",
  }))
    test(`has Node.js run everything ${where}`, async () => {
      const prefix = join(folder, where.replaceAll(" ", "-"));
      await registry.npm(prefix, "install", `ipvsadm@${VERSION}`, option);
      startNode(prefix);
      assert.match(await printed(prefix, "ipvsadm", "--version"), ON_NODE);
      assert.match(
        await printed(prefix, "ipvsadm", "doctor", "--list"),
        /module-absent/,
      );
      await registry.npm(prefix, "uninstall", "ipvsadm");
      assert.deepEqual(readdirSync(join(prefix, "bin")), []);
    });

  for (const [what, program, version] of [
    ["does not start", "#!/nowhere/sh\n", "1.0.1"],
    ["fails", "#!/bin/sh\nexit 1\n", "1.0.2"],
    ["has another version", lightProgram("9.9.9"), "1.0.3"],
  ] as const)
    test(`has Node.js run everything if the light program ${what}`, async () => {
      const broken = join(folder, version);
      registry.offer(
        repack(withProgram(program, `${broken}-as-is`), broken, version),
      );
      const prefix = join(folder, `prefix-${version}`);
      await registry.npm(prefix, "install", `ipvsadm@${version}`);
      assert.ok(existsSync(join(prefix, "lib/node_modules/ipvsadm")));
      startNode(prefix);
      assert.match(await printed(prefix, "ipvsadm", "--version"), ON_NODE);
    });
});

/** The packages with another program as the light one. @returns their folder */
function withProgram(program: string, to: string): string {
  mkdirSync(to);
  for (const file of readdirSync(current)) {
    const work = mkdtempSync(join(folder, "with-program."));
    execFileSync("tar", ["-xzf", join(current, file), "-C", work]);
    if (file.startsWith("ipvsadm-linux-"))
      writeFileSync(join(work, "package/ipvsadm"), program);
    execFileSync("npm", [
      ...["pack", "--silent", "--ignore-scripts", "--pack-destination", to],
      join(work, "package"),
    ]);
  }
  return to;
}
