/**
 * A load balancer at work: virtual services created with our program, HTTP servers behind them, a
 * few hundred requests, and the listings that show where they went. The exit status is 1 if a check
 * fails. Needs a kernel with ip_vs; `npm run demo` provides one.
 */
import { eventually } from "../lab/eventually.js";
import { request, startServer } from "../lab/http.js";
import { buildNetwork, DIRECTOR, type Network } from "../lab/network.js";
import { ours } from "../lab/program.js";
import {
  type Check,
  checkCounts,
  checkEntries,
  checkReplies,
  checkStatistics,
  type Visit,
} from "./checks.js";
import { connectionsOf, rowsOf } from "../lab/listings.js";
import {
  DIRECT_ROUTING,
  DRAWING,
  NAT,
  PLACES,
  PORTS,
  type Service,
} from "./places.js";
import { installedIpvsadm, ipvsadm, run, say, show } from "./shell.js";

/** Requests per service. */
const REQUESTS = 300;
const STATISTICS = "-Ln --stats --exact";
const ENTRIES_SHOWN = 8;

try {
  const faults = summarize(await demo());
  process.exitCode = faults === 0 ? 0 : 1;
} catch (error) {
  console.error(`demo: ${String(error)}`);
  process.exitCode = 1;
}

async function demo(): Promise<Map<string, Check[]>> {
  say("Four hosts, each a network namespace:");
  console.log(DRAWING);
  using network = buildNetwork(PLACES);
  say("HTTP servers start on real1 and real2.");
  const servers = [
    await startServer("real1", PORTS),
    await startServer("real2", PORTS),
  ];
  try {
    await makeServices();
    const visits = [
      await visit(network, NAT),
      await visit(network, DIRECT_ROUTING),
    ];
    const checks = await checkListings(visits);
    checks.set("subcommands", await checkSubcommands(visits));
    return checks;
  } finally {
    // Ignore errors here: they would hide the error that led here, if there was one.
    await ours(["-C"]);
    for (const server of servers) await server.stop();
  }
}

async function makeServices(): Promise<void> {
  say(
    "Commands run inside this process, because Node.js takes a second to start in a guest.",
  );
  say(
    "Masquerading (NAT), port 80 to port 8080; real1 gets two of three connections:",
  );
  await ipvsadm("-A -t 192.0.2.100:80 -s wrr");
  await ipvsadm("-a -t 192.0.2.100:80 -r 198.51.100.11:8080 -m -w 2");
  await ipvsadm("-a -t 192.0.2.100:80 -r 198.51.100.12:8080 -m -w 1");
  say("Direct routing, round robin:");
  await ipvsadm("-A -t 198.51.100.100:80 -s rr");
  await ipvsadm("-a -t 198.51.100.100:80 -r 198.51.100.11 -g");
  await ipvsadm("-a -t 198.51.100.100:80 -r 198.51.100.12 -g");
}

/** Lets the client make its requests to a service. */
async function visit(network: Network, service: Service): Promise<Visit> {
  say(
    `The client makes ${REQUESTS} requests to ${service.address} (${service.name}).`,
  );
  const sentBefore = bytesSent(network, service.network);
  const replies = await request(
    "client",
    `http://${service.address}/`,
    REQUESTS,
  );
  return {
    service,
    requests: REQUESTS,
    replies,
    bytesSent: bytesSent(network, service.network) - sentBefore,
  };
}

/** The bytes that the director sent into a network, from the interface's counter. */
function bytesSent(network: Network, name: string): number {
  const file = `/sys/class/net/${name}/statistics/tx_bytes`;
  return Number(network.sh(DIRECTOR, `cat ${file}`));
}

/** Shows the listings and compares them with the client's observations. */
async function checkListings(
  visits: readonly Visit[],
): Promise<Map<string, Check[]>> {
  say("Where the connections went (by the installed program):");
  const counts = rowsOf(await installedIpvsadm("-Ln"));
  say("What passed through the director:");
  const statistics = rowsOf(await statisticsAtRest(visits));
  say("Each connection:");
  const entries = connectionsOf(await ipvsadm("-Lnc", ENTRIES_SHOWN + 2));
  return new Map(
    visits.map((one) => [
      `${one.service.address}, ${one.service.name}`,
      [
        ...checkReplies(one),
        checkCounts(one, counts),
        ...checkStatistics(one, statistics),
        checkEntries(one, entries),
      ],
    ]),
  );
}

/** Shows the same table by `list`, and what doctor says of the director. */
async function checkSubcommands(visits: readonly Visit[]): Promise<Check[]> {
  say("The same table by a subcommand, with the state of each server:");
  const list = await ipvsadm("list --columns name,state,weight,total");
  say(
    "Doctor examines the director, and asks the network about its addresses:",
  );
  const doctor = await ipvsadm("doctor");
  const services = visits.map(({ service }) => `tcp/${service.address}`);
  const shown = services.filter((name) => list.includes(name));
  const ok = list.split("\n").filter((line) => line.includes(" ok ")).length;
  const summary = /^(No fault found|[0-9]+ errors?)/m.exec(doctor)?.[0];
  return [
    {
      claim: "list shows both services, and every server in the state ok",
      holds: shown.length === services.length && ok === 3 * services.length,
      found: `${shown.length} services, ${ok} lines with ok`,
    },
    {
      claim: "doctor finds no error",
      holds: summary === "No fault found" || summary === "0 errors",
      found: summary ?? "no summary",
    },
  ];
}

/** Shows the counters after the kernel has updated them, which it does every 2 seconds. */
async function statisticsAtRest(visits: readonly Visit[]): Promise<string> {
  const listing = await eventually(
    () => run(STATISTICS),
    (text) =>
      visits
        .flatMap((one) => checkStatistics(one, rowsOf(text)))
        .every(({ holds }) => holds),
  );
  show(`ipvsadm ${STATISTICS}`, listing);
  return listing;
}

/** Prints the checks. @returns the number of failed checks */
function summarize(checks: ReadonlyMap<string, readonly Check[]>): number {
  say("Checks:");
  for (const [title, ones] of checks) {
    console.log(`  ${title}`);
    for (const { holds, claim, found } of ones)
      console.log(`    ${holds ? "ok    " : "FAILED"} ${claim} (${found})`);
  }
  const all = [...checks.values()].flat();
  const failed = all.filter(({ holds }) => !holds).length;
  say(
    failed === 0
      ? `All ${all.length} checks passed.`
      : `${failed} of ${all.length} checks FAILED.`,
  );
  return failed;
}
