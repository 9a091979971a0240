import { UsageError } from "../../../cli/errors.js";
import type { Invocation } from "../../../cli/invocation.js";
import { readServer, readService } from "../../../cli/selectors.js";
import { drainId, type Drain } from "../../../fleet/drain.js";

/** Reads SERVICE and SERVER, or SERVER with --all-services. Host names are looked up. */
export async function readDrainArguments(
  { given, io }: Invocation,
  action: string,
): Promise<Pick<Drain, "id" | "service" | "server">> {
  const [first, second] = given.positionals;
  const all = given.flag("all-services");
  const usage = (fault: string) => new UsageError(fault, `fleet ${action}`);
  if (all && second !== undefined)
    throw usage("--all-services takes only SERVER");
  const serverText = all ? first : second;
  if (!all && first === undefined) throw usage("missing argument SERVICE");
  if (serverText === undefined) throw usage("missing argument SERVER");
  const service =
    all || first === undefined ? undefined : await readService(first, io.names);
  const protocol =
    service && "protocol" in service ? service.protocol : undefined;
  const server = await readServer(serverText, protocol, io.names);
  return { id: drainId(service, server), service, server };
}
