import { GET_SERVICE, scriptedKernel } from "../classic/scripted-kernel.js";
import {
  addressKey,
  serverEntry,
  serviceEntry,
  stats,
} from "../fixtures/entries.js";
import { answersFrom } from "../fixtures/table-kernel.js";
import {
  MASQUERADING,
  TCP,
  UDP,
  type ServiceWithServers,
} from "../../src/ipvs/model.js";
import type { ScriptedLink } from "../netlink/scripted-link.js";

const SCHEDULERS = ["rr", "wrr", "wlc", "sh"];

/** A kernel whose table has traffic: each reading finds higher counters. */
export class DemoKernel {
  readonly link: ScriptedLink;
  table: ServiceWithServers[];
  /** Is called before each reading. */
  beforeReading: () => void = () => undefined;

  constructor(services: number, servers: number) {
    this.table = Array.from({ length: services }, (_, i) =>
      serviceOf(i, servers),
    );
    this.link = scriptedKernel((command, asked) => {
      if (command === GET_SERVICE) {
        this.beforeReading();
        this.table = this.table.map(grown);
        this.#answers = answersFrom(this.table);
      }
      return this.#answers(command, asked);
    });
  }

  #answers = answersFrom([]);

  /** Sets the weight of a server. */
  setWeight(service: number, server: number, weight: number): void {
    this.table = this.table.map((one, i) =>
      i !== service
        ? one
        : {
            ...one,
            servers: one.servers.map((entry, j) =>
              j !== server
                ? entry
                : { ...entry, settings: { ...entry.settings, weight } },
            ),
          },
    );
  }
}

/** A number from 0 to 1 that belongs to a place. */
function noise(seed: number): number {
  const x = Math.sin(seed * 12.9898) * 43_758.5453;
  return x - Math.floor(x);
}

function serviceOf(i: number, servers: number): ServiceWithServers {
  const [high, low] = [i >> 8, i & 255];
  const protocol = i % 11 === 10 ? UDP : TCP;
  const key = addressKey(
    protocol,
    `192.0.${high + 2}.${low}`,
    i % 3 ? 443 : 80,
  );
  const settings = { scheduler: SCHEDULERS[i % 4] ?? "rr" };
  const entries = Array.from({ length: servers }, (_, j) => {
    const active = Math.round(noise(i * 31 + j) ** 3 * 900);
    const limited = (i + j) % 7 === 0;
    const entry = serverEntry(`10.${i % 16}.0.${j + 11}`, 8080, {
      forwarding: MASQUERADING,
      weight: (i * servers + j) % 97 === 5 ? 0 : 1 + ((i + j) % 4),
      upperThreshold: limited ? 1000 : 0,
      lowerThreshold: limited ? 700 : 0,
    });
    return {
      ...entry,
      activeConnections: active,
      inactiveConnections: active >> 2,
    };
  });
  return serviceEntry(key, settings, entries);
}

/** The traffic of the next interval. One in eight services is idle. */
function grown(service: ServiceWithServers, i: number): ServiceWithServers {
  if (i % 8 === 7) return service;
  const servers = service.servers.map((server, j) => {
    const load = noise(i * 7 + j) * (0.7 + 0.6 * Math.random());
    const more = (per: number) => BigInt(Math.round(load * per));
    const { connections, inBytes, outBytes } = server.stats;
    return {
      ...server,
      stats: stats({
        connections: connections + more(40),
        inBytes: inBytes + more(90_000),
        outBytes: outBytes + more(1_500_000),
      }),
    };
  });
  const sum = (name: "connections" | "inBytes" | "outBytes") =>
    servers.reduce((total, { stats }) => total + stats[name], 0n);
  return {
    ...service,
    servers,
    stats: stats({
      connections: sum("connections"),
      inBytes: sum("inBytes"),
      outBytes: sum("outBytes"),
    }),
  };
}
