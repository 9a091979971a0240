import type { Io } from "../runtime/io.js";
import { Progress } from "../runtime/progress.js";
import { UsageError } from "./errors.js";
import { fromBytes } from "./escape.js";
import { EXIT } from "./exit-status.js";
import { helpText } from "./help.js";
import type { RunSubcommand } from "./invocation.js";
import { Output } from "./output.js";
import { parseArguments } from "./parser.js";
import { findSpec, type SubcommandSpec } from "./spec.js";
import { suggestSubcommand } from "./suggest-subcommand.js";
import { withTextOfLocale, type LocaleIo } from "./locale-text.js";

/** The subcommands of the program: their specs, and how to load their code. */
export interface Registry {
  readonly specs: readonly SubcommandSpec[];
  /** Loads the code of a subcommand. The keys are the names in the specs */
  readonly loaders: Readonly<
    Record<string, () => Promise<{ readonly run: RunSubcommand }>>
  >;
  /** Loads the actions of a subcommand that has actions, such as `fleet publish`. The keys are the names in the specs */
  readonly groups?: Readonly<Record<string, () => Promise<Registry>>>;
}

/**
 * Runs a subcommand. Writes only to `io`, and never ends the process.
 *
 * @param argv the arguments of the program, one character per byte. The first is the name of the subcommand
 * @returns the exit status. Undefined if the first argument is not similar to any command: then nothing was done
 */
export async function runSubcommand(
  { specs, loaders, groups = {} }: Registry,
  argv: readonly string[],
  bytesIo: Io,
): Promise<number | undefined> {
  const [name = "", ...words] = argv.map(fromBytes);
  const io = withTextOfLocale(bytesIo);
  const spec = findSpec(specs, name);
  const group = spec && groups[spec.name];
  if (group) return runAction(spec, await group(), words, io);
  const load = spec && loaders[spec.name];
  if (spec && load) return run(spec, load, words, io);
  const suggestion = suggestSubcommand(name, specs);
  if (suggestion === undefined) return undefined;
  const error = new UsageError(
    `unknown subcommand ${name}`,
    undefined,
    suggestion,
  );
  return new Output(io, "auto").explain(error);
}

/** Runs an action of a subcommand. Without one, only `--help` is allowed. */
function runAction(
  spec: SubcommandSpec,
  { specs, loaders }: Registry,
  [action = "", ...words]: readonly string[],
  io: LocaleIo,
): Promise<number> {
  const name = `${spec.name} ${action}`;
  const found = specs.find((one) => one.name === name);
  const load = loaders[name];
  if (found && load) return run(found, load, words, io);
  const withoutAction = { run: () => Promise.resolve(EXIT.usage) };
  return run(
    spec,
    () => Promise.resolve(withoutAction),
    [action, ...words].filter((word) => word !== ""),
    io,
  );
}

async function run(
  spec: SubcommandSpec,
  load: Registry["loaders"][string],
  words: readonly string[],
  plainIo: LocaleIo,
): Promise<number> {
  const progress = new Progress(plainIo);
  const io = spec.fillsTerminal ? plainIo : progress.io;
  let output = new Output(io, "auto");
  try {
    const given = parseArguments(spec, words);
    output = new Output(io, given.text("color") ?? "auto");
    plainIo.prints(spec.printsData ? "data" : given.text("output"));
    if (given.flag("help")) {
      plainIo.prints("text");
      output.write(helpText(spec, output));
      return EXIT.ok;
    }
    const { run } = await load();
    return await run({ given, io, output, progress });
  } catch (error) {
    return output.explain(error);
  } finally {
    progress.end();
  }
}
