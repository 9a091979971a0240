// Faults of a director's settings and network, in a guest of its own: doctor would find what other tests leave behind.
import "./nat.lab.js";
import "./firewall.lab.js";
import "./healthy.lab.js";
import "./direct.lab.js";
import "./direct-causes.lab.js";
import "./direct-firewall.lab.js";
import "./direct-ipv6.lab.js";
import "./bonds.lab.js";
import "./tunnel.lab.js";
import "./redirects.lab.js";
import "./client.lab.js";
import "./sync.lab.js";
