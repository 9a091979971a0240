/** How documents name an IPv4 service, and a real server of it, in words and in parts. */
export function named(service: string, server?: string) {
  const [, protocol = "", serviceAddress = "", servicePort] =
    /^([a-z]+)\/(.*):([0-9]+)$/.exec(service) ?? [];
  const [, serverAddress = "", serverPort] =
    /^(.*):([0-9]+)$/.exec(server ?? "") ?? [];
  return {
    service,
    protocol,
    serviceAddress,
    servicePort: Number(servicePort),
    ...(server !== undefined && {
      server,
      serverAddress,
      serverPort: Number(serverPort),
    }),
  };
}
