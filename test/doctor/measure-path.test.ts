import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
  measurePath,
  ROUNDS,
  smallerThan,
  UNANSWERED,
} from "../../src/doctor/measure-path.js";
import type { DatagramResult } from "../../src/system/sized-datagrams.js";

const SMALL = 28;
const FULL = 1600;
const OTHERS = smallerThan(FULL, [1520]);

/**
 * A machine at the end of a way. Its answers take no time, and those that nobody waits for are late.
 *
 * @param answer what becomes of a packet; a number: the answer comes after so many milliseconds
 */
function machine(answer: (bytes: number) => DatagramResult | number) {
  let now = 0;
  let lateAnswers = 0;
  const sent: number[] = [];
  const underway: number[] = [];
  const arrive = () => {
    const arrived = underway.filter((time) => time <= now).length;
    underway.splice(0, underway.length, ...underway.filter((t) => t > now));
    return arrived;
  };
  return {
    sent,
    elapsed: () => now,
    measuring: {
      now: () => now,
      sleep(milliseconds: number) {
        now += milliseconds;
        lateAnswers += arrive();
        return Promise.resolve();
      },
      datagrams: {
        get lateAnswers() {
          return lateAnswers;
        },
        send(bytes: number, milliseconds: number): Promise<DatagramResult> {
          sent.push(bytes);
          const result = answer(bytes);
          if (result === "no answer") now += milliseconds;
          if (typeof result === "string") return Promise.resolve(result);
          underway.push(now + result);
          const next = Math.min(...underway);
          if (next > now + milliseconds) {
            now += milliseconds;
            return Promise.resolve("no answer");
          }
          now = Math.max(now, next);
          underway.splice(underway.indexOf(next), 1);
          return Promise.resolve("answered");
        },
      },
    },
  };
}

const measure = (answer: (bytes: number) => DatagramResult | number) =>
  measurePath(machine(answer).measuring, {
    small: SMALL,
    full: FULL,
    others: OTHERS,
  });

/** A way that carries packets up to a size. */
const upTo = (most: number) => (bytes: number) =>
  bytes <= most ? "answered" : "no answer";

suite("measurePath()", () => {
  test("measurePath() sends two packets where large ones get through", async () => {
    const there = machine(upTo(FULL));
    const sizes = { small: SMALL, full: FULL, others: OTHERS };
    assert.deepEqual(await measurePath(there.measuring, sizes), {
      outcome: "carried",
    });
    assert.deepEqual(there.sent, [SMALL, FULL]);
    assert.equal(there.elapsed(), 0);
  });

  for (const most of [1599, 1504, 1500, 1493, 1491, 1450, 1300, 1280])
    test(`measurePath() finds the largest size of a way that carries ${most} bytes`, async () => {
      assert.deepEqual(await measure(upTo(most)), {
        outcome: "dropped",
        largest: OTHERS.find((bytes) => bytes <= most),
      });
    });

  test("measurePath() finds no size of a way that carries less than 1280 bytes", async () => {
    assert.deepEqual(await measure(upTo(1279)), {
      outcome: "dropped",
      largest: undefined,
    });
  });

  test("measurePath() tries large packets and small ones in turn, and ends in bounded time", async () => {
    const there = machine(upTo(1000));
    const sizes = { small: SMALL, full: FULL, others: OTHERS };
    await measurePath(there.measuring, sizes);
    const rounds = there.sent.slice(0, 2 * (ROUNDS + 1));
    const both = [SMALL, FULL];
    assert.deepEqual(
      rounds,
      Array.from({ length: ROUNDS + 1 }, () => both).flat(),
    );
    assert.ok(there.elapsed() < 60_000, String(there.elapsed()));
  });

  test("measurePath() knows nothing if small packets are not answered", async () => {
    assert.deepEqual(await measure(() => "no answer"), {
      outcome: "unknown",
      reason: UNANSWERED,
    });
  });

  test("measurePath() knows nothing if this machine cannot send", async () => {
    const failed = await measure(() => "failed");
    assert.equal(failed.outcome, "unknown");
    const later = await measure((bytes) =>
      bytes === SMALL ? "answered" : "failed",
    );
    assert.equal(later.outcome, "unknown");
  });

  test("measurePath() takes a size that the kernel has learned for no fault", async () => {
    const learned = (bytes: number) =>
      bytes > 1500 ? "too large" : "answered";
    assert.deepEqual(await measure(learned), { outcome: "carried" });
  });

  test("measurePath() takes an answer that is limited to one a second for no fault", async () => {
    // As net.ipv4.icmp_ratelimit with an empty bucket: one answer for each 1000 ms.
    const there = machine(() => {
      if (there.elapsed() - last < 1000) return "no answer";
      last = there.elapsed();
      return "answered";
    });
    let last = -1000;
    const sizes = { small: SMALL, full: FULL, others: OTHERS };
    assert.deepEqual(await measurePath(there.measuring, sizes), {
      outcome: "carried",
    });
  });

  for (const period of [2500, 3000, 3500, 4000])
    test(`measurePath() takes answers that a token bucket limits to one in ${period} ms for no fault`, async () => {
      for (let credit = 1; credit < 2; credit += 0.1) {
        let [tokens, last] = [credit, 0];
        const there = machine(() => {
          const now = there.elapsed();
          tokens = Math.min(2, tokens + (now - last) / period);
          last = now;
          if (tokens < 1) return "no answer";
          tokens--;
          return "answered";
        });
        const sizes = { small: SMALL, full: FULL, others: OTHERS };
        assert.deepEqual(
          await measurePath(there.measuring, sizes),
          { outcome: "carried" },
          String(credit),
        );
      }
    });

  test("measurePath() takes a large packet whose answer is slow for no fault", async () => {
    const slow = (bytes: number) => (bytes === SMALL ? 1 : 2500);
    assert.deepEqual(await measure(slow), { outcome: "carried" });
    // Everything is slow: it waits longer.
    assert.deepEqual(await measure(() => 1900), { outcome: "carried" });
  });

  test("measurePath() takes lost packets of both sizes for no fault", async () => {
    let sent = 0;
    const lossy = () => (sent++ === 0 ? "answered" : "no answer");
    const { outcome } = await measure(lossy);
    assert.equal(outcome, "unknown");
  });

  test("measurePath() takes one answered large packet as proof that they get there", async () => {
    let large = 0;
    const rarely = (bytes: number) =>
      bytes === FULL && ++large < ROUNDS + 1 ? "no answer" : "answered";
    assert.deepEqual(await measure(rarely), { outcome: "carried" });
  });
});

test("smallerThan() is in descending order, with what matters, and without what is not smaller", () => {
  assert.deepEqual(
    smallerThan(1500, [1500, 1410]).slice(0, 3),
    [1492, 1480, 1472],
  );
  assert.ok(smallerThan(1500, [1410]).includes(1410));
  assert.deepEqual(smallerThan(9000, [1520]).slice(0, 2), [1520, 1500]);
  assert.deepEqual(smallerThan(1280, []), []);
});
