import { rawTable } from "./table.js";

// A separate process, started in the original's namespace, because a netlink socket belongs to the
// namespace
// in which it was opened. Each message requests the table once.
process.on("message", () => {
  rawTable().then(
    (lines) => process.send?.({ lines }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
