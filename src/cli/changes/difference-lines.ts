import { formatSelector } from "../../grammar/selector.js";
import type {
  DaemonDifference,
  Differences,
  ServerDifference,
  ServiceDifference,
} from "../../plan/compare.js";
import { formatEndpoint, type ServerKey } from "../../ipvs/model.js";
import { sortServices } from "../../view/order.js";
import type { Paint } from "../color.js";
import {
  daemonChanges,
  daemonName,
  daemonWords,
  serverChanges,
  serverWords,
  serviceChanges,
  serviceWords,
  timeoutChanges,
} from "./change-text.js";

type Mark = "+" | "-" | "~" | " ";

const STYLES = { "+": "good", "-": "bad", "~": "warning" } as const;

/** Differences as people read them: a line for each service, real server and sync daemon, services in the usual order. */
export function* differenceLines(
  { services, timeouts, daemons }: Differences,
  paint: Paint,
): Generator<string> {
  const line = (mark: Mark, name: string, words: string) => {
    const text = `${mark} ${name}`;
    const shown = mark === " " ? text : paint[STYLES[mark]](text);
    return words === "" ? shown : `${shown}  ${words}`;
  };
  if (timeouts)
    yield line(
      "~",
      "timeouts",
      timeoutChanges(timeouts.from, timeouts.to).join(", "),
    );
  for (const daemon of daemons) yield line(...daemonLine(daemon));
  const keyed = services.map((one) => ({ key: keyOf(one), one }));
  for (const { one } of sortServices(keyed)) yield* serviceLines(one, line);
}

function* serviceLines(
  one: ServiceDifference,
  line: (mark: Mark, name: string, words: string) => string,
): Generator<string> {
  const name = formatSelector(keyOf(one));
  switch (one.kind) {
    case "add":
      yield line("+", name, serviceWords(one.rule.settings));
      for (const { key, settings } of one.servers)
        yield line("+", serverName(key), serverWords(settings));
      return;
    case "remove":
      yield line("-", name, serviceWords(one.service.settings));
      for (const { key, settings } of one.service.servers)
        yield line("-", serverName(key), serverWords(settings));
      return;
    case "change": {
      const { settings } = one.service;
      if (one.to)
        yield line("~", name, serviceChanges(settings, one.to).join(", "));
      else yield line(" ", name, "");
      for (const server of one.servers) yield line(...serverLine(server));
    }
  }
}

function serverLine(one: ServerDifference): [Mark, string, string] {
  switch (one.kind) {
    case "add":
      return ["+", serverName(one.rule.key), serverWords(one.rule.settings)];
    case "remove":
      return [
        "-",
        serverName(one.server.key),
        serverWords(one.server.settings),
      ];
    case "change":
      return [
        "~",
        serverName(one.server.key),
        serverChanges(one.server.settings, one.to).join(", "),
      ];
  }
}

function daemonLine({ from, to }: DaemonDifference): [Mark, string, string] {
  if (from && to)
    return ["~", daemonName(to), daemonChanges(from, to).join(", ")];
  if (to) return ["+", daemonName(to), daemonWords(to)];
  return from ? ["-", daemonName(from), daemonWords(from)] : [" ", "", ""];
}

function serverName({ address, port }: ServerKey): string {
  return `  ${formatEndpoint(address, port)}`;
}

function keyOf(one: ServiceDifference) {
  return one.kind === "add" ? one.rule.key : one.service.key;
}
