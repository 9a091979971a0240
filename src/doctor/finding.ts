/** How bad a finding is, the gravest first. */
export const SEVERITIES = [
  /** Traffic fails now */
  "error",
  /** Traffic may fail, or will under some circumstance */
  "warning",
  /** Worth to be known */
  "note",
] as const;
export type Severity = (typeof SEVERITIES)[number];

/** What is the same of every finding of a kind. Help, JSON, `--explain` and the manual page are made of it. */
export interface Kind {
  /** How people name it: `forwarding-off` */
  readonly id: string;
  readonly severity: Severity;
  /** What is wrong, in a few words without a full stop */
  readonly title: string;
  /** Why it matters: what happens to traffic, and by what. A paragraph */
  readonly why: string;
  /** What was looked at to tell */
  readonly looked: string;
  /** How it is fixed, in general; the finding has the commands */
  readonly cure: string;
  /** The sysctls that have to do with it, with dots */
  readonly sysctls: readonly string[];
}

/** A part of a fix: what to type, as root. */
export interface Fix {
  /** A line for a shell. What only the reader knows is a word in capitals */
  readonly command: string;
  /** On which machine, if not on this one: `real server 192.0.2.10` */
  readonly on?: string | undefined;
}

/** A fault that was found. All text may be shown as it is. */
export interface Finding<Id extends string = string> {
  readonly id: Id;
  /** Where: a service, a real server of one, an interface; undefined if it is the machine itself */
  readonly subject?: string | undefined;
  /** What was seen there. One sentence without a full stop */
  readonly seen: string;
  /** All of them, in this order, make it good; none if there is no command for it */
  readonly fix: readonly Fix[];
}
