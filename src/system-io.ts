import type { Io } from "./io.js";
import { loadIpvsModule } from "./system/modprobe.js";
import { systemNames } from "./system/names.js";
import {
  mayAdministerNetworks,
  mayOpenRawSockets,
  programName,
} from "./system/process.js";
import { processStreams } from "./system/streams.js";
import { systemTerminal } from "./system/terminal.js";

/** The machine that the process runs on. */
export function systemIo(): Io {
  return {
    ...processStreams(),
    program: programName,
    names: systemNames(),
    openLink: async () =>
      (await import("./netlink/node-link.js")).openNodeLink(),
    loadModule: loadIpvsModule,
    mayOpenRawSockets,
    mayAdministerNetworks,
    connectionsFile: "/proc/net/ip_vs_conn",
    procFolder: "/proc",
    sysFolder: "/sys",
    terminal: systemTerminal(),
    environment: (name) => process.env[name],
  };
}
