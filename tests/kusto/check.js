// Types Kusto queries with Microsoft's language service. JSON in, JSON out:
//   {"tables": {name: {column: type}}, "queries": {id: text}}
//   {id: {"faults": [{"line", "column", "code", "message"}], "columns": {name: type}}}
// Source: https://www.npmjs.com/package/@kusto/language-service-next
"use strict";
require("@kusto/language-service-next/bridge.js");
require("@kusto/language-service-next/Kusto.Language.Bridge.js");

const { KustoCode, GlobalState, Symbols } = Kusto.Language; // the bridge makes it a global

function describeTables(tables) {
  const symbols = Object.entries(tables).map(([name, columns]) => {
    const listed = Object.entries(columns).map(([column, type]) => `['${column}']:${type}`);
    return Symbols.TableSymbol.From(`(${listed.join(", ")})`).WithName(name);
  });
  return GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor("component", symbols));
}

function check(text, globals) {
  const code = KustoCode.ParseAndAnalyze(text, globals);
  const told = code.GetDiagnostics();
  const faults = [];
  for (let at = 0; at < told.Count; at += 1) {
    const { Start, Code, Message } = told.getItem(at);
    const before = text.slice(0, Start).split("\n");
    const column = before[before.length - 1].length + 1;
    faults.push({ line: before.length, column, code: Code, message: Message });
  }
  const columns = {};
  const made = code.ResultType && code.ResultType.Columns;
  for (let at = 0; made && at < made.Count; at += 1) {
    columns[made.getItem(at).Name] = made.getItem(at).Type.Name;
  }
  return { faults, columns };
}

const asked = JSON.parse(require("fs").readFileSync(0, "utf8"));
const globals = describeTables(asked.tables);
const answers = Object.entries(asked.queries).map(([id, text]) => [id, check(text, globals)]);
process.stdout.write(JSON.stringify(Object.fromEntries(answers)));
