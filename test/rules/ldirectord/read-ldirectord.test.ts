import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { fakeLookups } from "../name-lookups.js";
import { readConfiguration } from "../configurations.js";

suite("readLdirectord()", () => {
  test("reads virtual services and real servers", async () => {
    const { rules, findings, file } = await readConfiguration(
      `
# Global options
checktimeout = 60
checkinterval=1
autoreload=yes
quiescent = no
fallback = 127.0.0.1
logfile = "/var/log/ldirectord.log"

virtual = 192.0.2.1:80
	real = 10.1.0.11:80 masq 3
	real=10.1.0.12->10.1.0.14:8080 masq 2 "/check.html", "OK"
	# a comment
	fallback = 127.0.0.1:8081 gate
	protocol = tcp
	scheduler = wlc # another
	service = http
	checktype = negotiate
	request = "/"
virtual6 = [2001:db8::1]:80
        real6 = [2001:db8:1::11]:80 masq 3 l:50 u:100
        quiescent = yes
        scheduler = rr
        persistent = 60
        netmask = 64

virtual = 7
	real = 10.1.0.13:80 gate
	real = web ipip
	protocol = fwm
	scheduler = sh
	schedflags = sh-port,sh-fallback
	persistent = 77
	netmask = 255.255.255.0
	checktype = on
virtual=vip:domain
	real=10.1.0.13:domain gate 5
	ops = yes
`,
      fakeLookups(
        { web: "10.1.0.15", vip: "192.0.2.53" },
        { "domain/tcp": 53, "domain/udp": 53 },
      ),
    );
    assert.deepEqual(findings, []);
    assert.equal(
      rules,
      `-A -t 192.0.2.1:80 -s wlc
-a -t 192.0.2.1:80 -r 10.1.0.11:80 -m -w 3
-a -t 192.0.2.1:80 -r 10.1.0.12:8080 -m -w 2
-a -t 192.0.2.1:80 -r 10.1.0.13:8080 -m -w 2
-a -t 192.0.2.1:80 -r 10.1.0.14:8080 -m -w 2
-A -t [2001:db8::1]:80 -s rr -p 60 -M 64
-a -t [2001:db8::1]:80 -r [2001:db8:1::11]:80 -m -w 3 -x 100 -y 50
-A -f 7 -s sh -p 77 -M 255.255.255.0 -b sh-fallback,sh-port
-a -f 7 -r 10.1.0.13:80 -g -w 1
-a -f 7 -r 10.1.0.15:0 -i -w 1 --tun-type ipip
-A -u 192.0.2.53:53 -s wrr -o
-a -u 192.0.2.53:53 -r 10.1.0.13:53 -g -w 5
`,
    );
    const { healthChecks, table } = file;
    assert.equal(healthChecks?.program, "ldirectord");
    assert.deepEqual(
      table.services.map(
        ({ servers: [server] }) =>
          server && healthChecks.servers.get(server)?.failed,
      ),
      ["removed", "weight-0", undefined, "removed"],
    );
    assert.deepEqual(
      table.services.map(
        (service) => healthChecks.fallbacks.get(service)?.port,
      ),
      [80, undefined, 0, 53],
    );
  });

  test("a real server that is not masqueraded has the port of its service", async () => {
    const { rules, findings } = await readConfiguration(
      "virtual=192.0.2.1:80\n\treal=10.1.0.11:8080 gate\n\treal=10.1.0.12 ipip\n",
    );
    assert.match(rules, /-r 10.1.0.11:80 -g.*\n.*-r 10.1.0.12:80 -i/);
    assert.deepEqual(
      findings.map((text) => text.replace(/: .*/, "")),
      ["2:17 warning port-ignored"],
    );
  });

  test("reports a fallback that is only a number as an unknown host", async () => {
    const { findings } = await readConfiguration(
      "virtual=192.0.2.1:80\n\treal=10.1.0.11:80 gate\n\tfallback=8080\n",
    );
    assert.deepEqual(findings, [
      "3:11 error unknown-host: host 8080 has no IPv4 address",
    ]);
  });

  test("reports one error for each mistake, at its word", async () => {
    const { findings } = await readConfiguration(`quiescent = maybe
checktimout = 3
virtual = 192.0.2.1
	real = 10.1.0.11:80 gate
virtual = 192.0.2.2:http
	real = 10.1.0.11:80 gate
virtual = 192.0.2.3:80
	real = 10.1.0.11:80 nat
	real = 10.1.0.12:80
	real = 10.1.0.13:80 masq x
	real = 10.1.0.14->10.1.0.13:80 masq
	real = unknown:80 masq
	real6 = [2001:db8::1]:80 masq
	real = [2001:db8::1]:80 masq
	scheduler = 5
	persistent = long
	netmask = 24
	protocol = sctp
	schedflags = mh-port
	weight = 4

	real = 10.1.0.15:80 masq
	real = 10.1.0.16:80 masq
virtual = 0
	protocol = tcp
`);
    assert.deepEqual(findings, [
      '1:13 error form: "maybe": expected yes or no',
      '2:1 error unknown-option: unknown option "checktimout"',
      "3:11 error form: malformed virtual service",
      "5:11 error unknown-port: unknown port http",
      '8:22 error form: unknown forwarding method "nat"',
      "9:21 error form: missing forwarding method",
      '10:27 error form: unexpected "x"',
      "11:9 error form: the range is empty or too long",
      "12:9 error unknown-host: host unknown has no IPv4 address",
      "13:2 error form: real6 does not belong to virtual",
      '14:9 error form: "[2001:db8::1]" is an IPv6 address',
      '15:14 error form: "5": expected a scheduler, such as wlc',
      '16:15 error form: "long": expected a number from 1 to 2147483647',
      '17:12 error form: "24": expected an IPv4 netmask, such as 255.255.255.0',
      '18:13 error form: unknown protocol "sctp"',
      "19:15 error form: mh-port belongs to scheduler mh",
      '20:2 error unknown-option: unknown option "weight"',
      "22:2 error outside-section: this line belongs to no virtual service: only lines directly below it count, indented by a tab or 4 spaces",
      "24:11 error form: 0: expected a firewall mark from 1 to 4294967295",
      "25:13 error form: the protocol of a firewall mark must be fwm",
    ]);
  });
});
