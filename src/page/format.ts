/* Numbers and times as text. */

const PREFIXES = ["", "k", "M", "G", "T", "P"];

/** `0`, `7.25`, `950`, `1.2k`, `34k`, `5.1M`. Undefined or null: unknown */
export function count(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  let [rest, power] = [value, 0];
  while (rest >= 999.5 && power < PREFIXES.length - 1) {
    rest /= 1000;
    power++;
  }
  const digits =
    rest >= 99.5 || Number.isInteger(rest) ? 0 : rest >= 9.95 ? 1 : 2;
  return `${Number(rest.toFixed(digits))}${PREFIXES[power] ?? ""}`;
}

/** Bytes per second: `0`, `1.2 kB`, `34 MB` */
export function bytes(value: number | null | undefined): string {
  const text = count(value);
  if (text === "–" || text === "0") return text;
  return `${text.replace(/[kMGTP]?$/, " $&")}B`;
}

export function percent(share: number): string {
  return share > 0 && share < 0.005 ? "<1%" : `${Math.round(share * 100)}%`;
}

const CLOCK = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const MOMENT = new Intl.DateTimeFormat(undefined, {
  dateStyle: "medium",
  timeStyle: "medium",
  hourCycle: "h23",
});

/** `14:03:22`, in the time zone of the reader */
export function clock(time: string | number): string {
  return CLOCK.format(new Date(time));
}

/** A time with its date */
export function moment(time: string | number): string {
  return MOMENT.format(new Date(time));
}

/** `12 s`, `3 min`, `2 h`, `4 d` */
export function age(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 6000) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** `1 service`, `2 services` */
export function counted(number: number, one: string): string {
  return `${number} ${one}${number === 1 ? "" : "s"}`;
}

/** The state of a service or server in words. Weight 0 has one word on the page. */
export function stateText(state: string): string {
  return state === "draining" ? "drained" : state.replaceAll("-", " ");
}

const FORWARDING: Readonly<Record<string, string>> = {
  masq: "masquerading",
  direct: "direct routing",
  tunnel: "tunneling",
};

/** A forwarding method in words. */
export function forwardingText(forwarding: string | number): string {
  return FORWARDING[forwarding] ?? String(forwarding);
}
