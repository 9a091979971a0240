/**
 * Raises the weight of a real server step by step, so that clients do not flood a server with cold caches.
 *
 *     node slow-start.js "TCP 192.0.2.1:80" 10.0.0.11:8080 100 60
 *
 * raises the weight to 100 within 60 seconds. It needs CAP_NET_ADMIN, which root has.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { openIpvs, parseServer, parseService, sameAddress } from "ipvsadm";

const STEP_SECONDS = 1;

const [serviceName = "", serverName = "", weight, seconds] =
  process.argv.slice(2);
const goal = Number(weight);
const steps = Math.ceil(Number(seconds) / STEP_SECONDS);
if (!(Number.isInteger(goal) && goal > 0 && steps >= 1)) {
  console.error("usage: slow-start SERVICE SERVER WEIGHT SECONDS");
  process.exit(2);
}
const service = parseService(serviceName);
const server = parseServer(serverName);

await using ipvs = await openIpvs();
for (let step = 1; step <= steps; step++) {
  // An edit replaces all settings, and somebody else may have changed one: read them before each step.
  const servers = await ipvs.servers(service);
  const found = servers.find(
    ({ key }) =>
      key.port === server.port && sameAddress(key.address, server.address),
  );
  if (!found)
    throw new Error(`${serviceName} has no real server ${serverName}`);
  const weight = Math.ceil((goal * step) / steps);
  await ipvs.editServer(service, server, { ...found.settings, weight });
  console.log(`weight ${weight}`);
  if (step < steps) await sleep(STEP_SECONDS * 1000);
}
