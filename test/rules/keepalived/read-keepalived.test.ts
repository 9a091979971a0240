import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { readConfiguration } from "../configurations.js";

/* The expected rules are those that keepalived 2.2.7 makes of these configurations. */

suite("readKeepalived()", () => {
  test("reads what the blocks of a virtual_server say", async () => {
    const { rules, findings, file } = await readConfiguration(`
global_defs {
  router_id director # a comment
  lvs_sync_daemon lan VI_1 id 9 maxlen 1400 port 8850 ttl 2 group 224.0.0.99
  lvs_timeouts tcp 800
}
vrrp_instance VI_1 {
  state MASTER
  interface lan
  virtual_router_id 51
  virtual_ipaddress {
    198.51.100.2/32 dev lo
  }
}
virtual_server 198.51.100.2 80 {
  delay_loop 1
  lb_algo wlc
  lb_kind NAT
  persistence_timeout 77
  persistence_granularity 255.255.255.0
  protocol TCP
  sorry_server 127.0.0.1 80
  real_server 10.1.0.11 80 {
    weight 3
    uthreshold 100
    lthreshold 50
    HTTP_GET {
      url {
        path /health
        status_code 200
      }
      connect_timeout 3
    }
    notify_down "/usr/bin/logger { down"
  }
  real_server 10.1.0.12 80 {
    weight 2
    inhibit_on_failure
    TCP_CHECK {
    }
  }
}
virtual_server 2001:db8::1 53 {
  lvs_sched rr
  lvs_method TUN type gue port 6080 csum
  protocol UDP
  ops
  real_server 2001:db8:1::11 53 {
    weight 1
  }
}
virtual_server fwmark 7 {
  lb_algo mh
  mh-fallback
  mh-port
  lb_kind DR
  persistence_engine sip
  persistence_timeout 60
  real_server 10.1.0.13 0 {
  }
}
`);
    assert.deepEqual(findings, []);
    assert.equal(
      rules,
      `--set 800 0 0
-A -t 198.51.100.2:80 -s wlc -p 77 -M 255.255.255.0
-a -t 198.51.100.2:80 -r 10.1.0.11:80 -m -w 3 -x 100 -y 50
-a -t 198.51.100.2:80 -r 10.1.0.12:80 -m -w 2
-A -u [2001:db8::1]:53 -s rr -o
-a -u [2001:db8::1]:53 -r [2001:db8:1::11]:53 -i -w 1 --tun-type gue --tun-port 6080 --tun-csum
-A -f 7 -s mh -p 60 --pe sip -b mh-fallback,mh-port
-a -f 7 -r 10.1.0.13:0 -g -w 1
--start-daemon master --mcast-interface lan --syncid 9 --sync-maxlen 1400 --mcast-group 224.0.0.99 --mcast-port 8850 --mcast-ttl 2
`,
    );
    const [web] = file.table.services;
    assert.ok(web);
    const { program, servers, fallbacks } = file.healthChecks ?? {};
    assert.equal(program, "keepalived");
    assert.deepEqual(
      web.servers.map((server) => servers?.get(server)?.failed),
      ["removed", "weight-0"],
    );
    assert.equal(fallbacks?.get(web)?.address.join("."), "127.0.0.1");
    assert.deepEqual(file.table.timeouts, {
      tcpSeconds: 800,
      tcpFinSeconds: 0,
      udpSeconds: 0,
    });
    assert.equal(file.table.daemons?.length, 1);
    assert.equal(file.vrrpDaemons?.length, 2);
    const [daemon] = file.table.daemons;
    assert.equal(daemon?.state, 1);
    assert.equal(daemon.syncId, 9);
    assert.equal(daemon.maximumLength, 1400);
    assert.equal(daemon.multicastGroup?.join("."), "224.0.0.99");
  });

  test("uses the defaults of keepalived, and warns of what it ignores", async () => {
    const { rules, findings } = await readConfiguration(`! defaults
virtual_server 192.0.2.1 80 {
  real_server 10.1.0.11 {
  }
}
virtual_server 192.0.2.2 {
  protocol TCP
  real_server 10.1.0.11 8080 {
  }
}
virtual_server 192.0.2.3 80 {
  protocol tcp
  persistence_timeout 0
  lvs_method DR
  real_server 10.1.0.11 8080 {
  }
  real_server 10.1.0.12 {
   weight 70000
  }
  real_server 10.1.0.13 80 {
   weight 0
  }
}
virtual_server 192.0.2.4 80 {
  protocol TCP
  persistence_granularity 255.255.255.0
  real_server 10.1.0.11 8080 {
  }
}
virtual_server 192.0.2.5 5060 {
  protocol UDP
  persistence_engine sip
  real_server 10.1.0.11 5060 {
  }
}
virtual_server 192.0.2.6 80 {
  protocol TCP
  ops
  lvs_sched rr
  sh-port
  weight 7
  real_server 10.1.0.11 8080 {
  }
}
virtual_server 192.0.2.7 80 {
  protocol TCP
}
virtual_server fwmark 5 {
  lvs_method DR
  real_server 10.1.0.11 80 {
  }
  real_server 10.1.0.12 {
  }
}
virtual_server fwmark 6 {
  lvs_method NAT
  ops
  real_server 10.1.0.11 80 {
  }
}
`);
    assert.equal(
      rules,
      `-A -u 192.0.2.1:80 -s wlc
-a -u 192.0.2.1:80 -r 10.1.0.11:80 -m -w 1
-A -t 192.0.2.2:0 -s wlc -p 360
-a -t 192.0.2.2:0 -r 10.1.0.11:8080 -m -w 1
-A -t 192.0.2.3:80 -s wlc
-a -t 192.0.2.3:80 -r 10.1.0.11:80 -g -w 1
-a -t 192.0.2.3:80 -r 10.1.0.12:80 -g -w 70000
-a -t 192.0.2.3:80 -r 10.1.0.13:80 -g -w 0
-A -t 192.0.2.4:80 -s wlc -p 360 -M 255.255.255.0
-a -t 192.0.2.4:80 -r 10.1.0.11:8080 -m -w 1
-A -u 192.0.2.5:5060 -s wlc
-a -u 192.0.2.5:5060 -r 10.1.0.11:5060 -m -w 1
-A -t 192.0.2.6:80 -s rr
-a -t 192.0.2.6:80 -r 10.1.0.11:8080 -m -w 7
-A -f 5 -s wlc
-a -f 5 -r 10.1.0.11:0 -g -w 1
-a -f 5 -r 10.1.0.12:0 -g -w 1
-A -f 6 -s wlc -o
-a -f 6 -r 10.1.0.11:80 -m -w 1
`,
    );
    assert.deepEqual(
      findings.map((text) => /^\S+ \S+ [^:]+/.exec(text)?.[0]),
      [
        "2:1 warning no-protocol",
        "13:23 warning ignored",
        "15:25 warning port-ignored",
        "38:3 warning one-packet-without-udp",
        "40:3 warning ignored",
        "45:1 warning no-servers",
        "50:25 warning port-ignored",
      ],
    );
  });

  test("reads the entries of a virtual_server_group", async () => {
    const { rules, findings } = await readConfiguration(`
virtual_server_group h {
  192.0.2.60 80
  192.0.2.61 81
  fwmark 3
}
virtual_server group h {
  protocol TCP
  lvs_method DR
  lvs_sched sh
  sh-port
  real_server 10.1.0.11 {
  }
}
virtual_server group n {
  protocol TCP
  real_server 10.1.0.12 80 {
  }
}
virtual_server_group n {
  192.0.2.71
  192.0.2.72-73 82
  192.0.2.80/31 83
  192.0.2.90-192.0.2.91 84
}
virtual_server_group h6 {
  fwmark 12
  2001:db8::9-a 80
}
virtual_server group h6 {
  protocol TCP
  real_server 2001:db8:1::11 {
  }
}
`);
    assert.deepEqual(findings, []);
    assert.equal(
      rules,
      `-A -t 192.0.2.60:80 -s sh -b sh-port
-a -t 192.0.2.60:80 -r 10.1.0.11:80 -g -w 1
-A -t 192.0.2.61:81 -s sh -b sh-port
-a -t 192.0.2.61:81 -r 10.1.0.11:81 -g -w 1
-A -f 3 -s sh -b sh-port
-a -f 3 -r 10.1.0.11:0 -g -w 1
${[
  "192.0.2.71:0",
  "192.0.2.72:82",
  "192.0.2.73:82",
  "192.0.2.80:83",
  "192.0.2.81:83",
  "192.0.2.90:84",
  "192.0.2.91:84",
]
  .map(
    (entry) =>
      `-A -t ${entry} -s wlc -p 360\n-a -t ${entry} -r 10.1.0.12:80 -m -w 1\n`,
  )
  .join("")}-A -f 12 -6 -s wlc
-a -f 12 -6 -r [2001:db8:1::11]:0 -m -w 1
-A -t [2001:db8::9]:80 -s wlc
-a -t [2001:db8::9]:80 -r [2001:db8:1::11]:0 -m -w 1
-A -t [2001:db8::a]:80 -s wlc
-a -t [2001:db8::a]:80 -r [2001:db8:1::11]:0 -m -w 1
`,
    );
  });

  test("finds the address family of a firewall mark", async () => {
    const mark = (body: string) =>
      readConfiguration(`virtual_server fwmark 1 {\n${body}\n}\n`);
    const ipv6 = /^-A -f 1 -6 /;
    const v4 = "real_server 10.1.0.11 {\n}";
    const v6 = "real_server 2001:db8:1::11 {\n}";
    for (const body of [
      v6,
      `lvs_method TUN\n${v6}`,
      `lvs_method TUN\nip_family inet6\n${v4}`,
      `persistence_granularity 64\nlvs_method TUN\n${v4}`,
    ])
      assert.match((await mark(body)).rules, ipv6, body);
    for (const body of [v4, `lvs_method TUN\n${v4}\n${v6}`])
      assert.doesNotMatch((await mark(body)).rules, ipv6, body);
  });

  test("a tunnel without a type is IPIP, and one of a real_server replaces that of the virtual_server", async () => {
    const { rules, findings } = await readConfiguration(`
virtual_server 192.0.2.100 80 {
  protocol TCP
  lvs_method TUN type gre csum
  real_server 10.1.0.11 {
    lvs_method TUN
  }
  real_server 10.1.0.12 {
    lvs_method TUN type gue
  }
  real_server 10.1.0.13 {
    lvs_method TUN type gue port 5555 remcsum
  }
}
`);
    assert.deepEqual(findings, [
      "9:16 warning ignored: a GUE tunnel needs a port: keepalived ignores it",
    ]);
    assert.equal(
      rules,
      `-A -t 192.0.2.100:80 -s wlc
-a -t 192.0.2.100:80 -r 10.1.0.11:80 -i -w 1 --tun-type ipip
-a -t 192.0.2.100:80 -r 10.1.0.12:80 -i -w 1 --tun-type gre --tun-csum
-a -t 192.0.2.100:80 -r 10.1.0.13:80 -i -w 1 --tun-type gue --tun-port 5555 --tun-remcsum
`,
    );
  });

  test("accepts braces wherever keepalived does", async () => {
    const { rules, findings } = await readConfiguration(`
virtual_server 192.0.2.1 80
{
  protocol TCP
  real_server 10.1.0.11 80 { weight 5 }
  real_server 10.1.0.12 80 {
    weight 5 }
}
virtual_server 192.0.2.2 80 { protocol "TCP"
  real_server 10.1.0.12 80 {}
  real_server 10.1.0.13 80{
  }
}
`);
    assert.deepEqual(findings, []);
    assert.equal(
      rules,
      `-A -t 192.0.2.1:80 -s wlc
-a -t 192.0.2.1:80 -r 10.1.0.11:80 -m -w 5
-a -t 192.0.2.1:80 -r 10.1.0.12:80 -m -w 5
-A -t 192.0.2.2:80 -s wlc
-a -t 192.0.2.2:80 -r 10.1.0.12:80 -m -w 1
-a -t 192.0.2.2:80 -r 10.1.0.13:80 -m -w 1
`,
    );
  });

  test("reports one error for each mistake, at its word", async () => {
    const { findings } = await readConfiguration(`global_defs {
  lvs_sync_daemon lan VI_1
}
virtual_server 192.0.2.1-9 80 {
  protocol TCP
  real_server 10.1.0.11 80 {
  }
}
virtual_server 192.0.2.4 80 {
  protocol TCP
  lb_kind nat
  lb_algo wr
  nat_mask 255.255.255.0
  persistence_timeout soon
  real_server web1 80 {
  }
  real_server 10.1.0.14 http {
  }
  real_server 10.1.0.15 99999 {
  }
  real_server 10.1.0.16 80 {
    weight heavy
    lthreshold 5
  }
  real_server 2001:db8::1 80 {
  }
  real_server 10.1.0.17 80 {
    lthreshold 5
  }
}
virtual_server 192.0.2.4 80 {
  protocol TCP
  real_server 10.1.0.14 80 {
  }
}
virtual_server group nope {
  protocol TCP
  real_server 10.1.0.14 80 {
  }
}
virtual_server fwmark 0 {
  real_server 10.1.0.14 {
  }
}
`);
    assert.deepEqual(findings, [
      '2:23 error form: "VI_1": expected the name of a vrrp_instance of this configuration',
      '4:16 error form: "192.0.2.1-9": expected an address, fwmark NUMBER or group NAME',
      '14:23 error form: "soon": expected a number from 1 to 2678400',
      '15:15 error form: "web1": expected an IPv4 or IPv6 address',
      '17:25 error form: "http": expected a number from 0 to 65535',
      '19:25 error form: "99999": expected a number from 0 to 65535',
      '22:12 error form: "heavy": expected a number from 0 to 2147483647',
      '36:22 error form: "nope": expected the name of a virtual_server_group',
      '41:23 error form: "0": expected a number from 1 to 4294967295',
      '11:11 warning ignored: unknown forwarding method "nat": keepalived ignores it',
      '12:11 warning ignored: unknown scheduler "wr": keepalived ignores it',
      '13:3 warning unknown-keyword: unknown keyword "nat_mask"',
    ]);
  });

  test("reports what every kernel refuses, and duplicates", async () => {
    const { findings } = await readConfiguration(`
virtual_server 192.0.2.4 80 {
  protocol TCP
  real_server 2001:db8::1 80 {
  }
  real_server 10.1.0.17 80 {
    lthreshold 5
  }
  real_server 10.1.0.18 80 {
  }
  real_server 10.1.0.18 80 {
  }
}
virtual_server 192.0.2.4 80 {
  protocol TCP
  real_server 10.1.0.14 80 {
  }
}
`);
    assert.deepEqual(
      findings.map((text) => /^\S+ \S+ [^:]+/.exec(text)?.[0]),
      [
        "4:15 error mixed-families",
        "7:5 error thresholds",
        "11:3 error duplicate",
        "14:1 error duplicate",
      ],
    );
  });

  test("reports braces that do not match", async () => {
    const open = await readConfiguration(
      "virtual_server 192.0.2.4 80 {\n  protocol TCP\n  real_server 10.1.0.14 80 {\n}\n",
    );
    assert.deepEqual(open.findings, [
      "1:1 error braces: the block of virtual_server is not closed",
    ]);
    const closed = await readConfiguration(
      "virtual_server 192.0.2.4 80 {\n  real_server 10.1.0.14 80 {\n  }\n  protocol TCP\n}\n  }\n",
    );
    assert.deepEqual(closed.findings, ['6:3 error braces: unexpected "}"']);
  });

  test("warns of a configuration without virtual services", async () => {
    const { findings } = await readConfiguration(
      "vrrp_instance VI_1 {\n  interface eth0\n}\n",
    );
    assert.deepEqual(findings, [
      "1:1 warning says-nothing: the file contains no virtual services",
    ]);
  });

  test("a sync daemon without VRRP runs in both roles", async () => {
    const { file, findings } = await readConfiguration(
      "global_defs {\n  lvs_sync_daemon eth1 id 3\n}\nvirtual_server fwmark 1 {\n  real_server 10.1.0.14 {\n  }\n}\n",
    );
    assert.deepEqual(findings, []);
    assert.deepEqual(
      file.table.daemons?.map(({ state, syncId }) => [state, syncId]),
      [
        [1, 3],
        [2, 3],
      ],
    );
    assert.equal(file.vrrpDaemons, undefined);
  });

  test("a sync daemon has the number of its VRRP instance by default", async () => {
    const { file } = await readConfiguration(
      "vrrp_instance VI_1 {\n  state BACKUP\n  virtual_router_id 51\n}\nglobal_defs {\n  lvs_sync_daemon eth1 inst VI_1\n}\n",
    );
    assert.deepEqual(
      file.table.daemons?.map(({ state, syncId }) => [state, syncId]),
      [[2, 51]],
    );
  });
});
