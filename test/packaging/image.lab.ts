import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, suite, test } from "node:test";
import { sh } from "../lab/namespaces.js";
import { ours, type Outcome } from "../lab/program.js";

/*
 * Runs the images of dist/image with crun. umoci, which did not write them, unpacks them: so another program reads the layout.
 * The containers use the network namespace of the lab.
 */

const { version } = JSON.parse(readFileSync("package.json", "utf8")) as {
  version: string;
};
const MB = 1_000_000;

interface Spec {
  process: {
    terminal: boolean;
    args: string[];
    user: { uid: number; gid: number };
    capabilities: Record<string, string[]>;
    noNewPrivileges?: boolean;
  };
  root: { path: string; readonly: boolean };
  linux: {
    namespaces: { type: string }[];
    seccomp?: unknown;
    maskedPaths?: string[];
    readonlyPaths?: string[];
  };
}

interface Way {
  readonly capabilities?: readonly string[];
  readonly uid?: number;
  readonly readonly?: boolean;
  readonly privileged?: boolean;
}

/** Every capability that a privileged container has here. */
const ALL = ["CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_SYS_ADMIN", "CAP_SYS_MODULE"];

class Image {
  readonly folder = mkdtempSync(join(tmpdir(), "image."));
  readonly #bundle = join(this.folder, "bundle");
  readonly #spec: string;

  constructor(name: string) {
    execFileSync(
      "umoci",
      ["unpack", "--image", `dist/image/${name}:${version}`, this.#bundle],
      { stdio: ["ignore", "ignore", "inherit"] },
    );
    this.#spec = readFileSync(join(this.#bundle, "config.json"), "utf8");
  }

  /** Runs a command in a container. Without words, the image's own command. */
  run(words: readonly string[] | undefined, way: Way): Outcome {
    const spec = JSON.parse(this.#spec) as Spec;
    const { process, linux, root } = spec;
    process.terminal = false;
    if (words !== undefined) process.args = [...words];
    const capabilities = [...(way.capabilities ?? [])];
    for (const set of [
      "bounding",
      "effective",
      "permitted",
      "inheritable",
      "ambient",
    ])
      process.capabilities[set] = way.privileged ? ALL : capabilities;
    process.user = { uid: way.uid ?? 0, gid: way.uid ?? 0 };
    process.noNewPrivileges = !way.privileged;
    root.readonly = way.readonly ?? false;
    linux.namespaces = linux.namespaces.filter(
      ({ type }) => type !== "network",
    );
    if (way.privileged) {
      delete linux.seccomp;
      linux.maskedPaths = [];
      linux.readonlyPaths = [];
    }
    writeFileSync(join(this.#bundle, "config.json"), JSON.stringify(spec));
    const { stdout, stderr, status } = spawnSync(
      "crun",
      ["run", "--bundle", this.#bundle, "test"],
      { encoding: "latin1", input: "" },
    );
    return { stdout, stderr, status: status ?? -1 };
  }
}

const WAYS: Record<string, Way> = {
  "a privileged container": { privileged: true },
  "a container with CAP_NET_ADMIN only": { capabilities: ["CAP_NET_ADMIN"] },
  "a container with a read-only root": {
    capabilities: ["CAP_NET_ADMIN"],
    readonly: true,
  },
  "a container as a user who is not root": {
    capabilities: ["CAP_NET_ADMIN"],
    readonly: true,
    uid: 65534,
  },
};

before(async () => {
  sh("mountpoint -q /sys/fs/cgroup || mount -t cgroup2 cgroup2 /sys/fs/cgroup");
  mkdirSync("/run/crun", { recursive: true });
  await ours(["-A", "-t", "192.0.2.9:80", "-s", "rr"]);
});

const SMOKE_PASSES: Outcome = {
  stdout: "smoke: ipvsadm works here\n",
  stderr: "",
  status: 0,
};

for (const name of ["ipvsadm", "ipvsadm-full"])
  suite(`the container image ${name}`, () => {
    let image: Image;
    before(() => {
      image = new Image(name);
    });

    for (const [title, way] of Object.entries(WAYS)) {
      test(`passes the smoke test in ${title}`, () => {
        assert.deepEqual(image.run(["ipvsadm-smoke"], way), SMOKE_PASSES);
      });

      test(`lists the table in ${title}, by its own command`, () => {
        const { stdout, stderr, status } = image.run(undefined, way);
        assert.match(stdout, /^TCP {2}192\.0\.2\.9:80 rr/m);
        assert.deepEqual([stderr, status], ["", 0]);
      });
    }

    test("says in the smoke test that CAP_NET_ADMIN is missing", () => {
      const { stderr, status } = image.run(["ipvsadm-smoke"], {});
      assert.match(stderr, /^smoke: no CAP_NET_ADMIN/);
      assert.equal(status, 10);
    });
  });

suite("the container images", () => {
  const size = (name: string) =>
    statSync(`dist/image/${name}-${version}.oci.tar`).size;

  test("ipvsadm is smaller than 3 MB", () => {
    assert.ok(size("ipvsadm") < 3 * MB, `${size("ipvsadm")} bytes`);
  });

  test("ipvsadm-full is smaller than 60 MB", () => {
    assert.ok(size("ipvsadm-full") < 60 * MB, `${size("ipvsadm-full")} bytes`);
  });

  test("have checksums, and SBOMs with what comes from Debian", () => {
    const sums = execFileSync("sha256sum", ["--check", "SHA256SUMS"], {
      cwd: "dist/image",
      encoding: "utf8",
    });
    const file = `ipvsadm-full-${version}.oci.tar`;
    assert.ok(sums.includes(`${file}: OK`));
    const { components } = JSON.parse(
      readFileSync(`dist/image/${file}.cdx.json`, "utf8"),
    ) as { components: { name: string }[] };
    const names = components.map(({ name }) => name);
    for (const name of ["quickjs", "busybox", "bun", "libc", "yargs"])
      assert.ok(names.includes(name), name);
  });

  test("ipvsadm-full has the subcommands, and ipvsadm says where they are", () => {
    const words = ["ipvsadm", "list", "-o", "json"];
    const way = { capabilities: ["CAP_NET_ADMIN"], readonly: true, uid: 65534 };
    const full = new Image("ipvsadm-full").run(words, way);
    assert.match(full.stdout, /192\.0\.2\.9/);
    assert.equal(full.status, 0);
    const light = new Image("ipvsadm").run(words, way);
    assert.match(light.stderr, /list needs the full program/);
    assert.equal(light.status, 3);
  });
});
