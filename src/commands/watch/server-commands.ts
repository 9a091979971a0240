import { changeLine } from "../../grammar/format-rule.js";
import { formatSelector } from "../../grammar/selector.js";
import {
  formatEndpoint,
  type ServerEntry,
  type ServiceKey,
} from "../../ipvs/model.js";
import type { Io } from "../../runtime/io.js";
import { Progress } from "../../runtime/progress.js";
import { escapeControls, fromBytes } from "../../cli/escape.js";
import { EXIT } from "../../cli/exit-status.js";
import type { RunSubcommand } from "../../cli/invocation.js";
import { Output } from "../../cli/output.js";
import { parseArguments } from "../../cli/parser.js";
import type { SubcommandSpec } from "../../cli/spec.js";
import { drainSpec } from "../drain/spec.js";
import { undrainSpec } from "../undrain/spec.js";

/** A command that changes a real server: a subcommand, which takes the lock and saves the weight. */
export interface ServerCommand {
  /** The command line that does the same in a shell */
  readonly line: string;
  readonly subcommand: "drain" | "undrain";
  readonly words: readonly string[];
}

/** What a command printed, in lines, and whether it succeeded. */
export interface CommandResult {
  readonly lines: readonly string[];
  readonly succeeded: boolean;
}

/** The command that drains a real server. */
export function drainCommand(
  service: ServiceKey,
  server: ServerEntry,
): ServerCommand {
  return subcommandOf("drain", wordsOf(service, server));
}

/** The command that restores the weight of a real server. */
export function undrainCommand(
  service: ServiceKey,
  server: ServerEntry,
): ServerCommand {
  return subcommandOf("undrain", wordsOf(service, server));
}

/**
 * The command that sets the weight of a real server. A weight of 0 drains it, so that the old weight is saved. Otherwise
 * `undrain --weight` does it, because it deletes a saved weight that is out of date. Without a saved weight this is the
 * same as the classic option -e.
 */
export function weightCommand(
  service: ServiceKey,
  server: ServerEntry,
  weight: number,
): ServerCommand {
  if (weight === 0) return drainCommand(service, server);
  const words = [...wordsOf(service, server), "--weight", String(weight)];
  const command = subcommandOf("undrain", words);
  if (server.settings.weight === 0) return command;
  const line = changeLine({
    command: "edit-server",
    service,
    server: server.key,
    settings: { ...server.settings, weight },
  });
  return { ...command, line: `ipvsadm ${line}` };
}

function subcommandOf(
  subcommand: ServerCommand["subcommand"],
  words: readonly string[],
): ServerCommand {
  return {
    line: ["ipvsadm", subcommand, ...words].join(" "),
    subcommand,
    words,
  };
}

function wordsOf(service: ServiceKey, { key }: ServerEntry): string[] {
  return [formatSelector(service), formatEndpoint(key.address, key.port)];
}

interface Subcommand {
  readonly spec: SubcommandSpec;
  readonly load: () => Promise<{ readonly run: RunSubcommand }>;
}

const SUBCOMMANDS: Readonly<Record<ServerCommand["subcommand"], Subcommand>> = {
  drain: { spec: drainSpec, load: () => import("../drain/run.js") },
  undrain: { spec: undrainSpec, load: () => import("../undrain/run.js") },
};

/** Runs a command. What it prints is returned, because the screen is in use. */
export async function runServerCommand(
  { subcommand, words }: ServerCommand,
  io: Io,
): Promise<CommandResult> {
  const { spec, load } = SUBCOMMANDS[subcommand];
  let printed = "";
  const print = (text: string) => {
    printed += text;
  };
  const captured: Io = {
    ...io,
    stdout: print,
    stdoutBytes(bytes) {
      printed += bytes.toString("latin1");
    },
    stderr: print,
    flush: () => undefined,
    terminal: { isTerminal: () => false, size: () => undefined },
    catchSignals: () => () => undefined, // The screen handles signals.
  };
  const output = new Output(captured, "never");
  const { run } = await load();
  let status: number;
  try {
    status = await run({
      given: parseArguments(spec, words),
      io: captured,
      output,
      progress: new Progress(captured),
    });
  } catch (error) {
    status = output.explain(error);
  }
  const lines = fromBytes(printed).split("\n").filter(Boolean);
  return {
    lines: lines.map((line) => escapeControls(line.replace(PREFIX, ""))),
    succeeded: status === EXIT.ok,
  };
}

/** The name of the program before its messages. The screen shows it already. */
const PREFIX = /^ipvsadm: /;
