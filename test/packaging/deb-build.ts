import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";

/* Run as a program: builds the Debian packages for amd64 twice from the programs in dist, and examines them. */

const work = mkdtempSync(join(tmpdir(), "deb."));
after(() => {
  rmSync(work, { recursive: true });
});

/** Runs package-deb under other circumstances: time zone, language, mask of new files. */
function build(name: string, environment: Record<string, string>): string {
  const out = join(work, name);
  execFileSync(
    "bash",
    [
      "-c",
      `umask ${environment["MASK"] ?? "022"}; exec bash bin/package-deb -k -a amd64 -o "$0"`,
      out,
    ],
    {
      env: { ...process.env, ...environment },
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  return out;
}

const first = build("first", { TZ: "UTC", LC_ALL: "C" });
const second = build("second", {
  TZ: "Asia/Tokyo",
  LC_ALL: "C.UTF-8",
  MASK: "077",
});
const packages = readdirSync(first).filter((file) => file.endsWith(".deb"));
const { version } = JSON.parse(readFileSync("package.json", "utf8")) as {
  version: string;
};

function sha256(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

function fileOf(name: string): string {
  const file = packages.find((file) => file.startsWith(`${name}_`));
  if (file === undefined) throw new Error(`no package ${name}`);
  return join(first, file);
}

function field(name: string, field: string): string {
  return execFileSync("dpkg-deb", ["--field", fileOf(name), field], {
    encoding: "utf8",
  }).trim();
}

/** The files of a package with mode, owner and size. */
function listing(name: string): string[] {
  return execFileSync("dpkg-deb", ["--contents", fileOf(name)], {
    encoding: "utf8",
  })
    .trim()
    .split("\n");
}

suite("npm run package:deb", () => {
  test("makes four packages", () => {
    assert.deepEqual(packages, [
      `ipvsadm-lvs-full_${version}_amd64.deb`,
      `ipvsadm-lvs-runtime_${version}_amd64.deb`,
      `ipvsadm-lvs_${version}_amd64.deb`,
      `ipvsadm_1.31+lvs${version}_all.deb`,
    ]);
  });

  test("makes the same bytes at another time, in another time zone and with another umask", () => {
    const files = readdirSync(first);
    assert.ok(files.length >= 9);
    assert.deepEqual(readdirSync(second), files);
    for (const file of files)
      assert.equal(sha256(join(first, file)), sha256(join(second, file)), file);
  });

  test("the light program has the same bytes if it is built again", () => {
    const again = join(work, "light");
    execFileSync("bash", ["bin/build-light", "-o", again, "x64"]);
    assert.equal(sha256(again), sha256("dist/light/ipvsadm-x64"));
  });

  test("writes SHA256SUMS and an SBOM for each package", () => {
    const sums = execFileSync(
      "sha256sum",
      ["--check", "--strict", "SHA256SUMS"],
      {
        cwd: first,
        encoding: "utf8",
      },
    );
    for (const file of packages) {
      assert.ok(sums.includes(`${file}: OK`));
      assert.ok(sums.includes(`${file}.cdx.json: OK`));
    }
  });

  test("an SBOM names what is in the package", () => {
    const componentsOf = (name: string) => {
      const document = JSON.parse(
        readFileSync(`${fileOf(name)}.cdx.json`, "utf8"),
      ) as {
        bomFormat: string;
        metadata: { component: { name: string } };
        components: { name: string; purl: string }[];
      };
      assert.equal(document.bomFormat, "CycloneDX");
      assert.equal(document.metadata.component.name, "ipvsadm");
      return document.components.map(({ name }) => name);
    };
    assert.deepEqual(componentsOf("ipvsadm"), []);
    assert.deepEqual(componentsOf("ipvsadm-lvs"), ["quickjs", "glibc"]);
    const full = componentsOf("ipvsadm-lvs-full");
    for (const name of [
      "netlink",
      "prom-client",
      "yargs",
      "yaml",
      "chalk",
      "uplot",
    ])
      assert.ok(full.includes(name), name);
    assert.ok(!full.includes("typescript"));
    assert.ok(componentsOf("ipvsadm-lvs-runtime").includes("bun"));
  });

  test("lintian has nothing to say", () => {
    const { stdout, status } = spawnSync(
      "lintian",
      packages.map((file) => join(first, file)),
      { encoding: "utf8", cwd: tmpdir() },
    );
    assert.equal(stdout, "");
    assert.equal(status, 0);
  });

  test("ipvsadm-lvs needs less than 2 MB and no runtime", () => {
    assert.ok(Number(field("ipvsadm-lvs", "Installed-Size")) < 2000);
    assert.match(
      field("ipvsadm-lvs", "Depends"),
      /^kmod, libc-bin \(>= [\d.]+\)$/,
    );
  });

  test("ipvsadm-lvs stands for ipvsadm", () => {
    assert.equal(
      field("ipvsadm-lvs", "Provides"),
      `ipvsadm (= 1:1.31+lvs${version})`,
    );
    const compare = (one: string, relation: string, other: string) =>
      spawnSync("dpkg", ["--compare-versions", one, relation, other]).status;
    const takeover = field("ipvsadm", "Version");
    for (const debian of ["1:1.31-1+b1", "1:1.31-5", "1:1.31-99"])
      assert.equal(compare(takeover, "gt", debian), 0);
    assert.equal(compare(takeover, "lt", "1:1.32-1"), 0);
  });

  test("ipvsadm-lvs-full needs nodejs or the full program", () => {
    assert.match(
      field("ipvsadm-lvs-full", "Depends"),
      /nodejs \(>= 20\.19\) \| ipvsadm-lvs-runtime/,
    );
    const { engines } = JSON.parse(readFileSync("package.json", "utf8")) as {
      engines: { node: string };
    };
    assert.equal(engines.node, ">=20.19");
  });

  test("all files belong to root, and nobody else may write them", () => {
    for (const name of [
      "ipvsadm-lvs",
      "ipvsadm-lvs-full",
      "ipvsadm-lvs-runtime",
    ])
      for (const line of listing(name))
        assert.match(
          line,
          /^(-rw-r--r--|-rwxr-xr-x|drwxr-xr-x|lrwxrwxrwx) root\/root /,
        );
  });

  test("the maintainer scripts are valid for sh", () => {
    for (const script of readdirSync("packaging/deb"))
      if (/(inst|rm)$/.test(script))
        execFileSync("sh", ["-n", join("packaging/deb", script)]);
  });
});
