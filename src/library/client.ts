import { IpvsClient } from "../ipvs/client.js";
import {
  SERVICE_KEYS,
  CHANGE,
  DAEMON,
  SERVER_KEY,
  SERVER_SETTINGS,
  SERVICE_KEY,
  SERVICE_SETTINGS,
  SERVICES_IN_TABLE,
  TIMEOUTS,
} from "./shapes.js";
import {
  callback,
  invalidArgument,
  listOf,
  optional,
  type Parameter,
} from "./shape.js";

/*
 * The library checks what its callers give to the methods of IpvsClient. The program does not: the compiler has checked its
 * calls, and a classic command pays for nothing else. Therefore the checks are added here, and only programs that import
 * the library have them.
 */

const SERVICE: Parameter = ["service", SERVICE_KEY];
const SERVER: Parameter = ["server", SERVER_KEY];

/** The parameters of each method that returns a promise. It is rejected if one is wrong. */
const PROMISED: Readonly<Record<string, readonly Parameter[]>> = {
  apply: [["changes", listOf("an array of changes", CHANGE)]],
  addService: [SERVICE, ["settings", SERVICE_SETTINGS]],
  editService: [SERVICE, ["settings", SERVICE_SETTINGS]],
  deleteService: [SERVICE],
  addServer: [SERVICE, SERVER, ["settings", SERVER_SETTINGS]],
  editServer: [SERVICE, SERVER, ["settings", SERVER_SETTINGS]],
  deleteServer: [SERVICE, SERVER],
  zero: [["service", optional(SERVICE_KEY)]],
  setTimeouts: [["timeouts", TIMEOUTS]],
  startDaemon: [["daemon", DAEMON]],
  stopDaemon: [["daemon", DAEMON]],
  service: [["key", SERVICE_KEY]],
  servers: [["key", SERVICE_KEY]],
  serversOf: [["keys", SERVICE_KEYS]],
  serverSummariesOf: [["keys", SERVICE_KEYS]],
};

/** The same for methods that return a generator. They throw. */
const GENERATED: Readonly<Record<string, readonly Parameter[]>> = {
  withServers: [["services", SERVICES_IN_TABLE]],
  withServerSummaries: [["services", SERVICES_IN_TABLE]],
};

type Method = (this: unknown, ...values: readonly unknown[]) => unknown;

/** Lets a method check its arguments. @param fail is given the error if one is wrong */
function checkMethod(
  target: object,
  name: string,
  parameters: readonly Parameter[],
  fail: (error: Error) => unknown,
): void {
  const method = Reflect.get(target, name) as Method;
  const checked: Method = function (...values) {
    const error = invalidArgument(`IpvsClient.${name}`, parameters, values);
    return error ? fail(error) : Reflect.apply(method, this, values);
  };
  Object.defineProperty(target, name, {
    value: checked,
    writable: true,
    configurable: true,
  });
}

const reject = (error: Error) => Promise.reject(error);

for (const [name, parameters] of Object.entries(PROMISED))
  checkMethod(IpvsClient.prototype, name, parameters, reject);
for (const [name, parameters] of Object.entries(GENERATED))
  checkMethod(IpvsClient.prototype, name, parameters, (error) => {
    throw error;
  });
checkMethod(
  IpvsClient,
  "open",
  [
    ["exchange", callback],
    ["close", optional(callback)],
  ],
  reject,
);

export { IpvsClient };
