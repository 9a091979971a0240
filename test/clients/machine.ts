import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readlinkSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";

// Run as `suite.js ORIGINAL CLIENTS`: where fetch-original and fetch-clients put the packages.
const [ORIGINAL, CLIENTS] = process.argv.slice(2);

/** The search path that init scripts and daemons are given. */
export const SERVICE_PATH =
  "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Where the packages lie on the machine, and what is written over it. */
const PACKAGES = "/run/packages";
const WRITTEN = "/run/written";

/** Where Debian's packages have programs for administrators; on the machine, both are the same folder. */
const PROGRAM_FOLDERS = ["usr/sbin", "sbin"];

/** What the packages fill, on a machine where /bin, /lib and /sbin are links into /usr. */
const FILLED = ["/usr/bin", "/usr/sbin", "/usr/lib", "/usr/share", "/etc"];

let reason: string | false | undefined;

/**
 * Makes of this machine one on which the packages are installed: they are laid over its own files, and
 * what is written there from now on goes into memory. Done once, by whoever asks first.
 *
 * @returns why that cannot be had here, as a test's option `skip`; false when it is done
 */
export function unprepared(): string | false {
  return (reason ??= prepare());
}

function prepare(): string | false {
  if (!mountsAreOurs())
    return "it writes over the machine's files: run it by test/lab/run";
  if (!ORIGINAL || !CLIENTS) return "no packages: suite.js ORIGINAL CLIENTS";
  if (process.env["LAB_KERNEL"] === "host") hideRunningState();
  completeDevices();
  for (const [name, folder] of Object.entries({ ORIGINAL, CLIENTS })) {
    mkdirSync(PACKAGES, { recursive: true });
    symlinkSync(resolve(folder), join(PACKAGES, name));
  }
  try {
    for (const folder of FILLED) lay(folder);
  } catch (error) {
    return `it needs overlays: ${(error as Error).message}`;
  }
  provideNode();
  return false;
}

/** A program of the original's package, wherever on the machine another has taken its place. */
export function originalProgram(name: string): string {
  const files = PROGRAM_FOLDERS.map((folder) =>
    join(PACKAGES, "ORIGINAL", folder, name),
  );
  return files.find((file) => existsSync(file)) ?? name;
}

/** Whether the mounts that are made here end with the lab, and nobody else sees them. */
function mountsAreOurs(): boolean {
  const kernel = process.env["LAB_KERNEL"];
  if (kernel !== "host") return kernel === "uml";
  return readlinkSync("/proc/self/ns/mnt") !== readlinkSync("/proc/1/ns/mnt");
}

/** Keeps daemons that run here from those of this machine: their pid files, sockets and locks. */
function hideRunningState(): void {
  execFileSync("mount", ["--make-rprivate", "/"]);
  execFileSync("mount", ["-t", "tmpfs", "tmpfs", "/run"]);
  mkdirSync("/run/netns");
}

/** What a booted machine has and a guest that was only just made has not. */
function completeDevices(): void {
  mkdirSync("/run/lock", { recursive: true });
  if (!existsSync("/dev/fd")) symlinkSync("/proc/self/fd", "/dev/fd");
}

/** Lays the packages' part of a folder, and a sheet that takes what is written, over the machine's. */
function lay(folder: string): void {
  const names = new Set([folder, folder.replace(/^\/usr/, "")]);
  const layers = ["CLIENTS", "ORIGINAL"]
    .flatMap((root) => [...names].map((name) => join(PACKAGES, root, name)))
    .filter((layer) => existsSync(layer));
  const upper = join(WRITTEN, folder, "upper");
  const work = join(WRITTEN, folder, "work");
  for (const one of [upper, work]) mkdirSync(one, { recursive: true });
  const lower = [...layers, folder].join(":");
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
  execFileSync("mount", ["-t", "overlay", "-o", options, "overlay", folder]);
}

/** Our programs ask env for node, which has to be where an init script looks. */
function provideNode(): void {
  const folders = SERVICE_PATH.split(":");
  if (!folders.some((folder) => existsSync(join(folder, "node"))))
    symlinkSync(process.execPath, "/usr/bin/node");
}
