/** The program of systemd that sends notifications. Node.js has no datagram sockets of the Unix family. */
const NOTIFY = "systemd-notify";

/**
 * Tells systemd something, if it started this process with Type=notify: `READY=1`, `WATCHDOG=1`, `STATUS=…`. Does nothing
 * otherwise. The unit needs NotifyAccess=all, because another process sends it.
 *
 * @see sd_notify(3)
 */
export function notifySystemd(assignments: readonly string[]): void {
  if (!process.env["NOTIFY_SOCKET"]) return;
  const { execFile } = process.getBuiltinModule("node:child_process");
  const args = [`--pid=${process.pid}`, ...assignments];
  // If it fails, systemd's own timeouts tell.
  execFile(NOTIFY, args, { timeout: 10_000 }, () => undefined);
}
