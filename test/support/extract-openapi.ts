/**
 * Takes the operations the GitHub adapter uses, and only those, out of GitHub's OpenAPI document.
 *
 *     npx node test/support/extract-openapi.ts <folder of the unpacked @octokit/openapi package>
 *
 * Writes `test/fixtures/github/openapi.json` with the package's version and the hash of the document it came from.
 * Prose, examples and vendor extensions are left out; every schema an operation refers to is kept whole.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

const repo = '/repos/{owner}/{repo}';
const operations: Record<string, readonly string[]> = {
  '/user': ['get'],
  '/rate_limit': ['get'],
  '/app': ['get'],
  '/app/installations/{installation_id}/access_tokens': ['post'],
  [`${repo}/installation`]: ['get'],
  [repo]: ['get'],
  [`${repo}/issues`]: ['get'],
  [`${repo}/issues/{issue_number}`]: ['get', 'patch'],
  [`${repo}/issues/{issue_number}/events`]: ['get'],
  [`${repo}/issues/{issue_number}/timeline`]: ['get'],
  [`${repo}/issues/{issue_number}/labels`]: ['get', 'post'],
  [`${repo}/issues/{issue_number}/labels/{name}`]: ['delete'],
  [`${repo}/labels`]: ['get', 'post'],
  [`${repo}/issues/{issue_number}/comments`]: ['get', 'post'],
  [`${repo}/issues/comments/{comment_id}`]: ['get', 'patch'],
  [`${repo}/collaborators/{username}/permission`]: ['get'],
  [`${repo}/compare/{basehead}`]: ['get'],
  [`${repo}/activity`]: ['get'],
  [`${repo}/commits`]: ['get'],
  [`${repo}/commits/{ref}`]: ['get'],
  [`${repo}/commits/{ref}/check-runs`]: ['get'],
  [`${repo}/commits/{ref}/status`]: ['get'],
  [`${repo}/actions/runs`]: ['get'],
  [`${repo}/rules/branches/{branch}`]: ['get'],
  [`${repo}/deployments`]: ['get'],
  [`${repo}/deployments/{deployment_id}/statuses`]: ['get'],
  [`${repo}/branches/{branch}`]: ['get'],
  [`${repo}/issues/{issue_number}/dependencies/blocked_by`]: ['get'],
};

const Json = z.json();
type Json = z.infer<typeof Json>;
type JsonObject = { [key: string]: Json };

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isProse = (key: string, parent: string): boolean =>
  // A schema may have a *property* called "description" or "title": those names are kept.
  parent !== 'properties' &&
  (['description', 'summary', 'example', 'examples', 'externalDocs', 'tags', 'headers', 'title', 'deprecated'].includes(
    key,
  ) ||
    key.startsWith('x-'));

const strip = (value: Json, parent: string): Json => {
  if (Array.isArray(value)) return value.map((item) => strip(item, ''));
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([key]) => !isProse(key, parent));
  return Object.fromEntries(kept.map(([key, item]) => [key, strip(item, key)]));
};

const referencesIn = (value: Json): string[] => {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    key === '$ref' && typeof item === 'string' ? [item] : referencesIn(item),
  );
};

const Document = z.object({
  openapi: z.string(),
  paths: z.record(z.string(), z.record(z.string(), Json)),
  components: z.record(z.string(), z.record(z.string(), Json)),
});

const folder = process.argv[2];
if (folder === undefined) throw new Error('say where the unpacked @octokit/openapi package is');
const source = readFileSync(join(folder, 'generated', 'api.github.com.json'), 'utf8');
const document = Document.parse(JSON.parse(source));
const { version } = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')));

const paths: Record<string, JsonObject> = {};
for (const [path, methods] of Object.entries(operations)) {
  const known = document.paths[path];
  if (known === undefined) throw new Error(`the document has no ${path}`);
  for (const method of methods) {
    const operation = known[method];
    if (operation === undefined) throw new Error(`the document has no ${method} ${path}`);
    paths[path] = { ...paths[path], [method]: strip(operation, '') };
  }
}

const components: Record<string, JsonObject> = {};
const queue = referencesIn(paths);
for (let reference = queue.pop(); reference !== undefined; reference = queue.pop()) {
  const [, , section = '', name = ''] = reference.split('/');
  if (components[section]?.[name] !== undefined) continue;
  const component = document.components[section]?.[name];
  if (component === undefined) throw new Error(`the document has no ${reference}`);
  const stripped = strip(component, section === 'schemas' ? '' : section);
  components[section] = { ...components[section], [name]: stripped };
  queue.push(...referencesIn(stripped));
}

const extract = {
  source: { package: '@octokit/openapi', version, file: 'generated/api.github.com.json' },
  sha256: createHash('sha256').update(source).digest('hex'),
  openapi: document.openapi,
  paths,
  components,
};
writeFileSync(join(import.meta.dirname, '..', 'fixtures', 'github', 'openapi.json'), `${JSON.stringify(extract)}\n`);
