import { placeText, sendersOf, syncIdsOf } from "../../sync-messages.js";
import type { HeardSync } from "../../sync-messages.js";
import type { ClientSightings, TraceFacts, TraceStep } from "./trace-step.js";
import { isPassive } from "../reach/reach.js";
import { ignoresAll } from "../sync/daemons.js";

/** Whether the client's connections come to a backup by synchronization. */
export function syncSteps(
  { daemons }: Pick<TraceFacts, "daemons">,
  { connections, heard }: Pick<ClientSightings, "connections" | "heard">,
): TraceStep[] {
  if (!isPassive(daemons)) return [];
  return heard.map((one): TraceStep => {
    const { daemon } = one;
    const accepts =
      daemon.syncId === 0 ? "any sync id" : `sync id ${daemon.syncId}`;
    const backup = `the backup here accepts ${accepts} (${placeText(daemon)})`;
    if (ignoresAll(one)) {
      const ids = `the messages that arrived have sync id ${syncIdsOf(one.here).join(", ")} (from ${sendersOf(one.here)})`;
      // The only sender can be the master of another pair in this network.
      return {
        step: "sync",
        state: "unknown",
        text:
          connections.length > 0
            ? `${backup}, and connections of the client are known here, but ${ids}: they are perhaps those of other directors`
            : `${backup}, and ${ids}: it ignores them. If they are those of its master, and not of other directors, no connection reaches it. Compare 'ipvsadm -L --daemon' on both directors; 'ipvsadm doctor --explain sync-ids-differ' says how to fix it`,
      };
    }
    if (connections.length > 0)
      return {
        step: "sync",
        state: "ok",
        text: `${backup}, and connections of the client are known here`,
      };
    return {
      step: "sync",
      state: "unknown",
      text: `${backup}; ${arrivals(one)}`,
    };
  });
}

function arrivals({ here, elsewhere, seconds }: HeardSync): string {
  if (here.length > 0)
    return "messages that it accepts arrived, and none brought a connection of this client: a master sends a connection at its third packet (net.ipv4.vs.sync_threshold there)";
  const others =
    elsewhere.length === 0
      ? ""
      : ` there, but elsewhere with sync id ${syncIdsOf(elsewhere).join(", ")} (from ${sendersOf(elsewhere)}): 'ipvsadm doctor --for 1m' says more`;
  return `no sync message arrived in ${seconds} s${others}. The master's values in 'ipvsadm -L --daemon' must be the same`;
}
