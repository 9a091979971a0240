import { readPage } from "./markdown.js";

/** A block of commands in a guide. */
export interface Step {
  /** The line of the guide in which the commands begin. */
  readonly line: number;
  /** The machines on which they run. */
  readonly hosts: readonly string[];
  readonly commands: string;
  /** Whether the last command fails, as the guide says. */
  readonly fails: boolean;
  /** What the guide shows as their output, if it does, and the line in which that begins. */
  readonly output?: string;
  readonly outputLine?: number;
}

/**
 * Finds the commands of a guide: blocks that begin with ```` ```sh HOST… ````, or ```` ```sh HOST… fails ````. A block
 * of `text` that follows is their output.
 *
 * @throws if a block of `sh` names no machine, so that no command of a guide stays untried
 */
export function readSteps(markdown: string): Step[] {
  const steps: Step[] = [];
  let before: Step | undefined;
  for (const { line, value } of readPage(markdown).fences) {
    const [language, ...words] = value.info;
    if (language === "text" && before) {
      steps.splice(-1, 1, {
        ...before,
        output: value.code,
        outputLine: line + 1,
      });
      before = undefined;
    } else if (language === "sh") {
      const hosts = words.filter((word) => word !== "fails");
      if (hosts.length === 0) throw new Error(`line ${line}: no machine`);
      const fails = words.includes("fails");
      before = { line: line + 1, hosts, commands: value.code, fails };
      steps.push(before);
    } else before = undefined;
  }
  return steps;
}

/** Puts other outputs in place of those that a guide shows. */
export function replaceOutputs(
  markdown: string,
  outputs: ReadonlyMap<Step, string>,
): string {
  const lines = markdown.split("\n");
  for (const [{ output, outputLine }, text] of [...outputs].reverse())
    if (output !== undefined && outputLine !== undefined)
      lines.splice(
        outputLine - 1,
        output.split("\n").length - 1,
        ...text.trimEnd().split("\n"),
      );
  return lines.join("\n");
}

/**
 * Replaces what differs from run to run: the ports of clients, the time that entries have left and their order, and
 * the numbers of packets and bytes.
 */
export function withoutChance(output: string): string {
  const lines = output
    .replace(/:(?:3[2-9]|[45]\d|6[0-5])\d{3}\b/g, ":PORT")
    .replace(/\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b/g, "MAC")
    .replace(/MAC (?:REACHABLE|DELAY|PROBE|STALE)/g, "MAC STATE")
    .replace(/\b\d\d:\d\d(?= )/g, "MM:SS")
    .replace(/\bempty after \d+s/g, "empty after Ns")
    .replace(/ +/g, " ")
    .replace(/ +$/gm, "")
    .trimEnd()
    .split("\n");
  if (lines.some((line) => line.includes(" MM:SS "))) lines.sort();
  if (output.startsWith("Director ")) return lines.map(withoutLoad).join("\n");
  if (output.includes("InPkts"))
    return lines
      .map((line) => line.replace(/ [1-9]\d*(?= |$)/g, " N"))
      .join("\n");
  return lines.join("\n");
}

/** A line of `fleet status` without the load, and the time since the last report. */
function withoutLoad(line: string): string {
  return line
    .replace(/\b[\d.]+[kMG]?B?\/s/g, "N/s")
    .replace(/\b(?:\d+m )?\d+s\b( \d+)?/g, "Ns")
    .replace(/\b\d+ active connections?/, "N active connections");
}

/**
 * Whether commands only show the table or the fleet, so that they may run again until the kernel's counters, or the reports of
 * the directors, are up to date.
 */
export function onlyLists({ commands }: Step): boolean {
  return commands
    .trim()
    .split("\n")
    .every((line) => /^ipvsadm (-L|fleet status)/.test(line));
}
