import { formatAddress, type Address } from "../ipvs/address.js";
import type { NetworkClient } from "../rtnl/client.js";
import type { Route } from "../rtnl/model.js";
import type { Clock } from "../system/clock.js";
import {
  emptyDatagramBytes,
  openSizedDatagrams,
} from "../system/sized-datagrams.js";
import { measurePath, smallerThan, type PathMeasure } from "./measure-path.js";

/** A machine to which packets of the full size are tried. */
export interface SizeTarget {
  readonly to: Address;
  /** The source, if that is not the address that the kernel chooses */
  readonly from?: Address | undefined;
  /** The index of the interface to it */
  readonly device: number;
  /** The largest packet that this machine sends there, in bytes */
  readonly full: number;
  /** A smaller size that matters, if there is one */
  readonly needed?: number | undefined;
}

/** What became of packets of the full size to a machine. */
export interface PathSize extends SizeTarget {
  readonly measure: PathMeasure;
  /** The route as configured; only of a way that drops large packets */
  readonly route?: Route | undefined;
}

/** The port of traceroute: no program listens there, and many firewalls let it pass. */
export const CLOSED_PORT = 33434;
/** More machines are not tried. */
const MOST_TARGETS = 256;
const AT_ONCE = 64;
/** Later than this no machine is begun. */
const LONGEST_MILLISECONDS = 20_000;
/** The longest datagram, which the socket takes at once */
const MOST_BYTES = 65_535;

/** Tries which packets get to machines, each once. */
export async function measureSizes(
  targets: readonly SizeTarget[],
  clock: Pick<Clock, "now" | "sleep">,
  open = openSizedDatagrams,
): Promise<PathSize[]> {
  const started = clock.now();
  const never = new AbortController().signal;
  const measureOne = async (target: SizeTarget): Promise<PathMeasure> => {
    if (clock.now() - started > LONGEST_MILLISECONDS)
      return { outcome: "unknown", reason: "there was no time for it" };
    const { to, from, needed } = target;
    const full = Math.min(target.full, MOST_BYTES);
    const text = formatAddress(to);
    const datagrams = await open(
      text,
      CLOSED_PORT,
      from && formatAddress(from),
    );
    if (!datagrams)
      return {
        outcome: "unknown",
        reason: "this machine could not send a datagram there",
      };
    try {
      return await measurePath(
        {
          datagrams,
          now: () => clock.now(),
          sleep: (milliseconds) => clock.sleep(milliseconds, never),
        },
        {
          small: emptyDatagramBytes(text),
          full,
          others: smallerThan(full, needed === undefined ? [] : [needed]),
        },
      );
    } finally {
      datagrams.close();
    }
  };
  const waiting = targets.slice(0, MOST_TARGETS);
  const sizes = new Map<SizeTarget, PathSize>();
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift())
      sizes.set(next, { ...next, measure: await measureOne(next) });
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return targets.map(
    (target) =>
      sizes.get(target) ?? {
        ...target,
        measure: {
          outcome: "unknown",
          reason: `only ${MOST_TARGETS} machines are tried`,
        },
      },
  );
}

/** The sizes with the configured routes of ways that drop large packets. */
export async function withRoutes(
  client: Pick<NetworkClient, "routeTo">,
  sizes: readonly PathSize[],
): Promise<PathSize[]> {
  const found: PathSize[] = [];
  for (const size of sizes) {
    if (size.measure.outcome !== "dropped") found.push(size);
    else {
      const { to, from } = size;
      const way = await client.routeTo({ to, from, asConfigured: true });
      found.push({ ...size, route: typeof way === "object" ? way : undefined });
    }
  }
  return found;
}

/** More machines are only counted. */
const MOST_NAMED = 4;

/** Machines in words: `10.0.0.1, 10.0.0.2 and 3 more`. */
export function namesOf(machines: readonly Address[]): string {
  const all = [...new Set(machines.map(formatAddress))];
  const more = all.length - MOST_NAMED;
  return more > 0
    ? `${all.slice(0, MOST_NAMED).join(", ")} and ${more} more`
    : [all.slice(0, -1).join(", "), ...all.slice(-1)]
        .filter((text) => text !== "")
        .join(" and ");
}

/** What is not known of sizes, a line for each size and reason. */
export function unknownSizes(
  sizes: readonly (Pick<SizeTarget, "to" | "full"> & {
    readonly reason: string;
  })[],
): string[] {
  const groups = new Map<string, Address[]>();
  for (const { to, full, reason } of sizes) {
    const key = `${full} ${reason}`;
    groups.set(key, [...(groups.get(key) ?? []), to]);
  }
  return Array.from(groups, ([key, machines]) => {
    const [full = "", ...reason] = key.split(" ");
    return `whether the network carries packets of ${full} bytes to ${namesOf(machines)} (${reason.join(" ")})`;
  });
}

/** The reasons why sizes were tried and are not known. */
export function reasonsOf(sizes: readonly PathSize[]) {
  return sizes.flatMap(({ to, full, measure }) =>
    measure.outcome === "unknown" ? [{ to, full, reason: measure.reason }] : [],
  );
}
