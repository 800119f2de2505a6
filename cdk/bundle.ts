import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');

/** The two functions, each with a folder of its own: what is tested is what ships. */
export const bundled = ['poller', 'watcher'] as const;

/**
 * Bundles both functions into `<outdir>/poller` and `<outdir>/watcher`, handler `index.handler`, replacing what was
 * there. Split, so that what a disarmed tick never needs stays unparsed, also of the SDK's own; the SDK is inside, so
 * that what was tested is what runs. The same sources give the same bytes.
 */
export const bundle = async (outdir: string): Promise<void> => {
  const bundleOne = async (name: (typeof bundled)[number]): Promise<void> => {
    const folder = join(outdir, name);
    rmSync(folder, { recursive: true, force: true });
    await build({
      absWorkingDir: root,
      entryPoints: { index: `functions/${name}.ts` },
      outdir: folder,
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node24',
      minify: true,
      // A stack trace names our lines; the lines themselves need not travel.
      sourcemap: 'linked',
      sourcesContent: false,
      // The CommonJS builds are larger and cannot be shaken.
      mainFields: ['module', 'main'],
      alias: {
        // Of Octokit the adapters use `request` alone; the table of all endpoints would be a tenth of the bundle.
        '@octokit/rest': '@octokit/core',
        // Of the SDK's sources of credentials Lambda uses one (docs/adr/0014).
        '@aws-sdk/credential-provider-node': './functions/lambda-credentials.ts',
      },
      // Tells browsers apart, for a client that runs in one: nothing here ever asks for it.
      external: ['bowser'],
      outExtension: { '.js': '.mjs' },
      // Some CommonJS inside asks for Node's own modules.
      banner: { js: "import{createRequire as __r}from'node:module';const require=__r(import.meta.url);" },
      logLevel: 'warning',
    });
  };
  await Promise.all(bundled.map(bundleOne));
};

/** Bytes of JavaScript in a bundle, without source maps. */
export const bytesOf = (folder: string): number =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.mjs'))
    .reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);

if (import.meta.main) {
  const outdir = join(root, 'dist');
  await bundle(outdir);
  for (const name of bundled)
    process.stdout.write(`dist/${name}: ${(bytesOf(join(outdir, name)) / 1024).toFixed(0)} KiB of JavaScript\n`);
}
