import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { printable, systemNames } from "../../src/system/names.js";

/** The names of a file of services with this text, for as long as the test runs. */
function services(t: TestContext, text: string) {
  const folder = mkdtempSync(join(tmpdir(), "ipvsadm-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, "services");
  writeFileSync(file, text, "latin1");
  return systemNames(file);
}

test("a service has a port and a name, by its protocol", (t) => {
  const names = services(t, "domain\t53/tcp\ndomain 53/udp\nsip 5060/sctp\n");
  assert.equal(names.servicePort("domain", "udp"), 53);
  assert.equal(names.serviceName(53, "tcp"), "domain");
  assert.equal(names.servicePort("sip", "sctp"), 5060);
  assert.equal(names.servicePort("sip", "tcp"), undefined);
  assert.equal(names.serviceName(5060, "udp"), undefined);
});

test("a service may have aliases, which are found but not shown", (t) => {
  const names = services(t, "http 80/tcp www web # the web\n");
  assert.equal(names.servicePort("web", "tcp"), 80);
  assert.equal(names.servicePort("www", "tcp"), 80);
  assert.equal(names.serviceName(80, "tcp"), "http");
});

test("of several entries the first counts", (t) => {
  const names = services(t, "a 1/tcp x\nb 1/tcp\na 2/tcp\nx 3/tcp\n");
  assert.equal(names.serviceName(1, "tcp"), "a");
  assert.equal(names.servicePort("a", "tcp"), 1);
  assert.equal(names.servicePort("x", "tcp"), 1);
  assert.equal(names.servicePort("b", "tcp"), 1);
});

test("comments, empty lines and what is no entry are passed over", (t) => {
  const names = services(
    t,
    "# http 80/tcp\n\n  \nhttp\nhttp 80\nhttp x/tcp\n#\nhttp 8080/tcp#80/tcp\n",
  );
  assert.equal(names.servicePort("http", "tcp"), 8080);
});

test("an entry may be indented, and the last one without a line feed", (t) => {
  const names = services(t, "  http   80/tcp");
  assert.equal(names.serviceName(80, "tcp"), "http");
});

test("names are no properties of an object", (t) => {
  const names = services(t, "");
  assert.equal(names.servicePort("constructor", "tcp"), undefined);
});

test("control characters in a service's name are not shown", (t) => {
  const names = services(t, "ev\x1b[2Jil 80/tcp\n");
  assert.equal(names.serviceName(80, "tcp"), "ev?[2Jil");
});

test("without a file of services there are none", () => {
  const names = systemNames("/nonexistent/services");
  assert.equal(names.servicePort("http", "tcp"), undefined);
  assert.equal(names.serviceName(80, "tcp"), undefined);
});

test("the file of services is read once, and only when it is needed", (t) => {
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

test("what came from elsewhere cannot steer a terminal", () => {
  assert.equal(printable("a\x00\x1b\n\x7f\x80\x9fz"), "a??????z");
  assert.equal(printable("ä\xa0~ "), "ä\xa0~ ");
});

test("a host that nobody knows has no address", async () => {
  const names = systemNames("/nonexistent/services");
  for (const name of ["", " ", "a b", "h\xf6st"])
    assert.equal(await names.hostAddress(name), undefined, name);
});

test("localhost has an IPv4 address", async () => {
  const names = systemNames("/nonexistent/services");
  assert.match((await names.hostAddress("localhost")) ?? "", /^127\./);
});

test("an address has a name, or none", async () => {
  // Without a question to the network: localhost stands in /etc/hosts.
  const names = systemNames("/nonexistent/services");
  const name = await names.hostName("127.0.0.1");
  assert.ok(name === undefined || /^[!-~]+$/.test(name));
});
