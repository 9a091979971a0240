import type { HealthChecker } from "./health-checks.js";

/** A configuration of keepalived begins with a block, a definition, a condition, a repeated line or an include. */
const KEEPALIVED =
  /^(?:(?:global_defs|static_\w+|vrrp_\w+|virtual_server|virtual_server_group|bfd_instance|track_\w+|linkbeat_\w+|net_namespace\w*|namespace_with_ipsets|instance|process_\w+|checker_\w+|include[rmwba]?|SSL)(?:\s*\{|\s+[^\s:=]|$)|\$[A-Za-z_]\w*=|@\^?\w|~(?:SEQx?|LST)\()/;

/** A configuration of ldirectord begins with an option. */
const LDIRECTORD = /^[a-z]+6?\s*=/;

/** Detects the configuration of a health checker from its first line; undefined if it does not look like one. */
export function detectConfiguration(text: string): HealthChecker | undefined {
  const first = firstLine(text);
  if (KEEPALIVED.test(first)) return "keepalived";
  return LDIRECTORD.test(first) || /^supervised$/.test(first)
    ? "ldirectord"
    : undefined;
}

/** The health checker that usually reads a file of this name. */
export function checkerOfName(name: string): HealthChecker | undefined {
  if (/(?:^|\/)keepalived[^/]*\.conf$/i.test(name)) return "keepalived";
  return /\.cf$/i.test(name) ? "ldirectord" : undefined;
}

/** The first line that is neither blank nor a comment. keepalived also has comments with "!". */
function firstLine(text: string): string {
  const found = /^[^\S\n]*([^\s#!].*)$/m.exec(text);
  return (found?.[1] ?? "").trim();
}
