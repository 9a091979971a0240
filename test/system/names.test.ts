import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { printable, systemNames } from "../../src/system/names.js";

/** Names from a services file with this text. The file is deleted after the test. */
function services(t: TestContext, text: string) {
  const folder = mkdtempSync(join(tmpdir(), "ipvsadm-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, "services");
  writeFileSync(file, text, "latin1");
  return systemNames(file);
}

test("serviceName() and servicePort() look up a service by protocol", (t) => {
  const names = services(t, "domain\t53/tcp\ndomain 53/udp\nsip 5060/sctp\n");
  assert.equal(names.servicePort("domain", "udp"), 53);
  assert.equal(names.serviceName(53, "tcp"), "domain");
  assert.equal(names.servicePort("sip", "sctp"), 5060);
  assert.equal(names.servicePort("sip", "tcp"), undefined);
  assert.equal(names.serviceName(5060, "udp"), undefined);
});

test("servicePort() finds aliases, and serviceName() does not return them", (t) => {
  const names = services(t, "http 80/tcp www web # the web\n");
  assert.equal(names.servicePort("web", "tcp"), 80);
  assert.equal(names.servicePort("www", "tcp"), 80);
  assert.equal(names.serviceName(80, "tcp"), "http");
});

test("serviceName() and servicePort() use the first of several entries", (t) => {
  const names = services(t, "a 1/tcp x\nb 1/tcp\na 2/tcp\nx 3/tcp\n");
  assert.equal(names.serviceName(1, "tcp"), "a");
  assert.equal(names.servicePort("a", "tcp"), 1);
  assert.equal(names.servicePort("x", "tcp"), 1);
  assert.equal(names.servicePort("b", "tcp"), 1);
});

test("serviceName() ignores comments, empty lines and malformed entries", (t) => {
  const names = services(
    t,
    "# http 80/tcp\n\n  \nhttp\nhttp 80\nhttp x/tcp\n#\nhttp 8080/tcp#80/tcp\n",
  );
  assert.equal(names.servicePort("http", "tcp"), 8080);
});

test("serviceName() accepts indented entries and a last line without a line feed", (t) => {
  const names = services(t, "  http   80/tcp");
  assert.equal(names.serviceName(80, "tcp"), "http");
});

test("servicePort() does not find properties of objects", (t) => {
  const names = services(t, "");
  assert.equal(names.servicePort("constructor", "tcp"), undefined);
});

test("serviceName() removes control characters", (t) => {
  const names = services(t, "ev\x1b[2Jil 80/tcp\n");
  assert.equal(names.serviceName(80, "tcp"), "ev?[2Jil");
});

test("serviceName() returns undefined without /etc/services", () => {
  const names = systemNames("/nonexistent/services");
  assert.equal(names.servicePort("http", "tcp"), undefined);
  assert.equal(names.serviceName(80, "tcp"), undefined);
});

test("serviceName() reads /etc/services once, when it is first needed", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "ipvsadm-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, "services");
  const names = systemNames(file);
  writeFileSync(file, "a 1/tcp\n");
  assert.equal(names.serviceName(1, "tcp"), "a");
  writeFileSync(file, "b 1/tcp\n");
  assert.equal(names.serviceName(1, "tcp"), "a");
});

test("printable() removes control characters", () => {
  assert.equal(printable("a\x00\x1b\n\x7f\x80\x9fz"), "a??????z");
  assert.equal(printable("ä\xa0~ "), "ä\xa0~ ");
});

test("hostAddress() returns undefined for an unknown host", async () => {
  const names = systemNames("/nonexistent/services");
  for (const name of ["", " ", "a b", "h\xf6st"])
    assert.equal(await names.hostAddress(name), undefined, name);
});

test("hostAddress() resolves localhost to an IPv4 address", async () => {
  const names = systemNames("/nonexistent/services");
  assert.match((await names.hostAddress("localhost")) ?? "", /^127\./);
});

test("hostName() returns a name or undefined", async () => {
  // localhost is in /etc/hosts, so this does not use the network.
  const names = systemNames("/nonexistent/services");
  const name = await names.hostName("127.0.0.1");
  assert.ok(name === undefined || /^[!-~]+$/.test(name));
});
