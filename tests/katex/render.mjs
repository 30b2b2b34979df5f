// Reads a JSON list of formulas on standard input, prints a JSON list: what KaTeX has against each, or "".
import { readFileSync } from "node:fs";
import katex from "katex";

let warnings = [];
console.warn = (...words) => warnings.push(words.join(" ")); // characters without metrics are only warned about

function complaint(formula) {
  warnings = [];
  try {
    katex.renderToString(formula, { displayMode: true, throwOnError: true, strict: "error" });
  } catch (error) {
    return error.message;
  }
  return warnings.join("; ");
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(complaint)));
