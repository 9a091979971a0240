import { Agent } from "../../src/fleet/agent/agent.js";
import type {
  AgentEnvironment,
  AgentSettings,
} from "../../src/fleet/agent/agent-environment.js";
import { FleetKeys } from "../../src/fleet/keys.js";
import { publish, type Publication } from "../../src/fleet/publish.js";
import { fleetLine } from "../../src/commands/fleet/explain.js";
import { INET } from "../../src/ipvs/address.js";
import {
  IPIP,
  MASQUERADING,
  TCP,
  wholeNetmask,
  type ServiceKey,
} from "../../src/ipvs/model.js";
import type { Table } from "../../src/ipvs/table.js";
import type { Store } from "../../src/store/store.js";
import { address } from "../fixtures/entries.js";
import { clientOf, type Trouble } from "../plan/model-client.js";
import { ModelKernel } from "../plan/model-kernel.js";
import { MemoryCluster } from "../store/memory-store.js";
import type { Change } from "../../src/ipvs/change.js";

export const KEYS = new FleetKeys("/fleet/");
export const NEVER: AbortSignal = new AbortController().signal;

export const WEB: ServiceKey = {
  family: INET,
  protocol: TCP,
  address: address("192.0.2.1"),
  port: 80,
};

/** A table of one service. @param servers `11*3`: 10.0.0.11 with weight 3; by default with weight 1 */
export function webTable(...servers: readonly string[]): Table {
  return {
    services: [
      {
        key: WEB,
        settings: {
          scheduler: "wlc",
          flags: 0,
          timeoutSeconds: 0,
          netmask: wholeNetmask(INET),
        },
        servers: servers.map((text) => {
          const [host = "", weight = "1"] = text.split("*");
          return {
            key: { address: address(`10.0.0.${host}`), port: 80 },
            settings: {
              forwarding: MASQUERADING,
              weight: Number(weight),
              tunnel: IPIP,
              upperThreshold: 0,
              lowerThreshold: 0,
            },
          };
        }),
      },
    ],
  };
}

export const EMPTY: Table = { services: [] };

/** The servers of the web service in a kernel, in the form of webTable(), sorted. */
export function serversIn(kernel: ModelKernel): string[] {
  return kernel.current.services
    .flatMap(({ servers }) => servers)
    .map(({ key, settings }) => `${key.address[3] ?? 0}*${settings.weight}`)
    .sort();
}

let publications = 0;

/** Publishes a table as the next revision of `web`. */
export async function release(
  store: Store,
  table: Table,
  change: Partial<Publication> = {},
): Promise<number> {
  const { revision } = await publish(store, KEYS, {
    name: "web",
    table,
    author: "alice",
    message: "test",
    at: "2026-01-02T03:04:05.000Z",
    id: `id-${++publications}`,
    release: true,
    force: false,
    allowEmpty: false,
    ...change,
  });
  return revision.revision;
}

/** A director for tests: an agent with models of the store, the kernel and the disk. */
export class Director {
  readonly kernel: ModelKernel;
  readonly log: string[] = [];
  bootId = "boot-1";
  file: string | undefined;
  /** Servers that `ipvsadm drain` drains on this machine */
  drainedHere: readonly string[] = [];
  trouble: (change: Change) => Trouble | undefined = () => undefined;
  /** Called before each step of the agent outside of it; may throw */
  step: (what: string) => void = () => undefined;
  agent: Agent;
  readonly #store: Store;
  readonly #settings: AgentSettings;

  constructor(
    cluster: MemoryCluster,
    settings: Partial<AgentSettings> = {},
    { kernel, store }: { kernel?: ModelKernel; store?: Store } = {},
  ) {
    this.#store = store ?? cluster.client();
    this.kernel = kernel ?? new ModelKernel({ services: [] });
    this.#settings = {
      director: "lb1",
      table: "web",
      labels: {},
      heals: false,
      dryRun: false,
      mostRemovals: 0.5,
      version: "1",
      ...settings,
    };
    this.agent = this.#newAgent();
  }

  /** The agent's process ends, and another one starts. */
  async restart(): Promise<void> {
    this.agent = this.#newAgent();
    await this.agent.start(NEVER);
  }

  /** The machine boots: the kernel's table is empty. */
  async reboot(): Promise<void> {
    this.bootId += "+";
    this.kernel.apply({ command: "flush" });
    await this.restart();
  }

  /** Does what run-agent does after something changed in the store. */
  async follow(): Promise<void> {
    await this.agent.read(NEVER);
    this.agent.retry();
    await this.agent.settle(NEVER);
    await this.agent.lookForDrift(NEVER);
  }

  /**
   * Follows the store, and dies at a step: from there on, nothing that the process does has an effect.
   *
   * @returns false if it ended before that step
   */
  async killedAt(kill: number): Promise<boolean> {
    let count = 0;
    this.step = () => {
      if (count++ >= kill) throw new Error("killed");
    };
    try {
      await this.follow();
    } catch (error) {
      if (count <= kill) throw error;
    } finally {
      this.step = () => undefined;
    }
    return count > kill;
  }

  get servers(): string[] {
    return serversIn(this.kernel);
  }

  #newAgent(): Agent {
    const client = () => {
      const inner = clientOf(this.kernel, (change) => {
        this.step("before a change");
        return this.trouble(change);
      });
      return {
        ...inner,
        table: () => {
          this.step("read the table");
          return inner.table();
        },
        apply: (changes: readonly Change[]) => {
          const answer = inner.apply(changes);
          this.step("after the changes");
          return answer;
        },
      };
    };
    const environment: AgentEnvironment = {
      store: this.#store,
      keys: KEYS,
      kernel: {
        open: () => Promise.resolve(client()),
        reset: () => undefined,
        lock: () => ({
          release: () => undefined,
          [Symbol.dispose]: () => undefined,
        }),
      },
      disk: {
        read: () => this.file,
        write: (text) => {
          this.step("before the file is written");
          this.file = text;
          this.step("after the file was written");
        },
      },
      bootId: this.bootId,
      now: () => "2026-01-02T03:04:05.000Z",
      isDrainedHere: (_, server) =>
        this.drainedHere.includes(String(server.address[3])),
      explain: (error) => fleetLine(error, ["etcd"]),
      log: (line) => this.log.push(line),
    };
    return new Agent(this.#settings, environment);
  }
}
