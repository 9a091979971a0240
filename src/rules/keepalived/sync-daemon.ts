import { parseAddress } from "../../ipvs/address.js";
import { BACKUP, MASTER, type Daemon } from "../../ipvs/model.js";
import { parseNumber, type StatementReader } from "./statement-reader.js";
import type { Statement, Word } from "./statements.js";

const INTERFACE_BYTES = 15;

type DaemonSettings = Omit<Daemon, "state">;

/** What a VRRP instance says about the sync daemon that follows it. */
interface VrrpInstance {
  readonly isMaster: boolean;
  readonly id: number | undefined;
}

/**
 * Reads `lvs_sync_daemon INTERFACE [[inst] INSTANCE] [id N] [maxlen N] [port N] [ttl N] [group ADDRESS]`.
 *
 * With an instance, keepalived runs the master or the backup daemon, depending on the state of VRRP. Without one, it runs
 * both.
 *
 * @param instances the vrrp_instance blocks of the configuration
 */
export function readSyncDaemon(
  statement: Statement,
  instances: readonly Statement[],
  reader: StatementReader,
): void {
  const word = reader.word(statement, "the name of an interface");
  if (!word) return;
  if (Buffer.byteLength(word.text) > INTERFACE_BYTES) {
    reader.invalid(
      word,
      `the name of an interface, at most ${INTERFACE_BYTES} bytes`,
    );
    return;
  }
  const options = readOptions(statement.arguments.slice(1), reader);
  const { instance, group, ...numbers } = options;
  const vrrp = instance && findInstance(instance, instances, reader);
  const settings: DaemonSettings = {
    multicastInterface: Buffer.from(word.text).toString("latin1"),
    syncId: numbers.id ?? (vrrp ? (vrrp.id ?? 0) : 0),
    maximumLength: numbers.maxlen,
    multicastPort: numbers.port,
    multicastTtl: numbers.ttl,
    multicastGroup: group && parseAddress(group.text),
  };
  const master: Daemon = { state: MASTER, ...settings };
  const backup: Daemon = { state: BACKUP, ...settings };
  const isFollowing = vrrp !== undefined;
  const running = !isFollowing
    ? [master, backup]
    : [vrrp.isMaster ? master : backup];
  const parts = group && { group: group.at };
  reader.builder.setDaemons(
    running,
    statement.at,
    parts ?? {},
    isFollowing ? [master, backup] : undefined,
  );
}

interface Options {
  readonly instance?: Word;
  readonly id?: number;
  readonly maxlen?: number;
  readonly port?: number;
  readonly ttl?: number;
  readonly group?: Word;
}

const LIMITS = {
  id: [0, 255],
  maxlen: [1, 65507],
  port: [1, 65535],
  ttl: [1, 255],
} as const;

function readOptions(words: readonly Word[], reader: StatementReader): Options {
  let options: Options = {};
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (!word) break;
    const name = word.text;
    const value = words[i + 1];
    const isNamed =
      name === "inst" || name === "group" || Object.hasOwn(LIMITS, name);
    if (!isNamed && i === 0) {
      options = { ...options, instance: word };
      continue;
    }
    if (!isNamed || !value) {
      reader.invalid(
        word,
        "inst, id, maxlen, port, ttl or group, with a value",
      );
      break;
    }
    i++;
    if (name === "inst") options = { ...options, instance: value };
    else if (name === "group") {
      if (parseAddress(value.text)) options = { ...options, group: value };
      else reader.invalid(value, "an IPv4 or IPv6 address");
    } else {
      const [minimum, maximum] = LIMITS[name as keyof typeof LIMITS];
      const number = reader.numberOf(value, minimum, maximum);
      options = { ...options, [name]: number };
    }
  }
  return options;
}

/** The VRRP instance of a sync daemon; undefined if there is none with this name. */
function findInstance(
  name: Word,
  instances: readonly Statement[],
  reader: StatementReader,
): VrrpInstance | undefined {
  const found = instances.find(
    ({ arguments: [first] }) => first?.text === name.text,
  );
  if (!found) {
    reader.invalid(name, "the name of a vrrp_instance of this configuration");
    return undefined;
  }
  const argumentOf = (keyword: string) =>
    found.block?.find(
      (inner) => inner.keyword === keyword && reader.applies(inner),
    )?.arguments[0]?.text;
  const id = parseNumber(argumentOf("virtual_router_id") ?? "", 1, 255);
  return { isMaster: argumentOf("state") === "MASTER", id };
}

/** Reads `lvs_timeouts [tcp SECONDS] [tcpfin SECONDS] [udp SECONDS]`. What is not given keeps its value. */
export function readTimeouts(
  { arguments: words, at }: Statement,
  reader: StatementReader,
): void {
  const seconds = new Map<string, number>();
  for (let i = 0; i < words.length; i += 2) {
    const [name, value] = [words[i], words[i + 1]];
    if (!name) break;
    if (!["tcp", "tcpfin", "udp"].includes(name.text) || !value) {
      reader.invalid(name, "tcp, tcpfin or udp, with a number of seconds");
      return;
    }
    const number = reader.numberOf(value, 1, 0x7fffffff);
    if (number === undefined) return;
    seconds.set(name.text, number);
  }
  reader.builder.setTimeouts(
    {
      tcpSeconds: seconds.get("tcp") ?? 0,
      tcpFinSeconds: seconds.get("tcpfin") ?? 0,
      udpSeconds: seconds.get("udp") ?? 0,
    },
    at,
  );
}
