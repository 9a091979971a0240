import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import * as library from "../../src/index.js";
import {
  InvalidArgument,
  IpvsClient,
  openIpvs,
  parseAddress,
  parseServer,
  parseService,
  serverSettings,
  serviceSettings,
  TablePlan,
} from "../../src/index.js";
import { INFO } from "../fixtures/replies.js";
import { scriptedKernel } from "../classic/scripted-kernel.js";

/** A parameter: its name, a right value, and wrong values besides those that are wrong for every parameter. */
type Row = readonly [name: string, right: unknown, ...wrong: unknown[]];

/** Wrong for all parameters but those that accept anything of that type. */
const NONSENSE = [null, 7.5, -1, "nonsense", true, 7n, Symbol("s"), [7], {}];

const SERVICE = parseService("TCP 192.0.2.1:80");
const SERVER = parseServer("10.0.0.11:8080");
const ADDRESS = parseAddress("192.0.2.1");
const SETTINGS = serviceSettings(SERVICE);
const SERVER_SETTINGS = serverSettings();
const DAEMON = { state: 1, multicastInterface: "eth0", syncId: 0 };
const TABLE = { services: [] };
/** A client that must not be asked anything */
const CLIENT = {
  apply: () => assert.fail("the client was called"),
  steadyTable: () => assert.fail("the client was called"),
};
const LINK = { receiveBufferBytes: 1, send() {}, receive() {}, close() {} }; // eslint-disable-line @typescript-eslint/no-empty-function

const SERVICE_ROW: Row = [
  "service",
  SERVICE,
  { family: 2 },
  { family: 3, firewallMark: 7 },
  { family: 2, firewallMark: 0 },
  { ...SERVICE, protocol: 1 },
  { ...SERVICE, port: 65536 },
  { ...SERVICE, port: "80" },
  { ...SERVICE, address: "192.0.2.1" },
  { ...SERVICE, family: 10 },
];
const SERVER_ROW: Row = ["server", SERVER, { address: ADDRESS }, { port: 80 }];
const SETTINGS_ROW: Row = [
  "settings",
  SETTINGS,
  { scheduler: "rr" },
  { ...SETTINGS, scheduler: 7 },
  { ...SETTINGS, flags: "0" },
  { ...SETTINGS, timeoutSeconds: -1 },
  { ...SETTINGS, netmask: "255.255.255.0" },
  { ...SETTINGS, netmask: ADDRESS?.subarray(1) },
  { ...SETTINGS, persistenceEngine: 7 },
];
const SERVER_SETTINGS_ROW: Row = [
  "settings",
  SERVER_SETTINGS,
  { weight: 1 },
  { ...SERVER_SETTINGS, weight: 2 ** 31 },
  { ...SERVER_SETTINGS, weight: "1" },
  { ...SERVER_SETTINGS, tunnel: undefined },
  { ...SERVER_SETTINGS, tunnel: { type: 0, port: 0 } },
  { ...SERVER_SETTINGS, forwarding: "masquerading" },
];
const CLIENT_ROW: Row = ["ipvs", CLIENT, { apply: CLIENT.apply }];
const DAEMON_ROW: Row = ["daemon", DAEMON, { ...DAEMON, state: 3 }];
const LOCK = { lockSeconds: 1, runFolder: "/nonexistent" };
const LOCK_ROW: Row = [
  "options",
  LOCK,
  { lockSeconds: "1" },
  { runFolder: 7 },
  { signal: {} },
];
const SELECTION_ROW: Row = [
  "selection",
  { machine: ADDRESS },
  { machine: "10.0.0.11" },
  [{ service: SERVICE }],
];

