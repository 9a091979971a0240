import type { ServerKey, ServiceKey } from "../ipvs/model.js";

/** How bad a finding is, most severe first. */
export const SEVERITIES = [
  /** Traffic fails now */
  "error",
  /** Traffic may fail, or will under some circumstance */
  "warning",
  /** Worth knowing */
  "note",
] as const;
export type Severity = (typeof SEVERITIES)[number];

/** What all findings of a kind share. Help, JSON, `--explain` and the manual page are generated from it. */
export interface Kind {
  /** Its name on the command line: `forwarding-off` */
  readonly id: string;
  readonly severity: Severity;
  /** What is wrong, in a few words without a full stop */
  readonly title: string;
  /** Why it matters: what happens to traffic, and why. A paragraph */
  readonly why: string;
  /** What doctor looks at to find it */
  readonly looked: string;
  /** How to fix it in general; a finding has the commands */
  readonly cure: string;
  /** The sysctls involved, with dots */
  readonly sysctls: readonly string[];
}

/** A command to run as root. */
export interface Fix {
  /** A line for a shell. A word in capitals stands for what only the reader knows */
  readonly command: string;
  /** On which machine, if not on this one: `real server 192.0.2.10` */
  readonly on?: string | undefined;
  /** What else the command changes. A sentence without a full stop */
  readonly effect?: string | undefined;
}

/** A part of a procedure: sentences, or commands to run in this order. The text before commands ends with a colon. */
export type Passage = string | { readonly commands: readonly string[] };

/** A procedure as one text, with its commands in quotation marks. */
export function procedureText(passages: readonly Passage[]): string {
  return passages
    .map((one) =>
      typeof one === "string" ? one : `"${one.commands.join(" && ")}".`,
    )
    .join(" ");
}

/** How sure it is that a finding is a cause, most certain first. */
export const CERTAINTIES = ["proven", "likely"] as const;
export type Certainty = (typeof CERTAINTIES)[number];

/** A fault that was found. Its texts may contain control characters of names, so escape them. */
export interface Finding<Id extends string = string> {
  readonly id: Id;
  /** Where: a service, a real server, an interface; undefined: the machine itself */
  readonly subject?: string | undefined;
  /** The service of the subject, if it is a service or a real server */
  readonly service?: ServiceKey | undefined;
  /** The real server of the subject, if it is one */
  readonly server?: ServerKey | undefined;
  /** What was seen there. One sentence without a full stop */
  readonly seen: string;
  /** Undefined: proven */
  readonly certainty?: Certainty | undefined;
  /** What supports it. Sentences without a full stop */
  readonly evidence?: readonly string[] | undefined;
  /** Why it matters here, if that depends on what was found; undefined: as its kind says */
  readonly why?: string | undefined;
  /** Commands that find the cause where it must be: the first step if the cause is on another machine */
  readonly next?: readonly Fix[] | undefined;
  /** How to fix it, if that depends on what was found; undefined: the cure of its kind */
  readonly cure?: string | undefined;
  /** Instead of a cure: a change with its commands. They are no fix, as nobody wants such a change by accident */
  readonly procedure?: readonly Passage[] | undefined;
  /** All of them together, in this order, remove the cause; none if no command does */
  readonly fix: readonly Fix[];
}
