/**
 * `node ftp-server.js NAME PORT…`: an FTP server at each port. Every file contains its name. Data connections are passive
 * (PASV, EPSV) or active (PORT, EPRT), from the port below that of the control connection. Ends with its standard input.
 */
import { once } from "node:events";
import {
  connect,
  createServer,
  type AddressInfo,
  type Server,
  type Socket,
} from "node:net";

const [name = "", ...ports] = process.argv.slice(2);

/** Where the data of a client's next command goes */
type Data =
  | {
      readonly mode: "passive";
      readonly server: Server;
      /** The client connects before it gives its command */
      readonly connected: Promise<unknown[]>;
    }
  | { readonly mode: "active"; readonly host: string; readonly port: number };

class Session {
  readonly #control: Socket;
  #data: Data | undefined;

  constructor(control: Socket) {
    this.#control = control;
    control.on("error", () => control.destroy());
    control.on("close", () => {
      this.#forgetData();
    });
    this.#say("220 ready");
    let rest = "";
    control.setEncoding("latin1").on("data", (text: string) => {
      const lines = (rest + text).split("\r\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#obey(line);
    });
  }

  /** The address to which the client has connected. A socket for both families writes IPv4 addresses as IPv6 */
  get #host(): string {
    return (this.#control.localAddress ?? "").replace(/^::ffff:/, "");
  }

  #say(line: string): void {
    this.#control.write(`${line}\r\n`);
  }

  #obey(line: string): void {
    const [command = "", argument = ""] = line.split(" ");
    switch (command.toUpperCase()) {
      case "USER": {
        this.#say("331 password");
        return;
      }
      case "PASS": {
        this.#say("230 logged in");
        return;
      }
      case "PWD": {
        this.#say('257 "/"');
        return;
      }
      case "TYPE": {
        this.#say("200 done");
        return;
      }
      case "PASV": {
        this.#listen((port) => {
          const numbers = [...this.#host.split("."), port >> 8, port & 0xff];
          this.#say(`227 Entering Passive Mode (${numbers.join(",")}).`);
        });
        return;
      }
      case "EPSV": {
        this.#listen((port) => {
          this.#say(`229 Entering Extended Passive Mode (|||${port}|)`);
        });
        return;
      }
      case "PORT": {
        const numbers = argument.split(",").map(Number);
        const [high = 0, low = 0] = numbers.slice(4);
        this.#connectTo(numbers.slice(0, 4).join("."), high * 256 + low);
        return;
      }
      case "EPRT": {
        const [, , host = "", port = ""] = argument.split("|");
        this.#connectTo(host, Number(port));
        return;
      }
      case "RETR": {
        this.#send();
        return;
      }
      case "QUIT":
        this.#say("221 goodbye");
        this.#control.end();
        return;
      default: {
        this.#say("502 no such command");
        return;
      }
    }
  }

  #forgetData(): void {
    if (this.#data?.mode === "passive") this.#data.server.close();
    this.#data = undefined;
  }

  #listen(ready: (port: number) => void): void {
    this.#forgetData();
    const server = createServer();
    this.#data = {
      mode: "passive",
      server,
      connected: once(server, "connection"),
    };
    server.listen(0, this.#host, () => {
      ready((server.address() as AddressInfo).port);
    });
  }

  #connectTo(host: string, port: number): void {
    this.#forgetData();
    this.#data = { mode: "active", host, port };
    this.#say("200 done");
  }

  #send(): void {
    if (!this.#data) {
      this.#say("425 no data connection");
      return;
    }
    this.#say("150 here it comes");
    const data = this.#data;
    const finish = (socket: Socket) => {
      socket.on("error", () => socket.destroy());
      socket.end(`${name}\n`, () => {
        this.#say("226 done");
      });
      this.#forgetData();
    };
    if (data.mode === "passive") {
      void data.connected.then(([socket]) => {
        finish(socket as Socket);
      });
      return;
    }
    const { host, port } = data;
    const { localPort = 0 } = this.#control;
    const socket = connect({
      host,
      port,
      localAddress: this.#host,
      localPort: localPort - 1,
    });
    socket.once("connect", () => {
      finish(socket);
    });
    socket.once("error", () => {
      this.#say("425 no data connection");
    });
  }
}

process.stdin.resume().on("end", () => process.exit());
for (const port of ports) {
  const server = createServer((control) => new Session(control));
  await once(server.listen(Number(port)), "listening");
}
console.log("listening");
