/**
 * Budgets of the source: length of functions and files, no `any`, no silenced checks, file names, and who may read the
 * clock and the environment. Reads the syntax with TypeScript's own parser, so text in strings and comments does not
 * count as code.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import ts from 'typescript';
import { root } from './setup.mjs';

const maxFunctionLines = 60;
const maxFileLines = 500;
const skippedFolders = new Set(['node_modules', 'dist', 'coverage', '.git', '.dialoglens', '.changeset']);
const forbiddenNames = /(^|-)(utils?|helpers?|common|managers?|misc)(-|\.|$)/;
const kebabCase = /^\.?[a-z0-9]+([-.][a-z0-9]+)*$/;
/** Folders and files whose code gets the time as an argument. */
const pure = /^packages\/server\/src\/(audio|transcript|export|dispatch\/(decide|policy))(\/|\.ts$)/;
const environmentReaders = /^(scripts\/|packages\/server\/bin\/|packages\/server\/src\/config\/)/;
const unfinished = /\b(TODO|FIXME|XXX|HACK)\b/;
const silencers = /@ts-(ignore|nocheck|expect-error)|biome-ignore/;
/** Fewer files than this means that the check looked in the wrong place. */
const fewestFiles = 30;

const problems = [];
const files = sourceFiles(root);
for (const path of files) checkFile(path);
if (files.length < fewestFiles) problems.push(`Only ${files.length} source files were seen.`);
for (const problem of problems) console.log(problem);
console.log(`${files.length} files, ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;

function sourceFiles(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return skippedFolders.has(entry.name) ? [] : sourceFiles(path);
    return /\.(ts|tsx|mjs|js|cjs)$/.test(entry.name) && !entry.name.endsWith('.d.ts') ? [path] : [];
  });
}

function checkFile(path) {
  const name = relative(root, path).split(sep).join('/');
  const text = readFileSync(path, 'utf8');
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const report = (node, message) => {
    const { line } = source.getLineAndCharacterOfPosition(node.getStart?.(source) ?? node);
    problems.push(`${name}:${line + 1} ${message}`);
  };
  checkName(name, report);
  const lines = text.split('\n').length - 1;
  if (lines > maxFileLines) report(0, `file of ${lines} lines (at most ${maxFileLines})`);
  if (name.startsWith('packages/')) checkComments(text, report);
  const visit = (node) => {
    checkNode(node, source, name, report);
    ts.forEachChild(node, visit);
  };
  visit(source);
}

function checkName(name, report) {
  const stem = basename(name).replace(/(\.test)?\.\w+$/, '');
  const folders = name.split('/').slice(0, -1);
  for (const part of [...folders, stem]) {
    if (forbiddenNames.test(part)) report(0, `"${part}" says nothing about what is inside`);
    else if (!kebabCase.test(part)) report(0, `"${part}" is not in kebab-case`);
  }
}

function checkComments(text, report) {
  const scanner = ts.createScanner(ts.ScriptTarget.Latest, false, ts.LanguageVariant.Standard, text);
  for (let token = scanner.scan(); token !== ts.SyntaxKind.EndOfFileToken; token = scanner.scan()) {
    const isComment =
      token === ts.SyntaxKind.SingleLineCommentTrivia || token === ts.SyntaxKind.MultiLineCommentTrivia;
    if (!isComment) continue;
    const comment = scanner.getTokenText();
    if (unfinished.test(comment)) report(scanner.getTokenStart(), 'unfinished work in a comment');
    if (silencers.test(comment)) report(scanner.getTokenStart(), 'a check is silenced');
  }
}

function checkNode(node, source, name, report) {
  if (node.kind === ts.SyntaxKind.AnyKeyword) report(node, '`any`');
  if (ts.isNonNullExpression(node)) report(node, 'non-null `!`');
  const isAugmentation = ts.isModuleDeclaration(node) && ts.isStringLiteral(node.name);
  if (ts.isEnumDeclaration(node) || (ts.isModuleDeclaration(node) && !isAugmentation))
    report(node, 'enum or namespace');
  if (ts.isFunctionLike(node) && node.body) checkLength(node, source, name, report);
  if (ts.isCatchClause(node) && node.block.statements.length === 0) report(node, 'empty catch');
  if (!ts.isPropertyAccessExpression(node) && !ts.isNewExpression(node)) return;
  const code = node.getText(source);
  const isTest = /\.test\.\w+$/.test(name);
  if (pure.test(name) && !isTest && readsClock(node, code))
    report(node, `${code} in code that must not read a clock`);
  if (code === 'process.env' && name.startsWith('packages/') && !isTest && !environmentReaders.test(name)) {
    report(node, 'process.env outside config/');
  }
}

function readsClock(node, code) {
  if (ts.isNewExpression(node)) return code.startsWith('new Date') && !node.arguments?.length;
  return code === 'Date.now' || code === 'performance.now';
}

function checkLength(node, source, name, report) {
  if (isChapter(node, source, name)) return;
  const from = source.getLineAndCharacterOfPosition(node.getStart(source)).line;
  const to = source.getLineAndCharacterOfPosition(node.end).line;
  const lines = to - from + 1;
  if (lines > maxFunctionLines) report(node, `function of ${lines} lines (at most ${maxFunctionLines})`);
}

/** A `describe` block, or the function of a contract suite, is a chapter of tests: each test in it is measured. */
function isChapter(node, source, name) {
  const isSuite = /\.test\.tsx?$|-contract\.ts$/.test(name);
  if (!isSuite) return false;
  if (ts.isCallExpression(node.parent) && /^describe\b/.test(node.parent.getText(source))) return true;
  return ts.isFunctionDeclaration(node) && /\b(describe|it)(\.\w+)?\(/.test(node.getText(source));
}
