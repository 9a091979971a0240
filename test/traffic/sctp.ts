import { spawn } from "node:child_process";
import { once } from "node:events";
import { takeClientPorts } from "../lab/client-ports.js";
import { commandOn } from "../lab/network.js";
import { type Server, startServerProgram } from "../lab/server.js";

// Node.js does not support SCTP; Perl does, and every Debian has it.
const SERVER = `
  use Socket;
  my ($name, $address, $port) = @ARGV;
  socket(my $listener, PF_INET, SOCK_STREAM, 132) or die "socket: $!";
  bind($listener, pack_sockaddr_in($port, inet_aton($address))) or die "bind: $!";
  listen($listener, 5) or die "listen: $!";
  # Standard input ends when the parent process ends.
  my $parent = $$;
  if (my $child = fork) {
    $| = 1;
    print "listening\\n";
    1 while <STDIN>;
    kill TERM => $child;
    exit;
  }
  while (my $peer = accept(my $connection, $listener)) {
    sysread($connection, my $request, 100);
    my ($local_port, $local) = unpack_sockaddr_in(getsockname($connection));
    my ($peer_port, $client) = unpack_sockaddr_in($peer);
    syswrite($connection, inet_ntoa($client) . " -> " . inet_ntoa($local) . ":$local_port $name");
    # The client ends the association.
    sysread($connection, $request, 100);
    close($connection);
  }`;

const CLIENT = `
  use Socket;
  my ($from, $from_port, $address, $port) = @ARGV;
  $| = 1;
  socket(my $connection, PF_INET, SOCK_STREAM, 132) or die "socket: $!";
  bind($connection, pack_sockaddr_in($from_port, inet_aton($from))) or die "bind: $!";
  connect($connection, pack_sockaddr_in($port, inet_aton($address))) or die "connect: $!";
  syswrite($connection, "who are you?");
  sysread($connection, my $answer, 100);
  print "$answer\\n";
  1 while <STDIN>;`;

/**
 * Starts an SCTP server with only one address, because NAT does not change addresses inside
 * packets.
 */
export function startSctpServer(
  host: string,
  address: string,
  port: number,
): Promise<Server> {
  const words = ["perl", "-e", SERVER, host, address, port];
  return startServerProgram(host, "SCTP server", words);
}

/**
 * Opens an association from an address. It ends after `meanwhile`.
 *
 * @returns how it arrived: `CLIENT -> ADDRESS:PORT SERVER`
 */
export async function associate(
  host: string,
  from: string,
  to: string,
  meanwhile: () => Promise<void> = () => Promise.resolve(),
): Promise<string> {
  const [address = "", port = ""] = to.split(":");
  const ends = [from, takeClientPorts(1), address, port].map(String);
  const words = commandOn(host, ["perl", "-e", CLIENT, ...ends]);
  const [file = "", ...rest] = words;
  const client = spawn(file, rest, { stdio: ["pipe", "pipe", "inherit"] });
  const exit = once(client, "exit");
  const [answer] = (await Promise.race([
    once(client.stdout, "data"),
    exit.then(() => Promise.reject(new Error("the client has ended"))),
  ])) as [Buffer];
  await meanwhile();
  client.stdin.end();
  await exit;
  return answer.toString().trim();
}
