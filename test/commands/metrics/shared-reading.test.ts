import assert from "node:assert/strict";
import { test } from "node:test";
import { Shared } from "../../../src/commands/metrics/shared-reading.js";

/** Something that takes a while to be made. */
class Work {
  time = 0;
  begun = 0;
  #finish: ((fault?: Error) => void) | undefined;
  readonly shared = new Shared(
    () => {
      const number = ++this.begun;
      return new Promise<number>((resolve, reject) => {
        this.#finish = (fault) => {
          if (fault) reject(fault);
          else resolve(number);
        };
      });
    },
    1000,
    { now: () => this.time },
  );

  finish(fault?: Error): void {
    this.#finish?.(fault);
  }
}

test("those who come while it is made wait for it, those who come soon after get it, later ones anew", async () => {
  const work = new Work();
  const first = [work.shared.get(), work.shared.get()];
  work.time = 5000; // it may take long
  first.push(work.shared.get());
  work.finish();
  assert.deepEqual(await Promise.all(first), [1, 1, 1]);
  work.time = 5999;
  assert.equal(await work.shared.get(), 1);
  work.time = 6000;
  const later = [work.shared.get(), work.shared.get()];
  work.finish();
  assert.deepEqual(await Promise.all(later), [2, 2]);
});

test("a failure is for those who waited", async () => {
  const work = new Work();
  const both = [work.shared.get(), work.shared.get()];
  work.finish(new Error("broken"));
  for (const one of both) await assert.rejects(one, /broken/);
  const next = work.shared.get();
  work.finish();
  assert.equal(await next, 2);
});
