import { rawTable } from "./table.js";

// A process of its own, started in the original's namespace: a netlink socket sees the namespace that it
// was made in. Each message asks for the table once.
process.on("message", () => {
  rawTable().then(
    (lines) => process.send?.({ lines }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
