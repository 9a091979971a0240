import type { Io } from "./io.js";
import { systemIo } from "./system-io.js";
import { loadIpvsModule } from "../system/modprobe.js";
import { programName } from "../system/process.js";
import { writeByNode } from "../system/streams.js";

/** The Io of Node.js. */
export function nodeIo(): Io {
  return systemIo({
    openLink: async (family) =>
      (await import("../netlink/node-link.js")).openNodeLink(family),
    loadModule: loadIpvsModule,
    program: programName,
    write: writeByNode,
  });
}
