import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EtcdStore } from "../../src/store/etcd/etcd-store.js";
import type { ClusterSettings } from "../../src/store/etcd/cluster.js";
import { systemClock } from "../../src/system/clock.js";
import type { TestCertificates } from "./certificates.js";
import { CuttableProxy } from "./cuttable-proxy.js";

/** The folder with etcd's programs: what test/provide-etcd prints. */
const ETCD_FOLDER = process.argv[2] ?? "test/.cache/etcd";

export const PAUSES = {
  sleep: systemClock.sleep.bind(systemClock),
  random: Math.random,
};

export interface ClusterOptions {
  readonly members?: number;
  /** Clients must show a certificate of this authority */
  readonly certificates?: TestCertificates;
  readonly arguments?: readonly string[];
  /** For a machine on which everything takes long, such as a guest: one processor, and long elections */
  readonly slow?: boolean;
  /** Where clients reach the members. Default: 127.0.0.1 */
  readonly address?: string;
  /** For clients and for the other members, two of each member. Default: free ones */
  readonly ports?: readonly number[];
  /** Where the members keep their data. Default: a temporary folder */
  readonly folder?: string;
  /** Whether the members reach each other by proxies, so that isolate() works */
  readonly proxies?: boolean;
}

/** A member of a cluster on loopback. */
export class TestMember {
  readonly endpoint: string;
  readonly #name: string;
  readonly #arguments: readonly string[];
  readonly #environment: Readonly<Record<string, string>>;
  #process: ChildProcess | undefined;
  /** The last lines that it wrote */
  #output = "";

  constructor(
    name: string,
    endpoint: string,
    args: readonly string[],
    environment: Readonly<Record<string, string>>,
  ) {
    this.#environment = environment;
    this.#name = name;
    this.endpoint = endpoint;
    this.#arguments = args;
  }

  start(): void {
    const child = spawn(join(ETCD_FOLDER, "etcd"), this.#arguments, {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, ...this.#environment },
    });
    child.stderr.on("data", (data: Buffer) => {
      this.#output = (this.#output + data.toString()).slice(-4000);
    });
    this.#process = child;
  }

  get output(): string {
    return `${this.#name}: ${this.#output}`;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** SIGKILL: it cannot tell anybody. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  /** SIGSTOP: its connections stay open, but it does not answer. */
  freeze(): void {
    this.#process?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#process?.kill("SIGCONT");
  }
}

/** A real etcd cluster on loopback, in a folder of its own. */
export class TestCluster implements AsyncDisposable {
  readonly members: readonly TestMember[];
  readonly #folder: string;
  readonly #options: ClusterOptions;
  readonly #stores: EtcdStore[] = [];
  /** Between the members, and between clients and members */
  readonly #proxies: CuttableProxy[] = [];
  readonly #peers: readonly CuttableProxy[];

  private constructor(
    members: readonly TestMember[],
    peers: readonly CuttableProxy[],
    folder: string,
    options: ClusterOptions,
  ) {
    this.#peers = peers;
    this.#proxies.push(...peers);
    this.members = members;
    this.#folder = folder;
    this.#options = options;
  }

