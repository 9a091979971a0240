import { judge } from "./judge.js";
import type { Packet } from "./packet.js";
import type { Rule } from "./ruleset.js";
import type { Place } from "./walk.js";

/** A rule or policy that perhaps stops packets */
interface LimitedPlace extends Place {
  /** Undefined: any */
  readonly stopped?: readonly Packet[] | undefined;
}

/**
 * What a rule lets a source do at most, in words: `more than 20 connections at a time`. Undefined: the rule does not count
 * by source address.
 */
export function sourceLimitOf(rule: Rule | undefined): string | undefined {
  const text = rule?.text ?? "";
  return (
    recentLimit(text) ?? rateLimit(text) ?? countLimit(text) ?? nftLimit(text)
  );
}

/** Whether a rule or policy that perhaps stops packets does so by a limit for each source, its own or one ahead of it. */
export function stopLimit(stop: LimitedPlace): string | undefined {
  return sourceLimitOf(limitingRule(stop)?.rule);
}

/** The rule with the limit: the one that stops, or one ahead of it in its chain that accepts what is within a limit. */
export function limitingRule({
  chain,
  rule,
  position,
  stopped,
}: LimitedPlace):
  { readonly rule: Rule; readonly position: number } | undefined {
  if (rule && position !== undefined && sourceLimitOf(rule))
    return { rule, position };
  const before = chain.rules.slice(0, (position ?? Infinity) - 1);
  const at = before.findIndex(
    ({ text, steps }) =>
      // The limit of another service says nothing about these packets.
      mayMatch(steps, stopped) &&
      / --hashlimit-upto | --connlimit-upto /.test(text) &&
      sourceLimitOf({ text, steps, packets: undefined }) !== undefined &&
      steps.some((step) => "then" in step && step.then.does === "accept"),
  );
  const found = before[at];
  return found && { rule: found, position: at + 1 };
}

function mayMatch(
  steps: Rule["steps"],
  packets: readonly Packet[] | undefined,
): boolean {
  return (
    packets === undefined ||
    packets.some((packet) =>
      steps.every((step) => !("if" in step) || judge(step.if, packet) !== "no"),
    )
  );
}

function option(text: string, name: string): string | undefined {
  return new RegExp(`(?:^| )--${name} (\\S+)`).exec(text)?.[1];
}

/** @see libxt_recent.c of iptables */
function recentLimit(text: string): string | undefined {
  if (!/-m recent --(?:update|rcheck)( |$)/.test(text)) return undefined;
  const hits = option(text, "hitcount");
  if (hits === undefined || / --rdest( |$)/.test(text)) return undefined;
  const seconds = option(text, "seconds");
  return `${hits} or more packets${seconds === undefined ? "" : ` within ${seconds} s`}`;
}

/** @see libxt_hashlimit.c of iptables: without a mode all sources share one limit */
function rateLimit(text: string): string | undefined {
  const rate =
    option(text, "hashlimit-above") ?? option(text, "hashlimit-upto");
  const mode = option(text, "hashlimit-mode")?.split(",") ?? [];
  if (rate === undefined || !mode.includes("srcip")) return undefined;
  if (mode.includes("srcport")) return undefined;
  return `more packets than ${rate}`;
}

/** @see libxt_connlimit.c of iptables */
function countLimit(text: string): string | undefined {
  const most =
    option(text, "connlimit-above") ?? option(text, "connlimit-upto");
  if (most === undefined || / --connlimit-daddr( |$)/.test(text))
    return undefined;
  if (option(text, "connlimit-mask") === "0") return undefined;
  return `more than ${most} connections at a time`;
}

function nftLimit(text: string): string | undefined {
  const [, what] =
    /(?:add|update|meter) [^{]*\{ [^}]*\bsaddr\b[^}]* ((?:limit rate over|ct count over) [^}]+?) \}/.exec(
      text,
    ) ?? [];
  return what;
}
