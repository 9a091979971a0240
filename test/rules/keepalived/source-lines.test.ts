import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { fakeLookups } from "../name-lookups.js";
import { readConfiguration } from "../configurations.js";

suite("SourceReader", () => {
  test("resolves definitions, sequences and lists as keepalived does", async () => {
    const { rules, findings } = await readConfiguration(`
$NET=10.1
$HOST=\${NET}.0
$PORT=80
$RS= \\
real_server \${HOST}.\${N} $PORT { \\
  weight \${N} \\
}
virtual_server 192.0.2.1 $PORT {
  protocol TCP
  $N=11
  $RS
  $N=12
  $RS
}
$VS= \\
virtual_server 192.0.2.\${J} 80 { \\
  protocol TCP \\
  real_server 10.1.0.30 80 { \\
  } \\
}
~SEQ(J, 31, 33) $VS
~LST({J,NET}, {41,8041}, {42,8042}) $VS
~SEQx(J, 0x90, 0x10, 0xa0) virtual_server 2001:db8::$J 80 { real_server 2001:db8:1::1 { } }
`);
    const one = (host: string) =>
      `-A -t ${host}:80 -s wlc\n-a -t ${host}:80 -r 10.1.0.30:80 -m -w 1\n`;
    assert.equal(
      rules,
      `-A -t 192.0.2.1:80 -s wlc
-a -t 192.0.2.1:80 -r 10.1.0.11:80 -m -w 11
-a -t 192.0.2.1:80 -r 10.1.0.12:80 -m -w 12
${[31, 32, 33, 41, 42].map((host) => one(`192.0.2.${host}`)).join("")}-A -u [2001:db8::90]:80 -s wlc
-a -u [2001:db8::90]:80 -r [2001:db8:1::1]:80 -m -w 1
-A -u [2001:db8::a0]:80 -s wlc
-a -u [2001:db8::a0]:80 -r [2001:db8:1::1]:80 -m -w 1
`,
    );
    assert.deepEqual(
      findings.map((text) => text.replace(/: .*/, "")),
      ["24:1 warning no-protocol", "24:1 warning no-protocol"],
    );
  });

  test("reports an undefined parameter where it is used", async () => {
    const { findings } = await readConfiguration(
      "virtual_server $VIP 80 {\n  protocol TCP\n  real_server 10.1.0.30 {\n  }\n}\n",
    );
    assert.deepEqual(findings, [
      '1:16 error form: "$VIP": expected an address, fwmark NUMBER or group NAME',
    ]);
  });

  test("stops at a definition that contains itself", async () => {
    const { findings } = await readConfiguration(
      "$A=x $A\nglobal_defs {\n  router_id $A\n}\n",
    );
    assert.match(findings[0] ?? "", /^3:3 error too-many-lines/);
  });

  test("reports a condition once, where it matters", async () => {
    const { findings } = await readConfiguration(`
@main $PRIORITY=200
@main $WEIGHT=3
vrrp_instance VI_1 {
@main   priority 100
@^main  priority $PRIORITY
}
virtual_server 192.0.2.1 80 {
  protocol TCP
@main   delay_loop 3
  real_server 10.1.0.30 80 {
@main     weight 2
    weight $WEIGHT
  }
}
`);
    assert.deepEqual(findings, [
      "12:1 error condition: it is unknown whether @main applies: that depends on the options that keepalived was started with",
    ]);
  });

  test("reads included files, and reports their lines", async () => {
    const files = new Map([
      [
        "conf.d/*.conf",
        [
          {
            name: "conf.d/a.conf",
            text: "virtual_server 192.0.2.77 80 {\n protocol TCP\n real_server 10.1.0.9 eighty {\n }\n real_server 10.1.0.8 80 {\n }\n}\n",
          },
          { name: "conf.d/b.conf", text: undefined },
        ],
      ],
    ]);
    const text =
      "# includes\n  include conf.d/*.conf\nincluder nothing.conf\n  include nothing.conf\n";
    const { rules, findings } = await readConfiguration(
      text,
      fakeLookups(),
      (pattern, from) => {
        assert.equal(from, "lb.conf");
        return files.get(pattern) ?? [];
      },
    );
    assert.deepEqual(findings, [
      "2:3 error include: cannot read conf.d/b.conf",
      '2:3 conf.d/a.conf:3 error form: "eighty": expected a number from 0 to 65535',
      "3:1 error include: no file matches nothing.conf",
      "4:3 warning include: no file matches nothing.conf",
    ]);
    assert.match(rules, /^-a -t 192.0.2.77:80 -r 10.1.0.8:80 -m -w 1$/m);
    const alone = await readConfiguration(text);
    assert.match(alone.findings[0] ?? "", /^2:3 error include: included files/);
  });
});
