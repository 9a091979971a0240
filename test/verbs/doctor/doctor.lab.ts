import "./nat.lab.js";
