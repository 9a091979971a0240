import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { eventually } from "../../lab/eventually.js";
import { ours } from "../../lab/program.js";
import { ipvsadm } from "../../traffic/ipvsadm.js";
import { BEHIND_DIRECTOR } from "../../traffic/places.js";
import { siteOf } from "../../traffic/site.js";

const VIP = "192.0.2.100";
const SERVICE = `tcp/${VIP}:80`;

interface Row {
  readonly connectionsPerSecond: readonly (number | null)[];
}

interface Change {
  readonly server?: string;
  readonly to: { readonly weight?: number };
}

suite("serve on a kernel", () => {
  const site = siteOf(BEHIND_DIRECTOR, {
    real1: { http: [80] },
    real2: { http: [80] },
  });

  test("serve reports rates, the busiest client and the moment of a weight change", async () => {
    for (const rule of [
      `-A -t ${VIP}:80 -s rr`,
      `-a -t ${VIP}:80 -r 198.51.100.11 -m`,
      `-a -t ${VIP}:80 -r 198.51.100.12 -m`,
    ])
      await ipvsadm(rule);
    let end: () => void = () => undefined;
    let worked: Promise<void> | undefined;
    const work = async (url: string) => {
      const events = await fetch(`${url}api/v1/events`);
      assert.ok(events.body);
      let received = "";
      const reading = (async () => {
        const text = events.body?.pipeThrough(new TextDecoderStream());
        for await (const chunk of text ?? []) received += chunk;
      })();
      // Rates are measured from the first reading on.
      await eventually(
        () => Promise.resolve(received),
        (text) => /^data: .*\n/m.test(text),
      );
      await site.client.get(`http://${VIP}/`, { count: 6 });
      await ipvsadm(`-e -t ${VIP}:80 -r 198.51.100.12 -m -w 0`);
      const changes = await eventually(
        () =>
          Promise.resolve(
            // The last line may not be complete.
            Array.from(received.matchAll(/^data: (.*)\n/gm)).flatMap(
              ([, data = ""]) =>
                (JSON.parse(data) as { changes?: Change[] }).changes ?? [],
            ),
          ),
        (found) => found.length > 0,
      );
      assert.deepEqual(
        changes.map(({ server, to }) => [server, to.weight]),
        [["198.51.100.12:80", 0]],
      );
      const history = await eventually(
        async () => {
          const answer = await fetch(`${url}api/v1/history?service=${SERVICE}`);
          const { rows } = (await answer.json()) as { rows: Row[] };
          return rows[0]?.connectionsPerSecond ?? [];
        },
        (values) => values.some((value) => (value ?? 0) > 0),
      );
      assert.ok(history.some((value) => (value ?? 0) > 0));
      const top = await fetch(`${url}api/v1/connections/top`);
      const { connections } = (await top.json()) as { connections: number };
      assert.equal(connections, 6);
      assert.match(await (await fetch(`${url}metrics`)).text(), /^ipvs_up 1$/m);
      end();
      await reading;
    };
    const { stderr, status } = await ours(["serve", "--listen", "0"], "", {
      catchSignals(listen) {
        end = () => {
          listen("SIGTERM");
        };
        return () => undefined;
      },
      stdout(text) {
        const [, url = ""] = /^listening on (\S+)\n$/.exec(text) ?? [];
        worked = work(url).finally(end);
      },
    });
    await worked;
    assert.deepEqual([stderr, status], ["", 0]);
  });
});