  /** Starts a cluster, and waits until it answers. */
  static async start(options: ClusterOptions = {}): Promise<TestCluster> {
    const { members: size = 1, certificates, address = "127.0.0.1" } = options;
    const folder = mkdtempSync(
      join(options.folder ?? tmpdir(), "ipvsadm-etcd-"),
    );
    const ports = options.ports ?? (await freePorts(2 * size));
    const scheme = certificates ? "https" : "http";
    const peerPort = (i: number) => ports[2 * i + 1] ?? 0;
    const peers: CuttableProxy[] = [];
    if (options.proxies)
      for (let i = 0; i < size; i++)
        peers.push(await CuttableProxy.start(peerPort(i)));
    const advertised = (i: number) =>
      `http://127.0.0.1:${peers[i]?.port ?? peerPort(i)}`;
    const initial = Array.from(
      { length: size },
      (_, i) => `m${i}=${advertised(i)}`,
    );
    const members = initial.map((_, i) => {
      const endpoint = `${scheme}://${address}:${ports[2 * i] ?? 0}`;
      return new TestMember(
        `m${i}`,
        endpoint,
        [
          ...["--name", `m${i}`],
          ...["--data-dir", join(folder, `m${i}`)],
          ...["--listen-client-urls", endpoint],
          ...["--advertise-client-urls", endpoint],
          ...["--listen-peer-urls", `http://127.0.0.1:${peerPort(i)}`],
          ...["--initial-advertise-peer-urls", advertised(i)],
          ...["--initial-cluster", initial.join(",")],
          "--unsafe-no-fsync",
          ...(options.slow
            ? ["--heartbeat-interval", "500", "--election-timeout", "5000"]
            : ["--heartbeat-interval", "100", "--election-timeout", "1000"]),
          ...(certificates
            ? [
                ...["--cert-file", certificates.server.certificate],
                ...["--key-file", certificates.server.key],
                ...["--trusted-ca-file", certificates.authority],
                "--client-cert-auth",
              ]
            : []),
          ...(options.arguments ?? []),
        ],
        options.slow ? { GOMAXPROCS: "1", GODEBUG: "asyncpreemptoff=1" } : {},
      );
    });
    const cluster = new TestCluster(members, peers, folder, options);
    for (const member of members) member.start();
    await cluster.ready();
    return cluster;
  }

  get endpoints(): string[] {
    return this.members.map(({ endpoint }) => endpoint);
  }

  /** A client of all members. @param name of the client's certificate, if there are certificates */
  store(settings: Partial<ClusterSettings> = {}, name = "root"): EtcdStore {
    const { certificates } = this.#options;
    const store = new EtcdStore({
      endpoints: this.endpoints,
      certificates: () => (certificates ? filesOf(certificates, name) : {}),
      pauses: PAUSES,
      ...settings,
    });
    this.#stores.push(store);
    return store;
  }

  /** Runs etcdctl on all members. @returns what it writes */
  etcdctl(...words: readonly string[]): string {
    return execFileSync(
      join(ETCD_FOLDER, "etcdctl"),
      ["--endpoints", this.endpoints.join(","), ...words],
      { encoding: "utf8", env: { ...process.env, ETCDCTL_API: "3" } },
    );
  }

  /** Cuts a member off from the others, silently. Clients reach it. */
  isolate(member: number): void {
    const from = `http://127.0.0.1:${this.#peers[member]?.port ?? 0}`;
    for (const [i, proxy] of this.#peers.entries())
      proxy.cut(i === member ? { what: "both" } : { what: "both", from });
  }

  /** Ends isolate(). */
  join(): void {
    for (const proxy of this.#peers) proxy.join();
  }

  /** A network between a client and the members, one proxy each. */
  async network(): Promise<{
    readonly proxies: readonly CuttableProxy[];
    readonly endpoints: readonly string[];
  }> {
    const proxies: CuttableProxy[] = [];
    for (const endpoint of this.endpoints)
      proxies.push(await CuttableProxy.start(Number(new URL(endpoint).port)));
    this.#proxies.push(...proxies);
    const { certificates } = this.#options;
    return {
      proxies,
      endpoints: proxies.map(
        ({ port }) => `${certificates ? "https" : "http"}://127.0.0.1:${port}`,
      ),
    };
  }

  /** Waits until a read succeeds: then there is a leader. */
  async ready(): Promise<void> {
    const store = this.store({ deadlineMilliseconds: 240_000 });
    try {
      await store.get("ready");
    } catch (error) {
      const output = this.members.map((member) => member.output).join("\n");
      throw new Error(`etcd does not answer: ${output}`, { cause: error });
    }
    store.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.#stores) store.close();
    await Promise.all(this.members.map((member) => member.kill()));
    for (const proxy of this.#proxies) await proxy[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function filesOf(certificates: TestCertificates, name: string) {
  const { certificate, key } = certificates.client(name);
  return {
    authorities: readFileSync(certificates.authority),
    certificate: readFileSync(certificate),
    key: readFileSync(key),
  };
}

/** Ports that nothing listens on at the moment. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    ports.push((server.address() as AddressInfo).port);
  }
  for (const server of servers) {
    server.close();
    await once(server, "close");
  }
  return ports;
}
