import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { formatAddress } from "../../../src/ipvs/address.js";
import { TCP, UDP } from "../../../src/ipvs/model.js";
import {
  listenersIn,
  readListeners,
} from "../../../src/doctor/real-server/listeners.js";

/** As Linux 6.1 prints them. */
const TCP_FILE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 1 0000000000000000 100 0 0 10 0
   1: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12346 1 0000000000000000 100 0 0 10 0
 100: 640200C0:0050 0A0200C0:C350 01 00000000:00000000 00:00000000 00000000     0        0 12347 1 0000000000000000 20 4 30 10 -1
`;
const TCP6_FILE = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 21 1 0000000000000000 100 0 0 10 0
   1: B80D0120000000000000000000010000:01BB 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 22 1 0000000000000000 100 0 0 10 0
`;
const UDP_FILE = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  312: 640200C0:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 31 2 0000000000000000 0
  313: 0B0200C0:D431 01010101:0035 01 00000000:00000000 00:00000000 00000000     0        0 32 2 0000000000000000 0
`;

function shown(text: string, protocol: typeof TCP | typeof UDP, state: string) {
  return listenersIn(text, protocol, state).map(
    ({ address, port }) => `${formatAddress(address)} ${port}`,
  );
}

test("listenersIn() finds listening TCP sockets, not connections", () => {
  assert.deepEqual(shown(TCP_FILE, TCP, "0A"), [
    "127.0.0.1 8080",
    "0.0.0.0 80",
  ]);
});

test("listenersIn() reads IPv6 addresses as four numbers in the machine's byte order", () => {
  assert.deepEqual(shown(TCP6_FILE, TCP, "0A"), [":: 80", "2001:db8::100 443"]);
});

test("listenersIn() finds unconnected UDP sockets", () => {
  assert.deepEqual(shown(UDP_FILE, UDP, "07"), ["192.0.2.100 53"]);
});

test("listenersIn() finds nothing in other text", () => {
  assert.deepEqual(shown("", TCP, "0A"), []);
  assert.deepEqual(shown("nonsense\n", TCP, "0A"), []);
});

test("readListeners() needs the files of IPv4; those of IPv6 may be missing", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "listeners-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  assert.equal(readListeners(folder), undefined);
  mkdirSync(join(folder, "net"));
  writeFileSync(join(folder, "net/tcp"), TCP_FILE);
  assert.equal(readListeners(folder), undefined);
  writeFileSync(join(folder, "net/udp"), UDP_FILE);
  assert.equal(readListeners(folder)?.length, 3);
  mkdirSync(join(folder, "net/tcp6")); // something that cannot be read
  assert.equal(readListeners(folder), undefined);
});
