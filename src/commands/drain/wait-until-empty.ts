import type { IpvsClient } from "../../ipvs/client.js";
import {
  waitUntilDrained,
  type DrainingServer,
  type DrainOutcome,
  type DrainState,
} from "../../ipvs/drain.js";
import type { Io } from "../../runtime/io.js";
import type { Progress } from "../../runtime/progress.js";
import { waitForSignals, type Signaled } from "../../cli/wait-for-signals.js";
import { shortDuration } from "../../cli/units.js";

const POLL_SECONDS = 1;

/** How the wait ended, and after how long. */
export interface WaitResult extends DrainOutcome, Signaled {
  readonly seconds: number;
}

/**
 * Waits until drained servers are empty. Shows the progress if stderr is a terminal. A signal that would end the process
 * ends the wait instead.
 *
 * @param timeoutSeconds undefined for no limit
 */
export async function waitWithProgress(
  client: IpvsClient,
  servers: readonly DrainingServer[],
  timeoutSeconds: number | undefined,
  { io, progress }: { readonly io: Io; readonly progress: Progress },
): Promise<WaitResult> {
  const began = io.clock.now();
  let states: readonly DrainState[] = [];
  return waitForSignals(
    { io, progress },
    (seconds) => describe(states, seconds),
    async (signal, step) => {
      const outcome = await waitUntilDrained(client, servers, {
        pollSeconds: POLL_SECONDS,
        timeoutSeconds,
        signal,
        clock: io.clock,
        report(now) {
          states = now;
          step();
        },
      });
      return { ...outcome, seconds: (io.clock.now() - began) / 1000 };
    },
  );
}

/** `draining, 2m 30s: 12 active, 2 persistent` */
function describe(
  states: readonly DrainState[],
  seconds: number,
): string | undefined {
  const busy = states.filter(({ state }) => state === "busy");
  if (busy.length === 0) return undefined;
  const sum = (
    name: "activeConnections" | "inactiveConnections" | "persistentConnections",
  ) => busy.reduce((total, { entry }) => total + (entry?.[name] ?? 0), 0);
  const many = states.length > 1 ? `${busy.length} servers, ` : "";
  return `draining, ${shortDuration(seconds)}: ${many}${sum("activeConnections")} active, ${sum("inactiveConnections")} inactive, ${sum("persistentConnections")} persistent`;
}
