// What doctor sees of packets, and sizes of packets in tunnels. It runs beside another suite: test/lab/side-by-side.
import "./packets.lab.js";
import "./tunnel-sizes.lab.js";
