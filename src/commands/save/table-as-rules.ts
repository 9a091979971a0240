import { changeLine } from "../../grammar/format-rule.js";
import { readBack, type ReadBackResult } from "../../grammar/read-back.js";
import { formatSelector } from "../../grammar/selector.js";
import type { Change } from "../../ipvs/change.js";
import {
  daemonMatches,
  serverMatches,
  serviceMatches,
} from "../../plan/settings-match.js";
import { formatEndpoint } from "../../ipvs/model.js";
import type { Table } from "../../ipvs/table.js";
import {
  daemonChanges,
  daemonName,
  allServerChanges,
  allServiceChanges,
} from "../../cli/changes/change-text.js";

/** A setting that classic options cannot express. */
export interface RuleLoss {
  readonly subject: string;
  readonly what: string;
  /** Whether the kernel would behave differently */
  readonly matters: boolean;
}

/** A line of rules, and the settings that it cannot express. */
export interface RuleText {
  readonly text: string;
  readonly loss: RuleLoss | undefined;
}

/** Formats a table as rules: timeouts, services with their real servers, sync daemons. */
export function* tableAsRules(table: Table): Generator<RuleText> {
  for (const change of changesOf(table)) {
    const line = changeLine(change);
    yield { text: `${line}\n`, loss: lostOf(change, readBack(line, change)) };
  }
}

function* changesOf({ services, timeouts, daemons }: Table): Generator<Change> {
  if (timeouts) yield { command: "set", timeouts };
  for (const { key: service, settings, servers } of services) {
    yield { command: "add-service", service, settings };
    for (const { key: server, settings } of servers)
      yield { command: "add-server", service, server, settings };
  }
  for (const daemon of daemons ?? []) yield { command: "start-daemon", daemon };
}

function lostOf(change: Change, reading: ReadBackResult): RuleLoss | undefined {
  if (reading.kind === "same") return undefined;
  const subject = subjectOf(change);
  if (reading.kind === "fault")
    return { subject, what: reading.sentence.trim(), matters: true };
  const { what, matters } = differenceOf(reading.change, change);
  return { subject, what: what.join(", "), matters };
}

/** How a line, when read back, differs from the change that it was written for. */
function differenceOf(
  read: Change,
  meant: Change,
): { readonly what: readonly string[]; readonly matters: boolean } {
  if (read.command === "add-service" && meant.command === "add-service")
    return {
      what: allServiceChanges(read.settings, meant.settings),
      matters:
        formatSelector(read.service) !== formatSelector(meant.service) ||
        !serviceMatches(read.settings, meant.settings),
    };
  if (read.command === "add-server" && meant.command === "add-server") {
    const moved = read.server.port !== meant.server.port;
    return {
      what: [
        ...(moved ? [`port ${read.server.port} → ${meant.server.port}`] : []),
        ...allServerChanges(read.settings, meant.settings),
      ],
      matters: moved || !serverMatches(read.settings, meant.settings),
    };
  }
  if (read.command === "start-daemon" && meant.command === "start-daemon")
    return {
      what: daemonChanges(read.daemon, meant.daemon),
      matters: !daemonMatches(meant.daemon, read.daemon),
    };
  return { what: ["the rule is read as another command"], matters: true };
}

function subjectOf(change: Change): string {
  switch (change.command) {
    case "add-service":
      return formatSelector(change.service);
    case "add-server": {
      const { address, port } = change.server;
      return `${formatEndpoint(address, port)} of ${formatSelector(change.service)}`;
    }
    case "start-daemon":
      return `the ${daemonName(change.daemon)}`;
    default:
      return "the timeouts";
  }
}
