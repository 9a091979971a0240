import {
  execFileSync,
  spawn,
  spawnSync,
  type ChildProcess,
} from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { eventually } from "../lab/eventually.js";
import { sh } from "../lab/namespaces.js";
import type { Outcome } from "../lab/program.js";

/*
 * A clean Debian in which tests install packages. It uses the kernel and the network namespace of the lab, so the programs in
 * it see the table of the lab.
 */

/** Where the tree has the packages under test, and Debian's own ipvsadm. */
const OURS = "/packages";
const DEBIANS = "/debs";

/** A guest with other work beside it boots slowly. */
const BOOT_SECONDS = 180;

export class DebianTree {
  /** systemd-nspawn, and process 1 in it, while the tree is booted */
  #machine:
    { readonly nspawn: ChildProcess; readonly leader: string } | undefined;

  private constructor(readonly folder: string) {}

  /**
   * Mounts a throw-away copy of a tree that test/lab/fetch-debian made.
   *
   * @param packages the folder with the packages under test
   */
  static mount(tree: string, packages: string): DebianTree {
    const work = mkdtempSync(join(tmpdir(), "debian."));
    sh(`mount -t tmpfs -o size=90% tmpfs ${work}`);
    const folder = join(work, "root");
    for (const name of ["root", "upper", "work"]) mkdirSync(join(work, name));
    sh(
      `mount -t overlay -o lowerdir=${resolve(tree)},upperdir=${work}/upper,workdir=${work}/work overlay ${folder}`,
    );
    mkdirSync(join(folder, OURS));
    // Without an init system, Debian's tools run init scripts only if a policy allows it.
    writeFileSync(join(folder, "usr/sbin/policy-rc.d"), "#!/bin/sh\nexit 0\n", {
      mode: 0o755,
    });
    sh(`mount --bind ${resolve(packages)} ${folder}${OURS}`);
    return new DebianTree(folder);
  }

  /** Lets chroot see the kernel. */
  mountKernelFiles(): void {
    sh(
      `for name in proc dev sys; do mount --rbind /$name ${this.folder}/$name; done`,
    );
  }

