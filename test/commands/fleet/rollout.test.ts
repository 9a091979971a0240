import assert from "node:assert/strict";
import { test } from "node:test";
import { subcommand } from "../run-subcommand.js";

test("fleet rollout takes the options of a new rollout only for one", async () => {
  // Port 1 has no listener.
  const rollout = (words: string) =>
    subcommand(
      `fleet rollout web ${words} --deadline 1s --endpoints http://127.0.0.1:1`,
    );
  for (const option of [
    ...["--gate doctor", "--wave all", "--soak 60s", "--timeout 2m"],
    "--max-unavailable 1",
  ])
    for (const what of ["resume", "pause", "abort"]) {
      const { stderr, status } = await rollout(`${what} ${option}`);
      const [name = ""] = option.split(" ");
      assert.ok(
        stderr.startsWith(`ipvsadm: ${name} belongs to a new rollout`),
        stderr,
      );
      assert.equal(status, 2);
    }
  for (const words of ["resume", "3 --gate doctor --soak 1m"]) {
    const { stderr } = await rollout(words);
    assert.match(stderr, /^ipvsadm: cannot reach etcd/);
  }
});
