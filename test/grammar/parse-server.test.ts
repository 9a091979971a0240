import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress } from "../../src/ipvs/address.js";
import { fault, read, TCP_WEB } from "./read.js";

/* src/grammar/parse.ts: command lines that concern real servers. */

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

test("-a uses direct routing and weight 1 by default", () => {
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

test("-a applies every setting of a real server", () => {
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

test("-a accepts weights and thresholds up to 2147483647", () => {
  const { settings } = server(
    "-f 1 -r ::1 -i -w 2147483647 -x 2147483647 -y 2147483647",
  );
  assert.equal(settings.weight, 2147483647);
  assert.equal(settings.upperThreshold, 2147483647);
  assert.match(fault("-a -f 1 -r 1.1 -w 2147483648"), /^illegal weight/);
  assert.match(fault("-a -f 1 -r 1.1 -y 2147483648"), /^illegal l_threshold/);
});

test("-a sets the service's port with direct routing and tunneling, whatever the line says", () => {
  const place = (options: string) => server(`-t 10.0.0.1:80 ${options}`).place;
  assert.equal(place("-r 10.1.1.1:99"), "10.1.1.1 80");
  assert.equal(place("-r 10.1.1.1:99 -g"), "10.1.1.1 80");
  assert.equal(place("-r 10.1.1.1:99 -i"), "10.1.1.1 80");
});

test("-a sets the server's own port with masquerading; by default the service's", () => {
  const place = (options: string) => server(`-t 10.0.0.1:80 ${options}`).place;
  assert.equal(place("-m -r 10.1.1.1:99"), "10.1.1.1 99");
  assert.equal(place("-m -r 10.1.1.1:0"), "10.1.1.1 0");
  assert.equal(place("-m -r 10.1.1.1"), "10.1.1.1 80");
});

test("-a does not know the port of a service that follows the server on the line", () => {
  assert.equal(server("-m -r 10.1.1.1 -t 10.0.0.1:80").place, "10.1.1.1 0");
  assert.equal(server("-r 10.1.1.1 -t 10.0.0.1:80").place, "10.1.1.1 80");
});

test("-a keeps a server's port for a firewall mark with every forwarding method", () => {
  for (const method of ["-g", "-i", "-m"])
    assert.equal(server(`-f 1 -r 10.1.1.1:99 ${method}`).place, "10.1.1.1 99");
  assert.equal(server("-f 1 -r 10.1.1.1").place, "10.1.1.1 0");
});

test("-a accepts a server of the other family only with tunneling", () => {
  const sentence =
    "Different address family is allowed only for tunneling servers";
  assert.equal(fault("-a -t 10.0.0.1:80 -r ::1"), sentence);
  assert.equal(fault("-a -t ::1 -r 10.1.1.1 -m"), sentence);
  assert.equal(fault("-e -f 1 -6 -r 10.1.1.1"), sentence);
  assert.equal(server("-t 10.0.0.1:80 -r ::1 -i").place, "::1 80");
  assert.equal(server("-f 1 -6 -r 10.1.1.1 -i").place, "10.1.1.1 0");
});

test("-a checks the families before the tunnel", () => {
  assert.match(fault("-a -t 10.0.0.1:80 -r ::1 --tun-port 5"), /^Different/);
});

test("-d takes the port as written, with every forwarding method", () => {
  const command = read("-d -t 10.0.0.1:80 -r 10.1.1.1:99");
  assert.ok(command.command === "delete-server");
  assert.equal(command.server.port, 99);
});