  unmount(): void {
    // With its process 1, all processes in the tree end.
    if (this.#machine !== undefined)
      process.kill(Number(this.#machine.leader), "SIGKILL");
    this.#machine = undefined;
    sh(`umount -R -l ${this.folder}; umount -l ${join(this.folder, "..")}`);
  }

  /** Boots systemd in the tree, in the network namespace of the lab. */
  async boot(): Promise<void> {
    sh(
      "mountpoint -q /sys/fs/cgroup || mount -t cgroup2 cgroup2 /sys/fs/cgroup",
    );
    // systemd-nspawn leaves groups behind in the one where it runs, so each run has its own.
    const group = mkdtempSync("/sys/fs/cgroup/debian.");
    const nspawn = spawn(
      "sh",
      [
        ...["-c", `echo $$ >${group}/cgroup.procs && exec "$@"`, "sh"],
        "systemd-nspawn",
        ...["--directory", this.folder, "--boot", "--quiet"],
        ...["--register=no", "--keep-unit", "--capability=all"],
        ...["--resolv-conf=off", "--timezone=off", "--console=pipe"],
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    let said = "";
    for (const stream of [nspawn.stdout, nspawn.stderr])
      stream.setEncoding("latin1").on("data", (text: string) => {
        said += text;
      });
    const child = () =>
      Promise.resolve(
        spawnSync("pgrep", ["-x", "systemd", "-P", String(nspawn.pid)], {
          encoding: "utf8",
        }).stdout.trim(),
      );
    const leader = await eventually(
      child,
      (pids) => /^\d+$/.test(pids),
      BOOT_SECONDS,
    );
    if (leader === "") {
      nspawn.kill("SIGKILL");
      throw new Error(`systemd-nspawn did not start systemd: ${said}`);
    }
    this.#machine = { nspawn, leader };
    const state = await eventually(
      async () => (await this.run("systemctl is-system-running")).stdout,
      (text) => /^(running|degraded)/.test(text),
      BOOT_SECONDS,
    );
    if (!/^(running|degraded)/.test(state))
      throw new Error(`systemd did not boot: ${state}${said}`);
  }

  /** Shuts the booted tree down; `boot` boots it again. */
  async shutDown(): Promise<void> {
    if (this.#machine === undefined) throw new Error("it is not booted");
    const { nspawn } = this.#machine;
    const ended = once(nspawn, "close");
    await this.run("systemctl poweroff");
    await ended;
    this.#machine = undefined;
  }

  /** Runs a line of sh in the tree. Other work of this process goes on meanwhile. */
  async run(line: string): Promise<Outcome> {
    const [program = "", ...words] =
      this.#machine === undefined
        ? ["chroot", this.folder]
        : [
            ...["nsenter", "--target", this.#machine.leader],
            ...["--mount", "--pid", "--uts", "--ipc", "--cgroup"],
            ...["--root", "--wd"],
          ];
    const child = spawn(program, [...words, "/bin/sh", "-c", line], {
      env: {
        PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        DEBIAN_FRONTEND: "noninteractive",
        LC_ALL: "C",
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout
      .setEncoding("latin1")
      .on("data", (text: string) => (stdout += text));
    child.stderr
      .setEncoding("latin1")
      .on("data", (text: string) => (stderr += text));
    const [status] = (await once(child, "close")) as [number | null];
    return { stdout, stderr, status: status ?? -1 };
  }

  /** Runs a line of sh that must succeed. @returns its output */
  async ok(line: string): Promise<string> {
    const { stdout, stderr, status } = await this.run(line);
    if (status !== 0)
      throw new Error(`${line}: status ${status}\n${stdout}\n${stderr}`);
    return stdout;
  }

  /** Installs packages with apt: `ours`, by name, or `debian` for Debian's ipvsadm. */
  async install(...names: readonly string[]): Promise<string> {
    const files = names.flatMap((name) =>
      name === "debian" ? this.#debians() : [this.#ours(name)],
    );
    return this.ok(
      `apt-get install --yes -o Dpkg::Options::=--force-confold ${files.join(" ")}`,
    );
  }

  /** Makes a package of a higher version out of one of ours. @returns its path in the tree */
  makeNewer(name: string, version: string): string {
    const work = mkdtempSync(join(this.folder, "tmp/newer."));
    execFileSync("dpkg-deb", ["-R", join(this.folder, this.#ours(name)), work]);
    const control = join(work, "DEBIAN/control");
    const text = readFileSync(control, "utf8");
    writeFileSync(
      control,
      text.replace(/^Version: .*$/m, `Version: ${version}`),
    );
    // A booted tree has a /tmp of its own.
    const file = `/srv/${name}_${version}_amd64.deb`;
    const made = join(this.folder, file);
    execFileSync("dpkg-deb", [
      "--root-owner-group",
      "-Znone",
      "-b",
      work,
      made,
    ]);
    return file;
  }

  async status(name: string): Promise<string> {
    const { stdout } = await this.run(
      `dpkg-query --show --showformat='\${db:Status-Status} \${Version}' ${name}`,
    );
    return stdout;
  }

  read(path: string): string | undefined {
    const file = join(this.folder, path);
    return existsSync(file) ? readFileSync(file, "latin1") : undefined;
  }

  write(path: string, text: string): void {
    writeFileSync(join(this.folder, path), text);
  }

  /** The path in the tree of a package under test. */
  #ours(name: string): string {
    const files = readdirSync(join(this.folder, OURS)).filter(
      (file) => file.startsWith(`${name}_`) && /_(amd64|all)\.deb$/.test(file),
    );
    if (files.length !== 1)
      throw new Error(`${name}: ${files.length} packages: ${files.join(" ")}`);
    return `${OURS}/${files[0] ?? ""}`;
  }

  #debians(): string[] {
    return readdirSync(join(this.folder, DEBIANS)).map(
      (file) => `${DEBIANS}/${file}`,
    );
  }
}
