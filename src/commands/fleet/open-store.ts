import { readFileSync } from "node:fs";
import { CommandError, UsageError } from "../../cli/errors.js";
import { escapeControls } from "../../cli/escape.js";
import type { Invocation } from "../../cli/invocation.js";
import { FleetKeys } from "../../fleet/keys.js";
import { errnoText } from "../../netlink/errno.js";
import type { EtcdStore } from "../../store/etcd/etcd-store.js";
import { systemClock } from "../../system/clock.js";
import { readConfiguration, type FleetConfiguration } from "./configuration.js";
import { asCommandError } from "./explain.js";

/** A connection to etcd, with what the command line and the configuration say. */
export interface FleetConnection {
  readonly store: EtcdStore;
  readonly keys: FleetKeys;
  readonly configuration: FleetConfiguration;
}

/** Opens the store for an action. Its errors become errors of the command line. */
export async function withStore<Result>(
  { given }: Pick<Invocation, "given">,
  act: (connection: FleetConnection) => Promise<Result>,
): Promise<Result> {
  const configuration = readConfiguration(given);
  const connection = await openStore(configuration, given.duration("deadline"));
  try {
    return await act(connection);
  } catch (error) {
    throw asCommandError(error, configuration.endpoints);
  } finally {
    connection.store.close();
  }
}

/** Opens the store. @throws {CommandError} {UsageError} the configuration cannot be used */
export async function openStore(
  configuration: FleetConfiguration,
  deadlineSeconds: number | undefined,
): Promise<FleetConnection> {
  const { endpoints, cacert, cert, key, user, passwordFile, prefix } =
    configuration;
  if ((cert === undefined) !== (key === undefined))
    throw new UsageError("--cert and --key go together", "fleet");
  if ((user === undefined) !== (passwordFile === undefined))
    throw new UsageError("--user and --password-file go together", "fleet");
  if (passwordFile !== undefined)
    for (const endpoint of endpoints) refuseOpenPassword(endpoint);
  const certificates = () => ({
    authorities: cacert === undefined ? undefined : secretFile(cacert),
    certificate: cert === undefined ? undefined : secretFile(cert),
    key: key === undefined ? undefined : secretFile(key),
  });
  certificates(); // A missing file is an error of the command line, not of a connection.
  const { EtcdStore } = await import("../../store/etcd/etcd-store.js");
  const store = new EtcdStore({
    endpoints,
    certificates,
    user:
      user === undefined || passwordFile === undefined
        ? undefined
        : {
            name: user,
            password: secretFile(passwordFile).toString().trimEnd(),
          },
    pauses: {
      sleep: (milliseconds, signal) => systemClock.sleep(milliseconds, signal),
      random: Math.random,
    },
    deadlineMilliseconds:
      deadlineSeconds === undefined ? undefined : deadlineSeconds * 1000,
  });
  return { store, keys: new FleetKeys(prefix), configuration };
}

/** Everyone on the network path could read the password. @throws {CommandError} */
function refuseOpenPassword(endpoint: string): void {
  const { protocol, hostname } = new URL(endpoint);
  const isLocal = /^(localhost|127\.[0-9.]+|\[::1\])$/.test(hostname);
  if (protocol === "https:" || isLocal) return;
  throw new CommandError(
    `endpoint ${endpoint}: without TLS, everyone on the network path can read the password`,
    "use https",
  );
}

/** @throws {CommandError} */
export function secretFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code, errno } = error as NodeJS.ErrnoException;
    throw new CommandError(
      `cannot read ${escapeControls(path)}: ${errno === undefined ? String(code) : errnoText(Math.abs(errno))}`,
    );
  }
}
