import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { isAnswer, type Reply } from "../../lab/http.js";
import { DIRECTOR } from "../../lab/network.js";
import { ours } from "../../lab/program.js";
import { balance } from "../../traffic/ipvsadm.js";
import { without } from "../../traffic/needs.js";
import { BEHIND_DIRECTOR, otherClients } from "../../traffic/places.js";
import { siteOf } from "../../traffic/site.js";

const URL = "http://192.0.2.100/";
const RULES = `
  -A -t 192.0.2.100:80 -s rr
  -a -t 192.0.2.100:80 -r 198.51.100.11:8080 -m`;
const skip = without("iptables-legacy", "iptables");

// Addresses of the client that have no older connections: those of earlier tests are still in the table.
const [PASSING = "", BLOCKED = "", UNANSWERED = ""] =
  otherClients(40).slice(37);

suite("doctor --client follows a client", () => {
  const site = siteOf(BEHIND_DIRECTOR, { real1: { http: [8080] } });

  /** Follows the client, which makes requests until doctor has ended. */
  async function follow(client: string) {
    const line = ["doctor", "--client", client, "--for", "4s", "-o", "json"];
    let follows = true as boolean;
    const doctor = ours(line).finally(() => (follows = false));
    const replies: Reply[] = [];
    while (follows)
      replies.push(
        ...(await site.client.get(URL, { from: client, patienceSeconds: 2 })),
      );
    const { stdout, stderr, status } = await doctor;
    assert.equal(stderr, "");
    const { stopsAt, steps } = JSON.parse(stdout) as {
      stopsAt: { step: string; text: string } | null;
      steps: readonly { step: string; state: string; text: string }[];
    };
    return { stopsAt, steps, status, stdout, replies };
  }

  test("doctor --client shows connections that pass", async () => {
    await balance(RULES);
    const { stopsAt, steps, status, stdout } = await follow(PASSING);
    assert.equal(stopsAt, null, stdout);
    assert.equal(status, 0);
    const entries = steps.find(({ step }) => step === "entries");
    assert.match(
      entries?.text ?? "",
      /^TCP 192\.0\.2\.100:80 to 198\.51\.100\.11:8080 \(service tcp\/192\.0\.2\.100:80\): /,
    );
    assert.match(
      steps.at(-1)?.text ?? "",
      /^198\.51\.100\.11:8080 of tcp\/192\.0\.2\.100:80, all clients: [1-9]\d* packets in, [1-9]\d* out$/,
    );
  });

  test(
    "doctor --client names the firewall rule that stops the client",
    { skip },
    async () => {
      await balance(RULES);
      const rule = `INPUT -s ${BLOCKED} -p tcp --dport 80 -j DROP`;
      site.network.sh(DIRECTOR, `iptables-legacy -A ${rule}`);
      try {
        const { stopsAt, status } = await follow(BLOCKED);
        assert.equal(stopsAt?.step, "firewall");
        assert.match(
          stopsAt.text,
          /^rule 1 of chain INPUT .*, drops requests to/,
        );
        assert.equal(status, 1);
        const other = await ours(
          "doctor --client 192.0.2.200 --for 1s".split(" "),
        );
        assert.match(other.stdout, /no rule on the director stops its packets/);
        assert.match(other.stdout, /no connection of this client in 1 s/);
        assert.equal(other.status, 0);
      } finally {
        site.network.sh(DIRECTOR, `iptables-legacy -D ${rule}`);
      }
    },
  );

  test(
    "doctor --client sees that a server gives no answer",
    { skip },
    async () => {
      await balance(RULES);
      site.network.sh(
        "real1",
        "iptables-legacy -A INPUT -p tcp --dport 8080 -j DROP",
      );
      try {
        const { stopsAt, status, stdout, replies } = await follow(UNANSWERED);
        assert.ok(!replies.some(isAnswer), JSON.stringify(replies));
        assert.equal(stopsAt?.step, "entries", stdout);
        assert.match(
          stopsAt.text,
          /SYN_RECV; the director sent the requests to the server and saw no answer$/,
        );
        assert.equal(status, 1);
      } finally {
        site.network.sh("real1", "iptables-legacy -F INPUT");
      }
    },
  );
});
