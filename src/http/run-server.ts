import type { Invocation } from "../cli/invocation.js";
import { EXIT } from "../cli/exit-status.js";
import { ServiceManager } from "../system/notify.js";
import type { ServerSettings } from "./access-options.js";
import { listenAddressText } from "./listen-address.js";
import { startServer, type Site } from "./server.js";

/**
 * Serves until a signal arrives. Prints where it listens.
 *
 * @param path the page that people open, or programs read
 * @param isAlive whether the program still does its work, for the watchdog of systemd
 * @param closing is called before the connections are closed
 * @returns the exit status
 */
export async function serveUntilSignal(
  { listen, access, exposesToken }: ServerSettings,
  site: Site,
  { io, output }: Invocation,
  path: string,
  isAlive: () => boolean = () => true,
  closing: () => void = () => undefined,
): Promise<number> {
  if (exposesToken)
    output.warn(
      "without TLS, everyone on the network path can read the token",
      "use --cert and --key, or a proxy with TLS",
    );
  let release: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    release = io.catchSignals(() => {
      resolve();
    });
  });
  const manager = new ServiceManager(io);
  try {
    const server = await startServer(listen, site, access);
    const place = listenAddressText(server.address);
    const scheme = access.tls ? "https" : "http";
    output.write(
      `listening on ${"path" in server.address ? place : `${scheme}://${place}${path}`}\n`,
    );
    io.flush();
    const fault = await manager.ready(isAlive);
    if (fault !== undefined) output.warn(fault);
    await Promise.race([ended, server.failed]);
    manager.stopping();
    closing();
    await server.close();
    return EXIT.ok;
  } finally {
    manager.close();
    release();
  }
}