/** Every function of the library, and its parameters. `{}` and [] are right for some of them. */
const FUNCTIONS: Readonly<Record<string, readonly Row[]>> = {
  drainServers: [CLIENT_ROW, SELECTION_ROW, LOCK_ROW],
  examineDirector: [
    [
      "options",
      { probe: false },
      { probe: 1 },
      { only: ["no-such"] },
      { skip: "x" },
    ],
  ],
  examineRealServer: [
    [
      "options",
      { services: [] },
      { services: [{}] },
      { services: [], method: "nat" },
      { services: [], hardwareAddress: new Uint8Array(6) },
      { services: [], server: SERVER, hardwareAddress: new Uint8Array(5) },
      { services: [], server: SERVER, hardwareAddress: "02:00:5e:10:00:01" },
      { services: [], only: ["no-such"] },
    ],
  ],
  exchangeOver: [["link", LINK]],
  familyOf: [["address", ADDRESS]],
  formatAddress: [["address", ADDRESS, new Uint8Array(5), [1, 2, 3, 4]]],
  formatChange: [
    [
      "change",
      { command: "flush" },
      { command: "fulsh" },
      { command: "add-service", service: SERVICE },
      { command: "set", timeouts: {} },
    ],
  ],
  formatEndpoint: [
    ["address", ADDRESS],
    ["port", 80, 65536, "80"],
  ],
  formatService: [["key", SERVICE]],
  formatTable: [
    ["table", TABLE, { services: [{}] }],
    ["format", "json", "rules"],
  ],
  metricsText: [CLIENT_ROW, ["options", {}, { series: "some" }]],
  openIpvs: [["link", LINK]],
  openNodeLink: [
    ["family", 16, "16"],
    ["timeoutSeconds", 1, 0],
  ],
  parseAddress: [["address", "192.0.2.1"]],
  parseRules: [
    ["rules", ""],
    ["options", {}, { name: 7 }, { hostAddress: "x" }],
  ],
  parseServer: [["server", "10.0.0.11:80"]],
  parseService: [["service", "FWM 7"]],
  planTable: [
    CLIENT_ROW,
    [
      "table",
      TABLE,
      { services: [{}] },
      { services: [], partial: true },
      { services: [], timeouts: {} },
    ],
    ["options", {}, { prune: 1 }, { only: [] }],
  ],
  readMetrics: [CLIENT_ROW, ["options", {}, { series: "some" }]],
  readRuleFile: [
    ["path", "/nonexistent"],
    ["options", {}, { name: 7 }],
  ],
  sameAddress: [
    ["a", ADDRESS],
    ["b", ADDRESS],
  ],
  schedulerFlag: [["name", "sh-port"]],
  schedulerFlagNames: [
    ["scheduler", "sh"],
    ["bits", 8],
  ],
  serverSettings: [["given", {}, { weight: "1" }, { tunnel: {} }]],
  serviceSettings: [SERVICE_ROW, ["given", {}, { scheduler: 7 }]],
  topConnections: [
    [
      "options",
      { by: "client" },
      {},
      { by: "user" },
      { by: "client", limit: 0 },
      { by: "client", clients: ["10.0.0"] },
      { by: "client", services: [{ family: 2, firewallMark: 7 }] },
    ],
  ],
  undrainServers: [CLIENT_ROW, SELECTION_ROW, ["options", LOCK, { weight: 0 }]],
  waitUntil: [
    CLIENT_ROW,
    [
      "subject",
      { service: SERVICE },
      { service: SERVICE, server: {} },
      { machine: "x" },
    ],
    [
      "condition",
      { kind: "drained" },
      { kind: "idle" },
      { kind: "active" },
      { kind: "state", state: "fine" },
    ],
    [
      "options",
      {},
      { intervalSeconds: 0 },
      { timeoutSeconds: "1m" },
      { signal: { aborted: false } },
      { report: 1 },
    ],
  ],
};

/** The methods of a client. Those that are missing have no parameters. */
const METHODS: Readonly<Record<string, readonly Row[]>> = {
  addServer: [SERVICE_ROW, SERVER_ROW, SERVER_SETTINGS_ROW],
  addService: [SERVICE_ROW, SETTINGS_ROW],
  apply: [["changes", [], [{}], [{ command: "zero", service: {} }]]],
  deleteServer: [SERVICE_ROW, SERVER_ROW],
  deleteService: [SERVICE_ROW],
  editServer: [SERVICE_ROW, SERVER_ROW, SERVER_SETTINGS_ROW],
  editService: [SERVICE_ROW, SETTINGS_ROW],
  servers: [["key", SERVICE]],
  serversOf: [["keys", [], [{}]]],
  serverSummariesOf: [["keys", [], [{}]]],
  service: [["key", SERVICE]],
  setTimeouts: [
    [
      "timeouts",
      { tcpSeconds: 0, tcpFinSeconds: 0, udpSeconds: 0 },
      { tcpSeconds: 900 },
    ],
  ],
  startDaemon: [DAEMON_ROW],
  stopDaemon: [DAEMON_ROW],
  withServers: [["services", [], [{}]]],
  withServerSummaries: [["services", [], [{}]]],
  zero: [["service", undefined]],
};
const WITHOUT_PARAMETERS = [
  "close",
  "daemons",
  "flush",
  "services",
  "serviceSummaries",
  "steadyTable",
  "table",
  "timeouts",
];

/** Whether a value of NONSENSE is right for a parameter. */
function isRight(call: string, name: string, value: unknown): boolean {
  const texts = new Set([
    "parseAddress address",
    "parseServer server",
    "parseService service",
    "schedulerFlag name",
    "schedulerFlagNames scheduler",
    "readRuleFile path",
    "parseRules rules",
  ]);
  if (texts.has(`${call} ${name}`)) return value === "nonsense";
  if (name === "timeoutSeconds") return value === 7.5;
  const empty =
    value !== null && typeof value === "object" && !Array.isArray(value);
  return (
    (name === "options" &&
      !/^(topConnections|examineRealServer)$/.test(call) &&
      empty) ||
    (name === "given" && empty)
  );
}

/** The error of a call, thrown or as a rejection. */
async function errorOf(act: () => unknown): Promise<unknown> {
  try {
    await act();
  } catch (error) {
    return error;
  }
  return undefined;
}

