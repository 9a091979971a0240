import { INET, INET6, type Family } from "../../ipvs/address.js";
import { ONE_PACKET, SCTP, TCP, UDP, type Protocol } from "../../ipvs/model.js";
import { schedulerFlag } from "../../ipvs/scheduler-flags.js";
import { SCHEDULERS } from "../../ipvs/schedulers.js";
import { nearest } from "../../text/nearest.js";
import type { SourcePosition } from "../configuration-builder.js";
import { readMethod, type ForwardingMethod } from "./forwarding-method.js";
import {
  readRealServer,
  readServerAddress,
  type RealServer,
} from "./real-server.js";
import type { StatementReader } from "./statement-reader.js";
import type { Statement, Word } from "./statements.js";

const MAXIMUM_TIMEOUT_SECONDS = 31 * 24 * 60 * 60;
const DEFAULT_TIMEOUT_SECONDS = 360;
const ENGINE_BYTES = 16;

/** Schedulers that keepalived accepts besides those of Linux. */
const OTHER_SCHEDULERS = ["twos"];

const PROTOCOLS: ReadonlyMap<string, Protocol> = new Map([
  ["TCP", TCP],
  ["UDP", UDP],
  ["SCTP", SCTP],
]);

/** Keywords that configure checks, quorums and notifications, and say nothing about the table. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  "delay_loop",
  "ha_suspend",
  "smtp_alert",
  "virtualhost",
  "snmp_name",
  "alpha",
  "omega",
  "quorum",
  "hysteresis",
  "quorum_up",
  "quorum_down",
  "connect_timeout",
  "retry",
  "delay_before_retry",
  "warmup",
  "hashed",
]);

const KNOWN = [
  "lvs_sched",
  "lb_algo",
  "lvs_method",
  "lb_kind",
  "persistence_timeout",
  "persistence_granularity",
  "persistence_engine",
  "protocol",
  "ops",
  "ip_family",
  "weight",
  "inhibit_on_failure",
  "real_server",
  "sorry_server",
  "sorry_server_inhibit",
  "sorry_server_lvs_method",
  ...WITHOUT_EFFECT,
];

/** Reads a virtual_server block. Settings have the defaults of keepalived 2.2. */
export class VirtualServer {
  scheduler = "wlc";
  /** The flags of the scheduler, and one-packet scheduling */
  flags = 0;
  method: ForwardingMethod | undefined;
  timeoutSeconds = 0;
  granularity: Word | undefined;
  engine: string | undefined;
  protocol: Protocol | undefined;
  family: Family | undefined;
  weight = 1;
  inhibit = false;
  sorryServer: RealServer | undefined;
  readonly servers: RealServer[] = [];
  /** Whether a real server was left out, because it has an error */
  isIncomplete = false;
  readonly parts: Record<string, SourcePosition> = {};
  readonly at: SourcePosition;
  readonly isInvalid: boolean;
  readonly #reader: StatementReader;

  constructor({ block, at }: Statement, reader: StatementReader) {
    this.at = at;
    this.#reader = reader;
    let errors = 0;
    for (const inner of block ?? []) {
      const before = reader.builder.errorCount;
      this.#read(inner);
      if (inner.keyword !== "real_server")
        errors += reader.builder.errorCount - before;
    }
    this.isInvalid = errors > 0;
  }

