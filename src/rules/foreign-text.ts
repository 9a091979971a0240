import {
  isListing,
  LISTING_ADVICE,
  LISTING_MESSAGE,
} from "../grammar/pasted-text.js";

/** What a text is instead of rules, and what to do. */
export interface ForeignText {
  readonly message: string;
  readonly advice: string;
}

const TABLE: ForeignText = {
  message: "this is the table that 'ipvsadm list' prints for people, not rules",
  advice: "use 'ipvsadm list -o rules' or 'ipvsadm list -o json'",
};

/** Lines that occur only in texts of one kind. */
const FOREIGN: readonly (readonly [RegExp, ForeignText])[] = [
  [/^Service {2,}(?:State|Method|Weight)\b/, TABLE],
  [
    /^kind,service,server,/,
    {
      message: "this is the CSV of 'ipvsadm list', not rules",
      advice: "use 'ipvsadm list -o rules' or 'ipvsadm list -o json'",
    },
  ],
  [
    /^(?:global_defs|vrrp_instance|vrrp_sync_group|virtual_server|virtual_server_group)\b[^=]*\{?$/,
    {
      message: "this is a configuration file of keepalived, not rules",
      advice:
        "if keepalived runs, 'ipvsadm-save -n' prints its services as rules",
    },
  ],
  [
    /^(?:checktimeout|checkinterval|autoreload|quiescent|virtual6?)\s*=/,
    {
      message: "this is a configuration file of ldirectord, not rules",
      advice:
        "if ldirectord runs, 'ipvsadm-save -n' prints its services as rules",
    },
  ],
  [
    /^\*(?:filter|nat|mangle|raw)$/,
    {
      message: "these are rules of iptables, not of ipvsadm",
      advice: "use 'iptables-restore'",
    },
  ],
];

/** Tells from a line that a text is something else than rules; undefined if it does not look like that. */
export function foreignText(line: string): ForeignText | undefined {
  if (isListing(line))
    return { message: LISTING_MESSAGE, advice: LISTING_ADVICE };
  const text = line.trim();
  return FOREIGN.find(([pattern]) => pattern.test(text))?.[1];
}