async function check(
  call: string,
  rows: readonly Row[],
  act: (...values: unknown[]) => unknown,
): Promise<number> {
  let checked = 0;
  for (const [at, [name, , ...wrong]] of rows.entries()) {
    for (const value of [...NONSENSE, ...wrong]) {
      if (
        !wrong.includes(value) &&
        isRight(call.replace("IpvsClient.", ""), name, value)
      )
        continue;
      const values = rows.map(([, right], i) => (i === at ? value : right));
      const what = `${call}() with ${name} = ${inspect(value)}`;
      const error = await errorOf(() => act(...values));
      assert.ok(error instanceof InvalidArgument, `${what}: ${String(error)}`);
      assert.ok(error instanceof TypeError);
      assert.equal(error.call, call, what);
      assert.equal(error.path.split(/[.[]/)[0], name, what);
      assert.ok(error.message.startsWith(`${call}(): ${error.path} is `), what);
      assert.ok(error.expected.length > 0 && error.advice.length > 0);
      checked++;
    }
  }
  return checked;
}

test("the table of this test has every function and every method of the library", () => {
  const functions = Object.entries(library).flatMap(([name, value]) =>
    typeof value === "function" && !/^class\b/.test(String(value))
      ? [name]
      : [],
  );
  assert.deepEqual(functions.sort(), Object.keys(FUNCTIONS).sort());
  const methods = Object.getOwnPropertyNames(IpvsClient.prototype).filter(
    (name) => name !== "constructor",
  );
  assert.deepEqual(
    methods.sort(),
    [...Object.keys(METHODS), ...WITHOUT_PARAMETERS].sort(),
  );
});

for (const [name, rows] of Object.entries(FUNCTIONS))
  test(`${name}() names the first wrong argument`, async () => {
    const act = (
      library as unknown as Record<string, (...values: unknown[]) => unknown>
    )[name];
    assert.ok(act);
    assert.ok((await check(name, rows, act)) > 5);
  });

for (const [name, rows] of Object.entries(METHODS))
  test(`IpvsClient.${name}() names the first wrong argument, and sends nothing`, async () => {
    const link = scriptedKernel();
    const ipvs = await openIpvs(link);
    const sent = link.sent.length;
    const act = (
      ipvs as unknown as Record<string, (...values: unknown[]) => unknown>
    )[name];
    assert.ok(act);
    assert.ok((await check(`IpvsClient.${name}`, rows, act.bind(ipvs))) > 5);
    assert.equal(link.sent.length, sent);
  });

test("IpvsClient.open() and TablePlan.apply() name the first wrong argument", async () => {
  const open = IpvsClient.open.bind(IpvsClient) as (
    ...values: unknown[]
  ) => unknown;
  await check(
    "IpvsClient.open",
    [
      ["exchange", () => undefined],
      ["close", () => undefined],
    ],
    open,
  );
  const plan = new TablePlan([], () => assert.fail("carried out"));
  const apply = plan.apply.bind(plan) as (...values: unknown[]) => unknown;
  await check(
    "TablePlan.apply",
    [
      [
        "options",
        {},
        { lockSeconds: -1 },
        { drainSeconds: "1" },
        { report: 1 },
      ],
    ],
    apply,
  );
});

test("addService() names a missing setting, and says what fills it in", async () => {
  const ipvs = await openIpvs(scriptedKernel());
  const settings = { scheduler: "rr" } as unknown as typeof SETTINGS;
  await assert.rejects(ipvs.addService(SERVICE, settings), {
    name: "InvalidArgument",
    message:
      "IpvsClient.addService(): settings.flags is missing: expected an integer from 0 to 4294967295; serviceSettings() fills in the defaults",
    path: "settings.flags",
    advice: "serviceSettings() fills in the defaults",
  });
});

test("openIpvs() names what a link lacks", async () => {
  await assert.rejects(openIpvs({} as unknown as library.Link), {
    name: "InvalidArgument",
    message:
      "openIpvs(): link.receiveBufferBytes is missing: expected an integer from 1 to 9007199254740991; openNodeLink() returns one",
  });
});

test("an InvalidArgument shows no control characters and no long texts", () => {
  const service = {
    ...SERVICE,
    port: "\x1b[2J\x9b" + "x".repeat(100),
  } as unknown as typeof SERVICE;
  assert.throws(
    () => library.formatService(service),
    (error: Error) => {
      assert.match(error.message, /key\.port is "\\u001b\[2J\\u009bx+…"/);
      assert.ok(error.message.length < 150);
      return true;
    },
  );
});

test("right arguments reach the kernel", async () => {
  assert.ok(INFO.length > 0);
  const link = scriptedKernel();
  const ipvs = await openIpvs(link);
  const sent = link.sent.length;
  await ipvs.addService(SERVICE, SETTINGS);
  await ipvs.addServer(SERVICE, SERVER, SERVER_SETTINGS);
  await ipvs.zero();
  await ipvs.apply([{ command: "flush" }]);
  assert.equal(link.sent.length, sent + 4);
});