  #read(statement: Statement): void {
    const reader = this.#reader;
    const { keyword, at } = statement;
    if (WITHOUT_EFFECT.has(keyword) || !reader.applies(statement)) return;
    switch (keyword) {
      case "lvs_sched":
      case "lb_algo":
        this.#readScheduler(statement);
        break;
      case "lvs_method":
      case "lb_kind":
        this.method = readMethod(statement, reader) ?? this.method;
        break;
      case "persistence_timeout":
        this.#readTimeout(statement);
        break;
      case "persistence_granularity":
        this.#readMask(statement);
        break;
      case "persistence_engine":
        this.#readEngine(statement);
        break;
      case "protocol":
        this.#readProtocol(statement);
        break;
      case "ip_family":
        this.#readFamily(statement);
        break;
      case "ops":
        this.flags |= ONE_PACKET;
        this.parts["onePacket"] = at;
        break;
      case "weight":
        this.weight = reader.number(statement, 1, 0x7fffffff) ?? this.weight;
        break;
      case "inhibit_on_failure":
        this.inhibit = reader.flag(statement) ?? this.inhibit;
        break;
      case "real_server":
        this.#readServer(statement);
        break;
      case "sorry_server":
        this.#readSorryServer(statement);
        break;
      case "sorry_server_inhibit":
        break;
      case "sorry_server_lvs_method":
        this.#readSorryMethod(statement);
        break;
      default:
        this.#readSchedulerFlag(statement);
    }
  }

  #readScheduler(statement: Statement): void {
    const word = this.#reader.word(statement, "a scheduler, such as wlc");
    if (!word) return;
    const known = [...SCHEDULERS.keys(), ...OTHER_SCHEDULERS];
    if (!known.includes(word.text)) {
      const meant = nearest(word.text, known);
      this.#reader.ignored(
        word,
        `unknown scheduler "${word.text}"`,
        meant === undefined
          ? `schedulers of Linux: ${[...SCHEDULERS.keys()].join(", ")}`
          : `did you mean ${meant}?`,
      );
      return;
    }
    this.scheduler = word.text;
    this.parts["scheduler"] = word.at;
  }

  /** The flags of sh and mh count only below their scheduler. */
  #readSchedulerFlag(statement: Statement): void {
    const { keyword, at } = statement;
    const flag = schedulerFlag(keyword);
    if (!flag) this.#reader.unknown(statement, KNOWN);
    else if (flag.scheduler !== undefined && flag.scheduler !== this.scheduler)
      this.#reader.ignored(
        { at },
        `${keyword} needs scheduler ${flag.scheduler}`,
        `write lvs_sched ${flag.scheduler} above this line, or remove it`,
      );
    else {
      this.flags |= flag.bit;
      this.parts["flags"] = at;
    }
  }

  #readTimeout(statement: Statement): void {
    this.parts["timeout"] = statement.at;
    const [word] = statement.arguments;
    if (!word) this.timeoutSeconds = DEFAULT_TIMEOUT_SECONDS;
    else if (/^0+$/.test(word.text))
      this.#reader.ignored(word, "a persistence timeout of 0 is not valid");
    else
      this.timeoutSeconds =
        this.#reader.numberOf(word, 1, MAXIMUM_TIMEOUT_SECONDS) ?? 0;
  }

  #readMask(statement: Statement): void {
    const word = this.#reader.word(statement, "a netmask");
    if (!word) return;
    this.parts["netmask"] = word.at;
    this.granularity = word;
    if (this.timeoutSeconds === 0)
      this.timeoutSeconds = DEFAULT_TIMEOUT_SECONDS;
  }

  #readEngine(statement: Statement): void {
    const word = this.#reader.word(statement, "a persistence engine: sip");
    if (!word) return;
    this.parts["engine"] = word.at;
    this.engine = word.text.slice(0, ENGINE_BYTES - 1);
  }

  #readProtocol(statement: Statement): void {
    const word = this.#reader.word(statement, "TCP, UDP or SCTP");
    if (!word) return;
    const protocol = PROTOCOLS.get(word.text.toUpperCase());
    if (protocol === undefined)
      this.#reader.ignored(
        word,
        `unknown protocol "${word.text}"`,
        "use TCP, UDP or SCTP",
      );
    else this.protocol = protocol;
  }

  #readFamily(statement: Statement): void {
    const word = this.#reader.word(statement, "inet or inet6");
    if (!word) return;
    if (word.text === "inet") this.family = INET;
    else if (word.text === "inet6") this.family = INET6;
    else
      this.#reader.ignored(
        word,
        `unknown address family "${word.text}"`,
        "use inet or inet6",
      );
  }

  #readServer(statement: Statement): void {
    const server = readRealServer(statement, this.#reader);
    if (server) this.servers.push(server);
    if (!server || server.isInvalid) this.isIncomplete = true;
  }

  #readSorryServer(statement: Statement): void {
    const server = readServerAddress(statement, this.#reader);
    if (!server) return;
    this.sorryServer = {
      ...server,
      at: statement.at,
      weight: undefined,
      method: undefined,
      upperThreshold: 0,
      lowerThreshold: 0,
      inhibit: undefined,
      isChecked: false,
      hasDynamicWeight: false,
      isInvalid: false,
    };
  }

  #readSorryMethod(statement: Statement): void {
    const method = readMethod(statement, this.#reader);
    if (this.sorryServer && method)
      this.sorryServer = { ...this.sorryServer, method };
  }
}
