/*
 * Recognizes text that is often pasted where rules belong. Text has one character per byte, as in all classic input.
 */

/** What a text is instead of rules, and what to do. */
export interface ForeignText {
  readonly message: string;
  readonly advice: string;
}

const LISTING: ForeignText = {
  message: "this is a listing, not rules",
  advice: "save rules with 'ipvsadm-save -n' or 'ipvsadm -Sn'",
};
const TABLE: ForeignText = {
  message: "this is the table that 'ipvsadm list' prints for people, not rules",
  advice: "use 'ipvsadm list -o rules' or 'ipvsadm list -o json'",
};

/** Lines that occur only in texts of one kind. */
const FOREIGN: readonly (readonly [RegExp, ForeignText])[] = [
  [/^IP Virtual Server version /, LISTING],
  [/^(?:Prot LocalAddress:Port|-> RemoteAddress:Port)/, LISTING],
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
  const text = line.trim();
  return FOREIGN.find(([pattern]) => pattern.test(text))?.[1];
}

/** The UTF-8 bytes of hyphens, dashes and the minus sign of typography. */
const DASH = /\xe2(?:\x80[\x90-\x95]|\x88\x92)/;
const NO_BREAK_SPACE = "\xc2\xa0";

/**
 * What to do about a line that is not a rule, if it looks pasted.
 *
 * @param words of the line
 * @param at the index of the word in error; undefined if the line does not begin with a command
 */
export function pastedTextAdvice(
  words: readonly string[],
  at: number | undefined,
): string | undefined {
  const dash = words.map((word) => DASH.exec(word)?.[0]).find(Boolean);
  if (dash !== undefined)
    return `"${dash}" is a typographic dash: replace it by "-", or "--" before a long option`;
  if (words.some((word) => word.includes(NO_BREAK_SPACE)))
    return "the line contains non-breaking spaces: replace them by spaces";
  const word = words[at ?? 0] ?? "";
  return prefixAdvice(word) ?? wordAdvice(word, at ?? 0);
}

/** Advice for a word that stands before the command in a shell. */
function prefixAdvice(word: string): string | undefined {
  if (word === "sudo" || word === "doas")
    return `remove ${word}: a rule consists of the options of ipvsadm`;
  if (word.endsWith("/ipvsadm"))
    return "write ipvsadm without its path, or leave it out";
  return /^[$%>]$|^\[?[\w.-]+@|.[$#%>]$/.test(word)
    ? "remove the shell prompt"
    : undefined;
}

function wordAdvice(word: string, at: number): string | undefined {
  if (word === "(null)")
    return "old versions of ipvsadm print (null) for an unknown forwarding method: replace it by -g, -i or -m";
  if (word.startsWith("#")) return "a comment needs its own line";
  if (word === "\\") return "a rule cannot continue on the next line";
  if (/^["']|["']$/.test(word)) return "remove the quotes: rules have none";
  if (isSeparator(word) || (at > 0 && isCommand(word)))
    return "write each rule on its own line";
  return undefined;
}

function isSeparator(word: string): boolean {
  return /^(?:;|&&|\|\|?)$|.;$/.test(word);
}

function isCommand(word: string): boolean {
  return /^(?:-[AEDCaed]|--(?:add|edit|delete)-(?:service|server)|--clear)$/.test(
    word,
  );
}
