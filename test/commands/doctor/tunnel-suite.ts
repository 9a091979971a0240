// Tunneling, seen from the director and from real servers, and idle connections. It runs beside another suite: test/lab/side-by-side.
import "./tunnel.lab.js";
import "./real-tunnel.lab.js";
import "./idle-connections.lab.js";
