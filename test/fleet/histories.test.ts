import assert from "node:assert/strict";
import { test } from "node:test";
import { drainId, drainRecord } from "../../src/fleet/drain.js";
import { recordBytes } from "../../src/fleet/record.js";
import { updateOrder } from "../../src/fleet/update-order.js";
import { EINVAL } from "../../src/netlink/errno.js";
import { StoreError } from "../../src/store/store-error.js";
import { RevisionError } from "../../src/fleet/fleet-error.js";
import { address } from "../fixtures/entries.js";
import { MemoryCluster, type StoreTrouble } from "../store/memory-store.js";
import { Director, KEYS, NEVER, release, WEB, webTable } from "./rig.js";

/*
 * Random histories of a fleet: publishers, operators, directors that are killed at any step, reboot, lose the store or have a
 * kernel that refuses changes. After each step, what must always hold is checked. A seed repeats a history.
 */

const HISTORIES = Number(process.env["FLEET_HISTORIES"] ?? 300);
const STEPS = 30;
const HOSTS = ["11", "12", "13", "14", "15"];

/** Numbers that look random; the same seed gives the same ones. @see Marsaglia, Xorshift RNGs */
function generator(seed: number): (below: number) => number {
  let state = seed * 2654435761 + 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** A director in a history, and what is known of it. */
class Subject {
  readonly director: Director;
  trouble: StoreTrouble | undefined;
  refuses = false;
  /** Somebody changed the kernel's table by hand, and no revision was applied since */
  edited = false;
  /** Its process is dead, perhaps in the middle of a change */
  dead = false;
  /** The hosts that it has drained */
  drained: ReadonlySet<string> = new Set();

  constructor(cluster: MemoryCluster, name: string, heals: boolean) {
    const store = cluster.client(() => this.trouble);
    this.director = new Director(cluster, { director: name, heals }, { store });
  }
}

class History {
  readonly cluster = new MemoryCluster();
  readonly subjects: readonly Subject[];
  /** The tables that were published, as texts of servers */
  readonly published = new Set<string>([""]);
  readonly drains = new Set<string>();
  readonly #below: (below: number) => number;
  readonly trace: string[] = [];

  constructor(seed: number) {
    this.#below = generator(seed);
    this.subjects = [0, 1, 2].map(
      (i) => new Subject(this.cluster, `lb${i}`, this.#below(2) === 0),
    );
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.#below(items.length)] as Item;
  }

  async step(): Promise<void> {
    const act = this.pick([
      () => this.publish(),
      () => this.follow(),
      () => this.follow(),
      () => this.follow(),
      () => this.kill(),
      () => this.revive(),
      () => this.drain(),
      () => this.pause(),
      () => this.edit(),
      () => this.look(),
      () => this.break(),
    ]);
    await act();
    for (const subject of this.subjects) this.check(subject);
  }

  async publish(): Promise<void> {
    const hosts = HOSTS.filter(() => this.#below(3) > 0);
    const servers = hosts.map((host) => `${host}*${1 + this.#below(3)}`);
    this.trace.push(`publish ${servers.join()}`);
    const trouble = this.pick<StoreTrouble | undefined>([
      undefined,
      undefined,
      "answer lost",
    ]);
    let lost = trouble;
    const store = this.cluster.client((call) => {
      if (call !== "commit") return undefined;
      const now = lost;
      lost = undefined;
      return now;
    });
    try {
      await release(store, webTable(...servers), { force: this.#below(2) > 0 });
      this.published.add(servers.join());
    } catch (error) {
      assert.ok(error instanceof RevisionError, String(error));
      assert.equal(error.kind, "removes-too-much");
    }
  }

  async follow(): Promise<void> {
    const subject = this.pick(this.subjects);
    if (subject.dead) return;
    this.trace.push(`${this.name(subject)} follows`);
    await this.attempt(subject, () => subject.director.follow());
  }

  /** Lets an agent do something. The loss of the store is the only error that may come out of it. */
  async attempt(subject: Subject, act: () => Promise<unknown>): Promise<void> {
    const before = subject.director.agent.state.applied;
    let succeeded = false;
    try {
      await act();
      subject.drained = new Set(this.drains);
      succeeded = true;
    } catch (error) {
      assert.ok(error instanceof StoreError, String(error));
    }
    const { applied, condition, heals, paused } = subject.director.agent.state;
    const healed = succeeded && heals && !paused && condition === "ok";
    if (applied !== before || healed) subject.edited = false;
  }

  async kill(): Promise<void> {
    const subject = this.pick(this.subjects);
    if (subject.dead) return;
    const step = this.#below(15);
    const { edited } = subject;
    this.trace.push(`${this.name(subject)} is killed at step ${step}`);
    await this.attempt(subject, () => subject.director.killedAt(step));
    subject.dead = true;
    subject.edited = edited;
    // It may have carried out drains, or not.
    subject.drained = new Set();
  }

  async revive(): Promise<void> {
    const subject = this.pick(this.subjects);
    const reboots = this.#below(2) === 0;
    this.trace.push(
      `${this.name(subject)} ${reboots ? "reboots" : "restarts"}`,
    );
    const { director, edited } = subject;
    await this.attempt(subject, () =>
      reboots ? director.reboot() : director.restart(),
    );
    subject.dead = false;
    subject.drained = new Set();
    subject.edited = edited && (!reboots || subject.refuses);
  }

  async drain(): Promise<void> {
    const host = this.pick(HOSTS);
    const server = { address: address(`10.0.0.${host}`), port: undefined };
    const id = drainId(undefined, server);
    const key = KEYS.drain(id);
    if (this.drains.delete(host)) {
      this.trace.push(`undrain ${host}`);
      this.cluster.commit([], [{ remove: key }]);
      for (const subject of this.subjects)
        subject.drained = new Set(
          [...subject.drained].filter((one) => one !== host),
        );
      return;
    }
    this.trace.push(`drain ${host}`);
    this.drains.add(host);
    const record = drainRecord({
      id,
      service: undefined,
      server,
      author: "alice",
      at: "2026-01-02T03:04:05.000Z",
    });
    this.cluster.commit([], [{ put: key, value: recordBytes(record) }]);
    await Promise.resolve();
  }

  async pause(): Promise<void> {
    const subject = this.pick(this.subjects);
    const paused = this.#below(2) === 0;
    this.trace.push(`${paused ? "pause" : "resume"} ${this.name(subject)}`);
    await updateOrder(
      this.cluster.client(),
      KEYS,
      subject.director.agent.name,
      (order) => ({ ...order, paused }),
    );
  }

  /** Somebody removes a server by hand. */
  async edit(): Promise<void> {
    const subject = this.pick(this.subjects);
    const host = this.pick(HOSTS);
    const refused = subject.director.kernel.apply({
      command: "delete-server",
      service: WEB,
      server: { address: address(`10.0.0.${host}`), port: 80 },
    });
    if (refused !== undefined) return;
    this.trace.push(`somebody removes ${host} from ${this.name(subject)}`);
    subject.edited = true;
    await Promise.resolve();
  }

  async look(): Promise<void> {
    const subject = this.pick(this.subjects);
    if (subject.dead) return;
    this.trace.push(`${this.name(subject)} looks for drift`);
    const { drained } = subject;
    await this.attempt(subject, () =>
      subject.director.agent.lookForDrift(NEVER),
    );
    subject.drained = drained;
  }

  /** The store or the kernel of a director fails, or works again. */
  async break(): Promise<void> {
    const subject = this.pick(this.subjects);
    subject.trouble = this.pick([undefined, undefined, "unreachable"]);
    subject.refuses = this.#below(4) === 0;
    this.trace.push(
      `${this.name(subject)}: store ${subject.trouble ?? "works"}, kernel ${subject.refuses ? "refuses 14" : "works"}`,
    );
    subject.director.trouble = (change) =>
      subject.refuses &&
      change.command === "add-server" &&
      change.server.address[3] === 14
        ? EINVAL
        : undefined;
    await Promise.resolve();
  }

  /** What must hold after each step. */
  check(subject: Subject): void {
    const { director, drained, dead, edited } = subject;
    for (const server of director.servers) {
      const [host = "", weight] = server.split("*");
      if (drained.has(host) && !dead)
        assert.equal(weight, "0", `${this.name(subject)}: ${host} is drained`);
    }
    if (dead || edited || subject.refuses) return;
    assert.ok(
      [...this.published].some((text) => fits(text, director.servers)),
      `${this.name(subject)} has a mix: ${director.servers.join()}`,
    );
  }

  /** All troubles end: every director gets the released revision. */
  async end(): Promise<void> {
    const { found } = await this.cluster.client().get(KEYS.head("web"));
    for (const subject of this.subjects) {
      subject.trouble = undefined;
      subject.refuses = false;
      if (subject.dead) await subject.director.restart();
      const { name } = subject.director.agent;
      await updateOrder(this.cluster.client(), KEYS, name, (order) => ({
        ...order,
        paused: false,
      }));
      subject.director.agent.retry();
      await subject.director.follow();
      const { wanted, applied, reason } = subject.director.agent.state;
      if (reason?.includes("removes")) continue;
      assert.equal(applied, found ? wanted : undefined, reason);
    }
  }

  name({ director }: Subject): string {
    return director.agent.name;
  }
}

/** Whether servers are those of a published table, apart from drained ones. */
function fits(text: string, servers: readonly string[]): boolean {
  const wanted = text === "" ? [] : text.split(",").sort();
  return (
    wanted.length === servers.length &&
    wanted.every((one, i) => {
      const [host, weight] = one.split("*");
      const [found, has] = (servers[i] ?? "").split("*");
      return host === found && (has === weight || has === "0");
    })
  );
}

test(`in ${HISTORIES} random histories, every director has a published revision and no drain is undone`, async () => {
  const first = Number(process.env["FLEET_SEED"] ?? 1);
  for (let seed = first; seed < first + HISTORIES; seed++) {
    const history = new History(seed);
    try {
      for (let i = 0; i < STEPS; i++) await history.step();
      await history.end();
    } catch (error) {
      throw new Error(
        `FLEET_SEED=${seed} FLEET_HISTORIES=1:\n${history.trace.join("\n")}`,
        { cause: error },
      );
    }
  }
});
