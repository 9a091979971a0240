import assert from "node:assert/strict";
import { test } from "node:test";
import { parseNftJson } from "../../../src/doctor/firewall/nft-json.js";
import { walk } from "../../../src/doctor/firewall/walk.js";
import { sourceLimitOf } from "../../../src/doctor/firewall/source-limit.js";
import { INET } from "../../../src/ipvs/address.js";
import { TCP } from "../../../src/ipvs/model.js";

const limit = (text: string) => sourceLimitOf({ text, packets: 1n, steps: [] });

test("sourceLimitOf() reads the limits of recent, hashlimit and connlimit", () => {
  const recent = "-p tcp -m tcp --dport 80 -m recent";
  const mask = "--name WEB --mask 255.255.255.255";
  assert.equal(
    limit(
      `${recent} --update --seconds 60 --hitcount 9 ${mask} --rsource -j DROP`,
    ),
    "9 or more packets within 60 s",
  );
  assert.equal(
    limit(`${recent} --rcheck --hitcount 9 ${mask} --rsource -j DROP`),
    "9 or more packets",
  );
  assert.equal(
    limit(
      "-m hashlimit --hashlimit-above 10/sec --hashlimit-burst 5 --hashlimit-mode srcip,dstport --hashlimit-name web -j DROP",
    ),
    "more packets than 10/sec",
  );
  assert.equal(
    limit(
      "-m connlimit --connlimit-above 20 --connlimit-mask 32 --connlimit-saddr -j REJECT --reject-with tcp-reset",
    ),
    "more than 20 connections at a time",
  );
});

test("sourceLimitOf() takes no limit of all sources together, of destinations or of ports for one of each source", () => {
  for (const text of [
    "-m limit --limit 10/sec -j ACCEPT",
    "-m recent --set --name WEB --mask 255.255.255.255 --rsource",
    "-m recent --rcheck --name BANNED --mask 255.255.255.255 --rsource -j DROP",
    "-m recent --update --hitcount 9 --name WEB --rdest -j DROP",
    "-m recent ! --update --hitcount 9 --name WEB --rsource -j ACCEPT",
    "-m hashlimit --hashlimit-above 10/sec --hashlimit-name web -j DROP",
    "-m hashlimit --hashlimit-above 10/sec --hashlimit-mode dstip --hashlimit-name web -j DROP",
    "-m hashlimit --hashlimit-above 10/sec --hashlimit-mode srcip,srcport --hashlimit-name web -j DROP",
    "-m connlimit --connlimit-above 20 --connlimit-mask 32 --connlimit-daddr -j DROP",
    "-m connlimit --connlimit-above 200 --connlimit-mask 0 --connlimit-saddr -j DROP",
    "-p tcp -m tcp --dport 80 -j DROP",
  ])
    assert.equal(limit(text), undefined, text);
  assert.equal(sourceLimitOf(undefined), undefined);
});

test("sourceLimitOf() reads sets of nft, and doctor cannot judge whether such a rule goes on", () => {
  const saddr = { payload: { protocol: "ip", field: "saddr" } };
  const counter = { counter: { packets: 3, bytes: 180 } };
  const limited = (...expr: object[]) => {
    const chain = { family: "ip", table: "filter", name: "input" };
    const base = { type: "filter", hook: "input", prio: 0, policy: "accept" };
    const { tables } = parseNftJson(
      JSON.stringify({
        nftables: [
          { table: { family: "ip", name: "filter" } },
          { chain: { ...chain, ...base } },
          {
            rule: {
              ...{ family: "ip", table: "filter", chain: "input" },
              expr: [...expr, counter, { drop: null }],
            },
          },
        ],
      }),
    );
    const packet = { family: INET, protocol: TCP } as const;
    const [stop] = walk({ tables }, "input", {
      ...packet,
      source: undefined,
      destination: undefined,
    }).stops;
    assert.equal(stop?.certain, false);
    return `${stop.rule?.text ?? ""}: ${sourceLimitOf(stop.rule) ?? "no limit"}`;
  };
  const rate = { limit: { rate: 10, per: "minute", inv: true } };
  assert.equal(
    limited({ set: { op: "add", elem: saddr, set: "@web", stmt: [rate] } }),
    "add @web { ip saddr limit rate over 10/minute } drop: limit rate over 10/minute",
  );
  assert.equal(
    limited({
      set: {
        ...{ op: "add", elem: saddr, set: "@web" },
        stmt: [{ "ct count": { val: 20, inv: true } }],
      },
    }),
    "add @web { ip saddr ct count over 20 } drop: ct count over 20",
  );
  assert.equal(
    limited({ meter: { key: saddr, stmt: rate, size: 9, name: "web" } }),
    "meter web { ip saddr limit rate over 10/minute } drop: limit rate over 10/minute",
  );
  const daddr = { payload: { protocol: "ip", field: "daddr" } };
  assert.match(
    limited({ set: { op: "add", elem: daddr, set: "@web", stmt: [rate] } }),
    /: no limit$/,
  );
});
