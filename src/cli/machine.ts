import { serversOfMachine } from "../drain/machine.js";
import type { ChooseServers } from "../drain/drain-servers.js";
import { UnknownSelected } from "../grammar/selector.js";
import { formatAddress, type Address } from "../ipvs/address.js";
import type { Names } from "../system/names.js";
import { UsageError } from "./errors.js";
import { escapeControls } from "./escape.js";
import type { Arguments } from "./parser.js";
import { readServer } from "./selectors.js";

/** A machine that is a real server of some services. */
export interface Machine {
  /** Its address, as numbers */
  readonly text: string;
  readonly address: Address;
}

/**
 * Reads the machine of --all-services.
 *
 * @returns undefined without this option
 * @throws {UsageError} if the command line also names a service, or a port
 * @throws {SelectorFault} if the machine is malformed
 */
export async function readMachine(
  given: Arguments,
  names: Names,
  subcommand: string,
): Promise<Machine | undefined> {
  const text = given.text("all-services");
  if (text === undefined) return undefined;
  const [extra] = given.positionals;
  if (extra !== undefined)
    throw new UsageError(
      `--all-services and the argument ${escapeControls(extra)} exclude each other`,
      subcommand,
    );
  const { address, port } = await readServer(text, undefined, names);
  if (port !== undefined)
    throw new UsageError(
      `--all-services ${escapeControls(text)}: expected an address without a port`,
      subcommand,
    );
  return { text: formatAddress(address), address };
}

/** Checks that a command line without --all-services has these arguments. @throws {UsageError} */
export function requireArguments(
  { positionals }: Arguments,
  names: readonly string[],
  subcommand: string,
): void {
  for (const [i, name] of names.entries())
    if (positionals[i] === undefined)
      throw new UsageError(`missing argument ${name}`, subcommand);
}

/**
 * Picks the machine from each reading of the table.
 *
 * @throws {UnknownSelected} at the first reading, if no service has it
 */
export function chooseMachine({ text, address }: Machine): ChooseServers {
  let first = true;
  return (table) => {
    const found = serversOfMachine(table, address);
    if (first && found.length === 0)
      throw new UnknownSelected(
        `no service has the real server ${text}`,
        "'ipvsadm list' shows all real servers",
      );
    first = false;
    return found;
  };
}
