// Sizes of packets, and answers that leave by another way. It runs beside another suite: test/lab/side-by-side.
import "./sizes.lab.js";
import "./answer-ways.lab.js";
