import { textOf } from "../system/files.js";

/** A hash table of IPVS. */
export interface HashTable {
  readonly buckets: number;
  /** The kernel aims at 2^loadFactor entries per bucket */
  readonly loadFactor: number;
  readonly emptyBuckets: number;
  /** Most entries in one bucket. 7 stands for 7 and more */
  readonly longestChain: number;
}

/** How the kernel updates the counters of services and real servers. */
export interface Estimation {
  /** Kernel threads that update them, and the most that it would start */
  readonly threads: number;
  readonly mostThreads: number;
  /** So many counters fit into one thread */
  readonly countersPerThread: number;
}

/** What newer kernels report in /proc/net/ip_vs_status. Undefined: it has no such lines. */
export interface KernelStatus {
  /** Entries of the connection table */
  readonly connections: number | undefined;
  readonly services: number | undefined;
  readonly connectionTable: HashTable | undefined;
  readonly serviceTable: HashTable | undefined;
  readonly estimation: Estimation | undefined;
}

/** Reads /proc/net/ip_vs_status. @returns undefined if the kernel has no such file */
export function readKernelStatus(procFolder: string): KernelStatus | undefined {
  const text = textOf(`${procFolder}/net/ip_vs_status`);
  return text === undefined ? undefined : parseKernelStatus(text);
}

/**
 * Parses /proc/net/ip_vs_status: lines of a name, a colon, a tab and a value. Unknown lines are ignored.
 *
 * @see ip_vs_status_show() in net/netfilter/ipvs/ip_vs_ctl.c
 */
export function parseKernelStatus(text: string): KernelStatus {
  const values = new Map(
    Array.from(text.matchAll(/^([^:\n]+):\t(.*)$/gm), ([, name, value]) => [
      name ?? "",
      value ?? "",
    ]),
  );
  return {
    connections: numberIn(values.get("Conns")),
    services: numberIn(values.get("Services")),
    connectionTable: hashTableIn(values, "Conn"),
    serviceTable: hashTableIn(values, "Service"),
    estimation: estimationIn(values),
  };
}

type Values = ReadonlyMap<string, string>;

/** `524288 (19 bits, lfactor -5)`: the first number. */
function numberIn(text = ""): number | undefined {
  const digits = /^[0-9]+(?= |$)/.exec(text)?.[0];
  return digits === undefined ? undefined : Number(digits);
}

function hashTableIn(values: Values, name: string): HashTable | undefined {
  const size = values.get(`${name} buckets`);
  const buckets = numberIn(size);
  const loadFactor = /lfactor (-?[0-9]+)\)$/.exec(size ?? "")?.[1];
  if (buckets === undefined || loadFactor === undefined) return undefined;
  // The kernel leaves out the lengths of which there are none.
  const lengths = Array.from(values.keys(), (key) =>
    key.startsWith(`${name} buckets len-`) ? Number(key.split("-")[1]) : 0,
  );
  return {
    buckets,
    loadFactor: Number(loadFactor),
    emptyBuckets: numberIn(values.get(`${name} buckets empty`)) ?? 0,
    longestChain: Math.max(...lengths.filter(Number.isFinite)),
  };
}

function estimationIn(values: Values): Estimation | undefined {
  const slots = values.get("Stats thread slots");
  const threads = numberIn(slots);
  const most = /\(max ([0-9]+)\)$/.exec(slots ?? "")?.[1];
  const countersPerThread = numberIn(values.get("Stats thread ests"));
  return threads === undefined ||
    most === undefined ||
    countersPerThread === undefined
    ? undefined
    : { threads, mostThreads: Number(most), countersPerThread };
}
