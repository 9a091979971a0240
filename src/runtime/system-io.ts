import type { Io } from "./io.js";
import { systemClock } from "../system/clock.js";
import { bytesOf, sizeOf } from "../system/files.js";
import { systemNames } from "../system/names.js";
import { mayAdministerNetworks, mayOpenRawSockets } from "../system/process.js";
import { catchSignals } from "../system/signals.js";
import { processStreams, type Write } from "../system/streams.js";
import { enterFullScreen } from "../system/full-screen.js";
import { systemTerminal } from "../system/terminal.js";

/** The parts of an Io that differ between runtimes. */
export interface Runtime extends Pick<
  Io,
  "openLink" | "loadModule" | "program"
> {
  readonly write: Write;
}

/** The Io of this machine. */
export function systemIo({ write, ...runtime }: Runtime): Io {
  return {
    ...processStreams(write),
    ...runtime,
    names: systemNames(),
    mayOpenRawSockets,
    mayAdministerNetworks,
    kernelTable: () => bytesOf("/proc/net/ip_vs"),
    connectionsFile: "/proc/net/ip_vs_conn",
    procFolder: "/proc",
    sysFolder: "/sys",
    modulesFolder: "/lib/modules",
    runFolder: "/run",
    terminal: systemTerminal(),
    stdinBytes: () => sizeOf(0),
    clock: systemClock,
    catchSignals,
    enterFullScreen,
    environment: (name) => process.env[name],
  };
}
