import type { Clock } from "./clock.js";
import { runProgram } from "./program-output.js";

/** Where systemd-notify may be. */
const PROGRAMS = ["/usr/bin/systemd-notify", "/bin/systemd-notify"];

/** What is needed of the program's environment. */
interface Surroundings {
  readonly clock: Clock;
  /** An environment variable */
  environment(name: string): string | undefined;
}

/**
 * Tells systemd how the program is. Node.js cannot open the socket of $NOTIFY_SOCKET, because it has no Unix datagram sockets.
 * The program systemd-notify can. The unit must have `NotifyAccess=all`, because that program is a process of its own.
 *
 * @see sd_notify(3)
 */
export class ServiceManager {
  readonly #io: Surroundings;
  readonly #socket: string | undefined;
  #stop: () => void = () => undefined;
  #program = "";

  constructor(io: Surroundings) {
    this.#io = io;
    this.#socket = io.environment("NOTIFY_SOCKET");
  }

  /**
   * Reports that the program is ready. From now on, keeps the watchdog quiet as long as the program is alive.
   *
   * @returns why systemd could not be told; undefined if it was told, or there is none
   */
  async ready(isAlive: () => boolean): Promise<string | undefined> {
    if (this.#socket === undefined) return undefined;
    for (const program of PROGRAMS) {
      this.#program = program;
      const fault = await this.#tell("READY=1", `MAINPID=${process.pid}`);
      if (fault === "not installed") continue;
      if (fault !== undefined) return `cannot notify systemd: ${fault}`;
      this.#startWatchdog(isAlive);
      return undefined;
    }
    this.#program = "";
    return "cannot notify systemd: systemd-notify is not installed";
  }

  /** Reports what the program does, as one line, for 'systemctl status'. Does nothing before `ready`. */
  status(text: string): void {
    if (this.#program !== "") void this.#tell(`STATUS=${text}`);
  }

  /** Reports that the program ends. */
  stopping(): void {
    this.close();
    if (this.#program !== "") void this.#tell("STOPPING=1");
  }

  /** Ends the reports. */
  close(): void {
    this.#stop();
    this.#stop = () => undefined;
  }

  #startWatchdog(isAlive: () => boolean): void {
    const microseconds = Number(this.#io.environment("WATCHDOG_USEC") ?? "");
    if (!(microseconds > 0)) return;
    // systemd recommends half of the time.
    this.#stop = this.#io.clock.every(microseconds / 2000, () => {
      if (isAlive()) void this.#tell("WATCHDOG=1");
    });
  }

  /** @returns why it failed */
  async #tell(...states: string[]): Promise<string | undefined> {
    const environment = { NOTIFY_SOCKET: this.#socket ?? "" };
    const result = await runProgram(this.#program, states, environment);
    if (!("failed" in result)) return undefined;
    return result.failed === "other" ? result.reason : result.failed;
  }
}
