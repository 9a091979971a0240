import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress } from "../../src/ipvs/address.js";
import { fault, read, TCP_WEB } from "./read.js";

/*
 * src/grammar/parse.ts: command lines about real servers.
 */

/** The real server that a line adds, as `ADDRESS PORT`, and its settings. */
function server(options: string) {
  const command = read(`-a ${options}`);
  assert.ok(command.command === "add-server");
  const { server, settings, service } = command;
  return {
    place: `${formatAddress(server.address)} ${server.port}`,
    settings,
    service,
  };
}

test("a real server has direct routing and weight 1, if nothing else is said", () => {
  assert.deepEqual(read("-a -t 10.0.0.1:80 -r 10.1.1.1"), {
    command: "add-server",
    service: TCP_WEB,
    server: { address: Uint8Array.of(10, 1, 1, 1), port: 80 },
    settings: {
      forwarding: 3,
      weight: 1,
      tunnel: { type: 0, port: 0, flags: 0 },
      upperThreshold: 0,
      lowerThreshold: 0,
    },
  });
});

test("each setting of a real server is taken", () => {
  const options = "-t ::1 -r ::2 -w 7 -x 10 -y 5 -i --tun-type gue";
  const tunnel = "--tun-port 99 --tun-remcsum";
  assert.deepEqual(server(`${options} ${tunnel}`).settings, {
    forwarding: 2,
    weight: 7,
    tunnel: { type: 1, port: 99, flags: 2 },
    upperThreshold: 10,
    lowerThreshold: 5,
  });
  assert.deepEqual(read(`-e ${options} ${tunnel}`), {
    ...read(`-a ${options} ${tunnel}`),
    command: "edit-server",
  });
});

test("a weight goes up to 2147483647, thresholds too", () => {
  const { settings } = server(
    "-f 1 -r ::1 -i -w 2147483647 -x 2147483647 -y 2147483647",
  );
  assert.equal(settings.weight, 2147483647);
  assert.equal(settings.upperThreshold, 2147483647);
  assert.match(fault("-a -f 1 -r 1.1 -w 2147483648"), /^illegal weight/);
  assert.match(fault("-a -f 1 -r 1.1 -y 2147483648"), /^illegal l_threshold/);
});

test("with direct routing and tunneling a server has the service's port, whatever is said", () => {
  const place = (options: string) => server(`-t 10.0.0.1:80 ${options}`).place;
  assert.equal(place("-r 10.1.1.1:99"), "10.1.1.1 80");
  assert.equal(place("-r 10.1.1.1:99 -g"), "10.1.1.1 80");
  assert.equal(place("-r 10.1.1.1:99 -i"), "10.1.1.1 80");
});

test("with masquerading a server has its own port, or the service's if it has none", () => {
  const place = (options: string) => server(`-t 10.0.0.1:80 ${options}`).place;
  assert.equal(place("-m -r 10.1.1.1:99"), "10.1.1.1 99");
  assert.equal(place("-m -r 10.1.1.1:0"), "10.1.1.1 0");
  assert.equal(place("-m -r 10.1.1.1"), "10.1.1.1 80");
});

test("of a service that is named behind it, a server does not know the port", () => {
  assert.equal(server("-m -r 10.1.1.1 -t 10.0.0.1:80").place, "10.1.1.1 0");
  assert.equal(server("-r 10.1.1.1 -t 10.0.0.1:80").place, "10.1.1.1 80");
});

test("a firewall mark's server keeps its port, whatever the forwarding", () => {
  for (const method of ["-g", "-i", "-m"])
    assert.equal(server(`-f 1 -r 10.1.1.1:99 ${method}`).place, "10.1.1.1 99");
  assert.equal(server("-f 1 -r 10.1.1.1").place, "10.1.1.1 0");
});

test("the two families go together with tunneling alone", () => {
  const sentence =
    "Different address family is allowed only for tunneling servers";
  assert.equal(fault("-a -t 10.0.0.1:80 -r ::1"), sentence);
  assert.equal(fault("-a -t ::1 -r 10.1.1.1 -m"), sentence);
  assert.equal(fault("-e -f 1 -6 -r 10.1.1.1"), sentence);
  assert.equal(server("-t 10.0.0.1:80 -r ::1 -i").place, "::1 80");
  assert.equal(server("-f 1 -6 -r 10.1.1.1 -i").place, "10.1.1.1 0");
});

test("the families are looked at before the tunnel", () => {
  assert.match(fault("-a -t 10.0.0.1:80 -r ::1 --tun-port 5"), /^Different/);
});

test("a server is removed at the port that is said, whatever its forwarding", () => {
  const command = read("-d -t 10.0.0.1:80 -r 10.1.1.1:99");
  assert.ok(command.command === "delete-server");
  assert.equal(command.server.port, 99);
});
