/*
 * Runs after npm has installed the package. It replaces the launchers, which start Node.js, with the light program. Then
 * ipvsadm-node.cjs is the launcher for subcommands. If there is no light program for this machine, it changes nothing and
 * succeeds. Other package managers write scripts that start launchers with Node.js, so it acts only under npm.
 */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { dirname, join } from "node:path";

/** Gives a file a second name, or copies it where the file system cannot. */
function linkOrCopy(file: string, name: string): void {
  try {
    linkSync(file, name);
  } catch {
    copyFileSync(file, name);
  }
}

/** Replaces a launcher in one step: there is never a moment without one. */
function replace(launcher: string, program: string): void {
  const fresh = `${launcher}.new`;
  rmSync(fresh, { force: true });
  try {
    linkOrCopy(program, fresh);
    chmodSync(fresh, 0o755);
    renameSync(fresh, launcher);
  } finally {
    rmSync(fresh, { force: true });
  }
}

/** Whether a file is the program of this version, and runs here. */
function runs(program: string, version: string): boolean {
  const { stdout, status } = spawnSync(program, ["--version"], {
    encoding: "latin1",
    stdio: ["ignore", "pipe", "ignore"],
    timeout: 10_000,
  });
  return status === 0 && stdout.includes(` ${version})`);
}

/** The light program's file, from the package for this machine; undefined if npm has not installed it. */
function lightProgram(): string | undefined {
  try {
    const name = `ipvsadm-linux-${process.arch}`;
    return join(dirname(require.resolve(`${name}/package.json`)), "ipvsadm");
  } catch {
    return undefined;
  }
}

function useLightProgram(): void {
  if (!(process.env["npm_config_user_agent"] ?? "").startsWith("npm/")) return;
  const program = lightProgram();
  if (program === undefined) return;
  const { version } = JSON.parse(
    readFileSync(join(__dirname, "../../package.json"), "utf8"),
  ) as { version: string };
  if (!runs(program, version)) {
    console.error("ipvsadm: the light program does not run here");
    return;
  }
  const launcher = (name: string) => join(__dirname, `${name}.cjs`);
  const forNode = launcher("ipvsadm-node");
  if (!existsSync(forNode)) linkOrCopy(launcher("ipvsadm"), forNode);
  for (const name of ["ipvsadm", "ipvsadm-save", "ipvsadm-restore"])
    replace(launcher(name), program);
}

try {
  useLightProgram();
} catch (error) {
  // The launchers work as they are, so the installation must not fail.
  console.error(`ipvsadm: it will run on Node.js: ${String(error)}`);
}
