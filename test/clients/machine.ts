import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readlinkSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";

// Run as `suite.js ORIGINAL CLIENTS`: the folders of fetch-original and fetch-clients.
const [ORIGINAL, CLIENTS] = process.argv.slice(2);

/** The search path of init scripts and daemons. */
export const SERVICE_PATH =
  "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Where the packages are mounted, and where written files go. */
const PACKAGES = "/run/packages";
const WRITTEN = "/run/written";

/**
 * Debian's packages install administrator programs in these folders, which are the same on the
 * machine.
 */
const PROGRAM_FOLDERS = ["usr/sbin", "sbin"];

/**
 * The folders that packages install into, on a machine where /bin, /lib and /sbin are links into
 * /usr.
 */
const FILLED = ["/usr/bin", "/usr/sbin", "/usr/lib", "/usr/share", "/etc"];

let reason: string | false | undefined;

/**
 * Makes this machine look as if the packages were installed: mounts them over its files, with
 * written files in memory. Only the first call does something.
 *
 * @returns the reason why that is impossible, for the option `skip` of a test; false on success
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

/** A program of the original's package, even if another one replaces it on the machine. */
export function originalProgram(name: string): string {
  const files = PROGRAM_FOLDERS.map((folder) =>
    join(PACKAGES, "ORIGINAL", folder, name),
  );
  return files.find((file) => existsSync(file)) ?? name;
}

/** Whether mounts made here end with the lab and are invisible outside. */
function mountsAreOurs(): boolean {
  const kernel = process.env["LAB_KERNEL"];
  if (kernel !== "host") return kernel === "uml";
  return readlinkSync("/proc/self/ns/mnt") !== readlinkSync("/proc/1/ns/mnt");
}

/** Separates daemons in the lab from those of this machine: pid files, sockets and locks. */
function hideRunningState(): void {
  execFileSync("mount", ["--make-rprivate", "/"]);
  execFileSync("mount", ["-t", "tmpfs", "tmpfs", "/run"]);
  mkdirSync("/run/netns");
}

/** Creates what a booted machine has and a new guest lacks. */
function completeDevices(): void {
  mkdirSync("/run/lock", { recursive: true });
  if (!existsSync("/dev/fd")) symlinkSync("/proc/self/fd", "/dev/fd");
}

/** Mounts the packages' part of a folder, and a writable layer, over the machine's folder. */
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

/** Our programs call env to find node, so node must be where init scripts search. */
function provideNode(): void {
  const folders = SERVICE_PATH.split(":");
  if (!folders.some((folder) => existsSync(join(folder, "node"))))
    symlinkSync(process.execPath, "/usr/bin/node");
}
