/** The arrows between folders: who may import whom. Checked by `npm run check`. */

const server = '^packages/server/src';
/** Tests, benchmarks, and the fakes that are exported for other people's tests, may reach for what they test. */
const testCode = '\\.test\\.tsx?$|^packages/server/src/(testing|bench)/';

/** Only files under `folder` may import packages that match `packages`. */
function vendor(name, packages, folder) {
  return {
    name,
    severity: 'error',
    from: { path: server, pathNot: [`${server}/${folder}`, testCode] },
    to: { path: `(^|node_modules/)${packages}` },
  };
}

/** Adapters: what a port hides. */
const adapters = [
  `${server}/livekit/`,
  `${server}/store/(?!store\\.ts$)`,
  `${server}/registry/(?!agent-registry\\.ts$)`,
  `${server}/observability/(?!telemetry\\.ts$|metric-table\\.ts$)`,
  `${server}/stt/providers/`,
];

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'protocol-imports-only-zod',
      severity: 'error',
      from: { path: '^packages/protocol/src', pathNot: '\\.test\\.ts$' },
      to: { pathNot: '^packages/protocol/src|node_modules/zod/' },
    },
    {
      name: 'web-imports-protocol-only',
      comment: 'The pages know the server by its API; nothing of Node may get into a browser.',
      severity: 'error',
      from: { path: '^packages/web/src', pathNot: testCode },
      to: { path: '^packages/(?!web/|protocol/)', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'web-needs-no-node',
      severity: 'error',
      from: { path: '^packages/web/src', pathNot: testCode },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'web-features-are-built-on-ui-and-lib',
      comment: 'lib knows no elements, ui knows no feature.',
      severity: 'error',
      from: { path: '^packages/web/src/(ui|lib)/' },
      to: { path: '^packages/web/src/(features|app)' },
    },
    {
      name: 'web-lib-knows-no-elements',
      severity: 'error',
      from: { path: '^packages/web/src/lib/' },
      to: { path: '^packages/web/src/ui/' },
    },
    {
      name: 'pure-folders-do-no-io',
      comment: 'Audio, transcript, export and the decisions are computed from their arguments alone.',
      severity: 'error',
      from: {
        path: `${server}/(audio|transcript|export|dispatch/(decide|policy))(/|\\.ts$)`,
        pathNot: testCode,
      },
      to: {
        dependencyTypes: ['core', 'npm', 'npm-dev'],
        pathNot: '^(node:)?(buffer|crypto|util)$|node_modules/(@types/)?(zod|docx|pdfkit|fontkit)/',
      },
    },
    {
      name: 'ports-not-adapters',
      comment: 'dispatch, agent, api, sinks and the pure folders are written against ports.',
      severity: 'error',
      from: { path: `${server}/(dispatch|agent|api|sinks|audio|transcript|export)/`, pathNot: testCode },
      to: { path: adapters },
    },
    {
      name: 'only-app-wires',
      comment: 'Composition roots are the only place that knows everything; commands start them.',
      severity: 'error',
      from: { path: server, pathNot: [`${server}/(app|cli)/`, testCode] },
      to: { path: `${server}/(app|cli)/` },
    },
    {
      name: 'program-does-not-import-its-fakes',
      severity: 'error',
      from: { path: server, pathNot: testCode },
      to: { path: `${server}/testing/|\\.test\\.ts$` },
    },
    {
      name: 'config-is-read-by-those-who-wire',
      severity: 'error',
      from: { path: server, pathNot: [`${server}/(app|cli|config)/`, testCode] },
      to: { path: `${server}/config/` },
    },
    vendor('livekit-packages', '(@livekit/|livekit-server-sdk)', 'livekit/'),
    vendor('database-packages', '(pg/|@electric-sql/)', 'store/'),
    vendor('redis-package', '@redis/', 'registry/redis/'),
    vendor('log-and-metric-packages', '(pino/|prom-client/)', 'observability/'),
    vendor('web-packages', '(fastify|@fastify/)', 'api/'),
    vendor('speech-packages', '(sherpa-onnx-node/|pacote/|tar/|@google-cloud/|@grpc/)', 'stt/'),
    vendor('document-packages', '(docx/|pdfkit/|fontkit/)', 'export/'),
    vendor('yaml-package', 'yaml/', '(config|cli)/'),
    vendor('terminal-packages', '(commander/|@clack/|picocolors/)', '(cli|app)/'),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'packages/server/tsconfig.json' },
    doNotFollow: { path: 'node_modules|/dist/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['dialoglens-source', 'import', 'node', 'default', 'types'],
    },
  },
};
