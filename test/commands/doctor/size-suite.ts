// Sizes of masqueraded packets. It runs beside another suite: test/lab/side-by-side.
import "./sizes.lab.js";
