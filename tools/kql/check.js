// Reads each query with Microsoft's own parser, and makes sure that it uses only what Azure Resource Graph supports.
'use strict';

const fs = require('node:fs');

require('@kusto/language-service-next/bridge.min.js');
require('@kusto/language-service-next/Kusto.Language.Bridge.min.js');

const { GlobalState, KustoCode, Symbols, Syntax } = Kusto.Language;

// Azure Resource Graph is a dialect: what is not named here is not used, whether it would be understood or not.
const TABLES = ['kubernetesconfigurationresources', 'resources'];
const COLUMNS = 'id: string, name: string, type: string, subscriptionId: string, properties: dynamic';
const OPERATORS = [
  'FilterOperator', 'ExtendOperator', 'ProjectOperator', 'SummarizeOperator', 'JoinOperator', 'SortOperator',
];
const JOINS = ['leftouter'];
const FUNCTIONS = ['tostring', 'tolower', 'todatetime', 'split', 'iff', 'count', 'max'];
const COMPARISONS = [
  'EqualTildeExpression', 'InCsExpression', 'ContainsExpression', 'HasAnyExpression', 'GreaterThanExpression',
  'MatchesRegexExpression',
];

const kindOf = (node) => System.Enum.toString(Syntax.SyntaxKind, node.Kind);
const textOf = (node) => node.toString(Syntax.IncludeTrivia.Interior).trim();

const database = new Symbols.DatabaseSymbol.ctor(
  'graph',
  TABLES.map((name) => Symbols.TableSymbol.From(`(${COLUMNS})`).WithName(name)),
);
const globals = GlobalState.Default.WithDatabase(database);

function problems(query) {
  const code = KustoCode.ParseAndAnalyze(query, globals);
  const found = [];
  const diagnostics = code.GetDiagnostics();
  for (let at = 0; at < diagnostics.Count; at += 1) {
    found.push(`${diagnostics.getItem(at).Message} (at ${diagnostics.getItem(at).Start})`);
  }
  const only = (known, what, name) => {
    if (!known.includes(name)) found.push(`${what} ${name} is not in the list of what Azure Resource Graph supports`);
  };
  let joins = 0;
  Syntax.SyntaxElement.WalkNodes(code.Syntax, (node) => {
    const kind = kindOf(node);
    if (kind.endsWith('Operator')) only(OPERATORS, 'the operator', kind);
    if (kind === 'JoinOperator') {
      joins += 1;
      only(JOINS, 'the kind of join', textOf(node).match(/kind\s*=\s*(\w+)/)?.[1] ?? 'that is not named');
    }
    if (kind === 'FunctionCallExpression') only(FUNCTIONS, 'the function', textOf(node.Name));
    if (node instanceof Syntax.BinaryExpression || /^(In|HasAny|HasAll)\w*Expression$/.test(kind)) {
      only(COMPARISONS, 'the comparison', kind);
    }
    const table = node.ReferencedSymbol;
    if (table instanceof Symbols.TableSymbol && kind === 'NameReference') only(TABLES, 'the table', table.Name);
  });
  if (joins > 1) found.push('only one join may be between two tables');
  return found;
}

const files = process.argv.slice(2);
let failures = files.length === 0 ? ['no file is given'] : [];
for (const file of files) {
  const found = problems(fs.readFileSync(file, 'utf8'));
  failures = failures.concat(found.map((problem) => `${file}: ${problem}`));
}
failures.forEach((failure) => console.error(failure));
console.log(`${files.length} queries, ${failures.length} problems`);
process.exit(failures.length === 0 ? 0 : 1);
