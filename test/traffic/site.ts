import { after, afterEach, before } from "node:test";
import { fileURLToPath } from "node:url";
import { startServer, type Server } from "../lab/http.js";
import {
  buildNetwork,
  type Network,
  type NetworkPlan,
} from "../lab/network.js";
import { startServerProgram } from "../lab/server.js";
import { type Caller, startCaller } from "./caller.js";
import { forgetConnections } from "./forget-connections.js";
import { ipvsadm } from "./ipvsadm.js";

/** The servers on a host of a site. */
export interface Services {
  /** Ports at which an HTTP server listens on all addresses of the host. */
  readonly http?: readonly number[];
  /** `ADDRESS:PORT` of the datagram servers. */
  readonly datagrams?: readonly string[];
}

/** A network with servers and a client. It exists while the tests of a suite run. */
export interface Site {
  readonly network: Network;
  /** The client on the host `client`. */
  readonly client: Caller;
}

const DATAGRAM_SERVER = fileURLToPath(
  new URL("datagram-server.js", import.meta.url),
);

/**
 * Creates a site before the first test of a suite and removes it after the last one. There is no service
 * and no connection at the beginning of each test.
 */
export function siteOf(
  plan: NetworkPlan,
  services: Readonly<Record<string, Services>>,
): Site {
  let network: Network | undefined;
  let client: Caller | undefined;
  const servers: Server[] = [];
  before(async () => {
    await ipvsadm("-C"); // loads the module, which creates its sysctls
    network = buildNetwork(plan);
    for (const [host, wanted] of Object.entries(services))
      servers.push(...(await startServices(host, wanted)));
    client = startCaller("client");
  });
  afterEach(forgetConnections);
  after(async () => {
    await client?.stop();
    for (const server of servers) await server.stop();
    network?.[Symbol.dispose]();
  });
  return {
    get network() {
      return there(network);
    },
    get client() {
      return there(client);
    },
  };
}

async function startServices(
  host: string,
  { http, datagrams }: Services,
): Promise<Server[]> {
  const words = [process.execPath, DATAGRAM_SERVER, host, ...(datagrams ?? [])];
  return [
    ...(http ? [await startServer(host, http)] : []),
    ...(datagrams ? [await startServerProgram(host, "UDP server", words)] : []),
  ];
}

function there<T>(part: T | undefined): T {
  if (part === undefined) throw new Error("the site is there in tests only");
  return part;
}
