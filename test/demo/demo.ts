/**
 * A load balancer at work: virtual services made with our program, HTTP servers behind them, a few
 * hundred requests, and the listings that show where those went. The exit status is 1 if anything was
 * not as promised. Needs a kernel with ip_vs: `npm run demo` finds one.
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

/** Of each service. */
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

async function demo(): Promise<Map<Service, Check[]>> {
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
    return await checkListings(visits);
  } finally {
    // Whether that succeeds is not asked: the answer would hide the fault that led here, if there was one.
    await ours(["-C"]);
    for (const server of servers) await server.stop();
  }
}

async function makeServices(): Promise<void> {
  say(
    "Commands are given to the program within this process, as Node.js takes a second to start in a guest.",
  );
  say(
    "By NAT, port 80 to port 8080; real1 is to get two of three connections:",
  );
  await ipvsadm("-A -t 192.0.2.100:80 -s wrr");
  await ipvsadm("-a -t 192.0.2.100:80 -r 198.51.100.11:8080 -m -w 2");
  await ipvsadm("-a -t 192.0.2.100:80 -r 198.51.100.12:8080 -m -w 1");
  say("By direct routing, in turns:");
  await ipvsadm("-A -t 198.51.100.100:80 -s rr");
  await ipvsadm("-a -t 198.51.100.100:80 -r 198.51.100.11 -g");
  await ipvsadm("-a -t 198.51.100.100:80 -r 198.51.100.12 -g");
}

/** Has the client make its requests to a service. */
async function visit(network: Network, service: Service): Promise<Visit> {
  say(
    `The client asks ${service.address} ${REQUESTS} times (${service.name}).`,
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

/** What the director has sent into a network, by the interface's own counter. */
function bytesSent(network: Network, name: string): number {
  const file = `/sys/class/net/${name}/statistics/tx_bytes`;
  return Number(network.sh(DIRECTOR, `cat ${file}`));
}

/** Shows the listings and compares them with what the client knows. */
async function checkListings(
  visits: readonly Visit[],
): Promise<Map<Service, Check[]>> {
  say("Where the connections went, by the program as it is installed:");
  const counts = rowsOf(await installedIpvsadm("-Ln"));
  say("What passed the director:");
  const statistics = rowsOf(await statisticsAtRest(visits));
  say("Each connection:");
  const entries = connectionsOf(await ipvsadm("-Lnc", ENTRIES_SHOWN + 2));
  return new Map(
    visits.map((one) => [
      one.service,
      [
        ...checkReplies(one),
        checkCounts(one, counts),
        ...checkStatistics(one, statistics),
        checkEntries(one, entries),
      ],
    ]),
  );
}

/** Waits for the kernel, which brings its counters up to date every 2 seconds, and shows them. */
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

/** Tells what was checked. @returns how many checks failed */
function summarize(checks: ReadonlyMap<Service, readonly Check[]>): number {
  say("What was checked:");
  for (const [service, ones] of checks) {
    console.log(`  ${service.address}, ${service.name}`);
    for (const { holds, claim, found } of ones)
      console.log(`    ${holds ? "ok    " : "FAILED"} ${claim} (${found})`);
  }
  const all = [...checks.values()].flat();
  const failed = all.filter(({ holds }) => !holds).length;
  say(
    failed === 0
      ? `All ${all.length} checks hold.`
      : `${failed} of ${all.length} checks FAILED.`,
  );
  return failed;
}
