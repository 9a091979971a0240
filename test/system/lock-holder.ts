/**
 * `node lock-holder.js FOLDER`: takes the lock and prints so, or prints who holds it. Holds it
 * until standard input ends.
 */
import { LockHeld, takeLock } from "../../src/system/lock.js";

const [, , runFolder = ""] = process.argv;
try {
  takeLock({ runFolder, procFolder: "/proc" }, "apply");
  console.log("taken");
} catch (error) {
  if (!(error instanceof LockHeld)) throw error;
  console.log(`held by ${error.holder?.pid ?? "nobody known"}`);
}
process.stdin.resume().on("end", () => process.exit());
