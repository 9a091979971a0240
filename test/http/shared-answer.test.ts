import assert from "node:assert/strict";
import { test } from "node:test";
import { SharedAnswer } from "../../src/http/shared-answer.js";

/** Work that takes a while. */
class Work {
  time = 0;
  begun = 0;
  #finish: ((fault?: Error) => void) | undefined;
  readonly shared = new SharedAnswer(
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

test("SharedAnswer is made once for concurrent and early callers, and again for later ones", async () => {
  const work = new Work();
  const first = [work.shared.get(), work.shared.get()];
  work.time = 5000; // The work may take long.
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

test("SharedAnswer shares an error only with those who waited", async () => {
  const work = new Work();
  const both = [work.shared.get(), work.shared.get()];
  work.finish(new Error("broken"));
  for (const one of both) await assert.rejects(one, /broken/);
  const next = work.shared.get();
  work.finish();
  assert.equal(await next, 2);
});
