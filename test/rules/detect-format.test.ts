import assert from "node:assert/strict";
import { test } from "node:test";
import { detectFormat } from "../../src/rules/detect-format.js";

test("detectFormat() detects the format from the first line that is not a comment", () => {
  for (const name of ["-", "rules", "a.json", "a.yaml", "a.yml", "a.rules"]) {
    for (const text of [
      "-A -t 192.0.2.1:80\n",
      "# by hand\n\n  -C\n",
      "ipvsadm -A -f 1\n",
      "\r\n--set 1 2 3",
    ])
      assert.equal(detectFormat(name, text), "rules", `${name}: ${text}`);
  }
  for (const text of ["schema: x\n", "# x\n---\n", "%YAML 1.2\n", "services:"])
    for (const name of ["-", "rules", "a.yaml", "a.yml"])
      assert.equal(detectFormat(name, text), "yaml", `${name}: ${text}`);
  for (const text of ['{"schema"', "\ufeff  {", "\n["])
    for (const name of ["-", "rules", "a.json"])
      assert.equal(detectFormat(name, text), "json", `${name}: ${text}`);
});

test("detectFormat() uses the extension of the name if the text is ambiguous", () => {
  for (const text of ["", "\n\n", "# nothing\n", "what is this?\n"]) {
    assert.equal(detectFormat("-", text), "rules");
    assert.equal(detectFormat("a.rules", text), "rules");
    assert.equal(detectFormat("a.JSON", text), "json");
    assert.equal(detectFormat("a.yml", text), "yaml");
  }
  assert.equal(detectFormat("a.yaml", "{schema: x}"), "yaml");
  assert.equal(detectFormat("a.json", "schema: x"), "json");
});

test("detectFormat() detects configurations of keepalived and ldirectord by their first line", () => {
  for (const text of [
    "! Configuration File for keepalived\n\nglobal_defs {\n",
    "global_defs\n{\n",
    "virtual_server 192.0.2.1 80 {\n",
    "virtual_server_group web {\n",
    "# a\nvrrp_instance VI_1 {\n",
    "include /etc/keepalived/conf.d/*.conf\n",
    "$VIP=192.0.2.1\n",
    "@main net_namespace high\n",
    "~SEQ(N, 1, 3) $VS\n",
  ])
    for (const name of ["-", "a.conf", "a.rules"])
      assert.equal(detectFormat(name, text), "keepalived", text);
  for (const text of [
    "# a\n\ncheckinterval = 3\n",
    "virtual=192.0.2.1:80\n",
    "virtual6 = [2001:db8::1]:80\n",
  ])
    for (const name of ["-", "a.conf", "keepalived.conf"])
      assert.equal(detectFormat(name, text), "ldirectord", text);
  assert.equal(detectFormat("-", "virtual_server: {a: b}\n"), "yaml");
});

test("detectFormat() uses the usual names of configurations if the text is ambiguous", () => {
  for (const text of ["", "# nothing\n", "what is this?\n"]) {
    assert.equal(
      detectFormat("/etc/keepalived/keepalived.conf", text),
      "keepalived",
    );
    assert.equal(detectFormat("keepalived-web.conf", text), "keepalived");
    assert.equal(detectFormat("/etc/ha.d/ldirectord.cf", text), "ldirectord");
    assert.equal(detectFormat("/etc/other.conf", text), "rules");
  }
});
