import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { readPage, resolveLink } from "../docs/markdown.js";
import { startRegistry } from "./npm-registry.js";

/* An installation with npm, with the real light program in it. */

const folder = mkdtempSync(join(tmpdir(), "npm."));
const registry = await startRegistry();
after(async () => {
  await registry[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});
execFileSync("bash", ["bin/package-npm", "-o", join(folder, "packages")], {
  stdio: ["ignore", "ignore", "inherit"],
});
registry.offer(join(folder, "packages"));
const prefix = join(folder, "prefix");
await registry.npm(prefix, "install", "ipvsadm");

function run(name: string, ...words: readonly string[]) {
  const { stdout, stderr, status } = spawnSync(
    join(prefix, "bin", name),
    words,
    { encoding: "latin1" },
  );
  return { stdout, stderr, status };
}

suite("the light program of an installation with npm", () => {
  for (const name of ["ipvsadm", "ipvsadm-save", "ipvsadm-restore"])
    test(`is ${name}`, () => {
      const file = readFileSync(join(prefix, "bin", name));
      assert.equal(file.toString("latin1", 0, 4), "\x7fELF");
      assert.ok(file.length < 2 * 1024 * 1024);
    });

  test("takes the classic options", () => {
    assert.match(run("ipvsadm", "--version").stdout, /^ipvsadm v1\.31 \(/);
    assert.deepEqual(run("ipvsadm", "-A", "-t", "nonsense"), {
      stdout: "",
      stderr: "illegal virtual server address[:port] specified\n",
      status: 2,
    });
  });

  test("has Node.js run the subcommands", () => {
    const { stdout, stderr, status } = run("ipvsadm", "doctor", "--list");
    assert.match(stdout, /module-absent/);
    assert.deepEqual([stderr, status], ["", 0]);
  });

  test("is one file on the disk under all its names", () => {
    const names = ["ipvsadm", "ipvsadm-save", "ipvsadm-restore"];
    const inodes = names.map((name) => statSync(join(prefix, "bin", name)).ino);
    assert.equal(new Set(inodes).size, 1);
  });

  const installed = join(prefix, "lib/node_modules/ipvsadm");

  test("comes with completions, the service and the schemas", () => {
    for (const file of [
      "packaging/completions/_ipvsadm",
      "packaging/completions/ipvsadm.bash",
      "packaging/completions/ipvsadm.fish",
      "packaging/ipvsadm.service",
      "packaging/ipvsadm-serve.service",
      "packaging/ipvsadm-service",
      "packaging/ipvsadm.default",
      "schema/table-1.json",
    ])
      assert.ok(existsSync(join(installed, file)), file);
  });

  test("comes with a README without dead links", () => {
    const { links } = readPage(
      readFileSync(join(installed, "README.md"), "utf8"),
    );
    const paths = links.flatMap(
      ({ value }) => resolveLink("README.md", value)?.path ?? [],
    );
    assert.ok(paths.includes("CHANGELOG.md"));
    for (const path of paths)
      assert.ok(existsSync(join(installed, path)), path);
  });

  test("has checksums and SBOMs beside its packages", () => {
    const sums = execFileSync("sha256sum", ["--check", "SHA256SUMS"], {
      cwd: join(folder, "packages"),
      encoding: "utf8",
    });
    assert.match(sums, /^ipvsadm-linux-x64-[\d.]+\.tgz\.cdx\.json: OK$/m);
    assert.match(sums, /^ipvsadm-[\d.]+\.tgz: OK$/m);
  });

  test("has a repository, a homepage and a tracker only if one is named", () => {
    const read = (out: string) => {
      const file = readdirSync(out).find((name) =>
        /^ipvsadm-\d.*\.tgz$/.test(name),
      );
      return JSON.parse(
        execFileSync(
          "tar",
          ["-xzOf", join(out, file ?? ""), "package/package.json"],
          {
            encoding: "utf8",
          },
        ),
      ) as {
        repository?: { url: string };
        homepage?: string;
        bugs?: { url: string };
      };
    };
    assert.equal(read(join(folder, "packages")).homepage, undefined);
    const named = join(folder, "named");
    execFileSync("bash", ["bin/package-npm", "-l", "dist/light", "-o", named], {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, REPOSITORY: "https://forge.example/lvs/ipvsadm" },
    });
    const { repository, homepage, bugs } = read(named);
    assert.equal(repository?.url, "git+https://forge.example/lvs/ipvsadm.git");
    assert.equal(homepage, "https://forge.example/lvs/ipvsadm#readme");
    assert.equal(bugs?.url, "https://forge.example/lvs/ipvsadm/issues");
  });

  test("goes when the package is removed", async () => {
    await registry.npm(prefix, "uninstall", "ipvsadm");
    assert.ok(!existsSync(join(prefix, "bin/ipvsadm")));
    assert.ok(!existsSync(join(prefix, "lib/node_modules/ipvsadm")));
  });
});
