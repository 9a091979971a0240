// What doctor sees of packets. It runs beside another suite: test/lab/side-by-side.
import "./packets.lab.js";
