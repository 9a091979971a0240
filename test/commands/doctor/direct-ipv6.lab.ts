import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { eventually } from "../../lab/eventually.js";
import { isAnswer } from "../../lab/http.js";
import { DIRECTOR } from "../../lab/network.js";
import { ours } from "../../lab/program.js";
import { balance } from "../../traffic/ipvsadm.js";
import { siteOf } from "../../traffic/site.js";
import { spread } from "../../traffic/spread.js";
import { answered, examined, proves } from "./case.js";

const VIP = "2001:db8:5::100";
const URL = `http://[${VIP}]/`;
const RULES = `
  -A -t [${VIP}]:80 -s rr
  -a -t [${VIP}]:80 -r [2001:db8:5::11]:80 -g
  -a -t [${VIP}]:80 -r [2001:db8:5::12]:80 -g`;

function realServer(number: number) {
  return {
    addresses: {
      lan: [`2001:db8:5::${number}/64`],
      lo: [`${VIP}/128`],
    },
  };
}

suite("doctor on a director with direct routing and IPv6", () => {
  const site = siteOf(
    {
      client: { addresses: { lan: ["2001:db8:5::10/64"] } },
      [DIRECTOR]: {
        addresses: { lan: ["2001:db8:5::1/64", `${VIP}/128`] },
      },
      real1: realServer(11),
      real2: realServer(12),
    },
    { real1: { http: [80] }, real2: { http: [80] } },
  );

  test("doctor --probe connects from the director's own address", async () => {
    await balance(RULES);
    await answered(site, URL);
    // The servers have this address, too, and would not answer it.
    assert.match(
      site.network.sh(DIRECTOR, "ip -6 route get 2001:db8:5::11"),
      / src 2001:db8:5::100 /,
    );
    const { found, status } = await examined("all examined", "--probe");
    assert.deepEqual(found, []);
    assert.equal(status, 0);
  });

  proves(site, {
    id: "direct-unanswered",
    name: "one of two servers has the virtual address where the kernel does not use it",
    subject: `[2001:db8:5::12]:80 of tcp/[${VIP}]:80`,
    evidence:
      /^meanwhile \[2001:db8:5::11\]:80 answered connections of the same service$/m,
    rules: RULES,
    url: URL,
    async fault() {
      site.network.sh(
        "real2",
        `ip address del ${VIP}/128 dev lo; ip address add ${VIP}/128 dev lan`,
      );
      const shown = await eventually(
        () =>
          Promise.resolve(
            site.network.sh("real2", "ip -6 address show dev lan"),
          ),
        (text) => text.includes("dadfailed"),
      );
      assert.match(shown, /dadfailed/);
    },
    async fails() {
      const replies = [];
      for (let i = 0; i < 4; i++)
        replies.push(...(await site.client.get(URL, { patienceSeconds: 3 })));
      assert.deepEqual(Object.keys(spread(replies.filter(isAnswer))), [
        "real1",
      ]);
      // A connection that began just now is no evidence yet.
      const { stdout } = await eventually(
        () => ours(["doctor", "--only", "direct-unanswered", "-o", "json"]),
        ({ stdout }) => stdout.includes('"id": "direct-unanswered"'),
      );
      assert.match(
        stdout,
        /--real-server 'tcp\/\[2001:db8:5::100\]:80' --method direct --director 2001:db8:5::1 --client 2001:db8:5::10"/,
      );
    },
    machines: { "real server 2001:db8:5::12": "real2" },
    there: "vip-absent",
    lastly() {
      site.network.sh(
        "real2",
        `ip address del ${VIP}/128 dev lan 2>/dev/null || true; ip address replace ${VIP}/128 dev lo`,
      );
    },
  });
});
